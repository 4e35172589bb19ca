"""The table of abuse: printed, and as docs/abuse.md, which leaves out what differs from run to run."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.abuse import files, load, media, money
from tests.abuse.row import HEADINGS, Case, Row

FILE = Path(__file__).parents[2] / "docs" / "abuse.md"
CASES: tuple[Case, ...] = (
    money.cancels,
    money.refusals,
    money.scripts,
    money.judgements,
    money.unknown_outcomes,
    load.fetches,
    files.uploads,
    load.play_money,
    load.looks,
    load.holds,
    load.requests_of_keys,
    load.guesses,
    load.pages,
    load.webhooks,
    media.pictures,
    media.clips_and_sound,
)
INTRODUCTION = """\
# What abuse costs

Each line is a case of `tests/abuse`, which runs the product's own code and counts what the abuse costs its
caller and what it costs the stage. A test fails when the ratio of the two is above its bound, and when this
page is not what was counted. `make abuse` prints the table, with the times of processors, and writes this
page. What stops each of them stands in the [threat model](threat-model.md).

"""


def measure() -> list[Row]:
    """All cases, one after the other."""
    return [row for case in CASES for row in case()]


def text(rows: list[Row]) -> str:
    """The page as Markdown."""
    lines = (HEADINGS, ("---",) * len(HEADINGS), *(row.cells(for_page=True) for row in rows))
    return INTRODUCTION + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def show(rows: list[Row]) -> None:
    """Print the table; a line beyond its bound is red."""
    table = Table(*HEADINGS)
    for row in rows:
        table.add_row(*row.cells(), style="" if row.within else "red")
    Console(width=160).print(table)
