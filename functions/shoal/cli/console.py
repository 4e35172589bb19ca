"""What the command's parts share: its options, how it prints, and how it fails."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from shoal.composition.operator import Operator
from shoal.domain.errors import ShoalError, Unavailable

PIPED_WIDTH = 200
"""Columns of a table that is not shown on a terminal: wide enough that nothing is broken."""

AccountArgument = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Account id, acc_…")]
StageOption = Annotated[
    str | None,
    typer.Option("--stage", metavar="STAGE", help="Deployed stage such as dev. Default: the local stage."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]

Connect = Callable[[str | None], Operator]


class CommandGroup(TyperGroup):
    """Where a command fails in a way to be expected it ends with one line on stderr.

    The exit code is 2 for a command that makes no sense, 1 for one that could not be carried out.
    """

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            raise _failure(error.format_message(), 2) from error
        except (ShoalError, BotoCoreError, ClientError) as error:
            raise _failure(explain(error), 1) from error


def operator(context: typer.Context, stage: str | None) -> Operator:
    """The operator of the stage named here or before the command."""
    connect: Connect = context.obj
    return connect(stage)


def explain(error: Exception) -> str:
    """The cause in one line: an operator may read what a caller must not."""
    cause = error.__cause__ if isinstance(error, Unavailable) else None
    return " ".join(str(cause or error).split())


def _failure(message: str, code: int) -> typer.Exit:
    typer.secho(f"Error: {message}", fg=typer.colors.RED, err=True)
    return typer.Exit(code)


def print_json(document: Mapping[str, Any]) -> None:
    """For machines: one document on stdout."""
    typer.echo(json.dumps(document))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """For people. Cells are shown as they are: no markup, nothing cut off, the first in one piece."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=index == 0)
    for row in rows:
        table.add_row(*row)
    width = None if sys.stdout.isatty() else PIPED_WIDTH
    Console(width=width, markup=False, emoji=False, highlight=False).print(table)


def print_fields(fields: Mapping[str, str]) -> None:
    """For people: one thing, a field a line. Long values stay in one piece, so that they can be copied."""
    width = max(map(len, fields))
    for name, value in fields.items():
        typer.echo(f"{typer.style(name.ljust(width), bold=True)}  {value}")


def moment(at_ms: int | None) -> str | None:
    """ISO 8601 UTC to the second; None stays None."""
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms // 1000, UTC).isoformat().replace("+00:00", "Z")
