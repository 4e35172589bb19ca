"""`make simulate`: today's figures of one wallet, one key and the sweeper, in virtual time."""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from tests.simulation import assumptions
from tests.simulation.scenarios import (
    KeyLoad,
    Load,
    Swept,
    burst_load,
    fastest_below,
    key_load,
    rate_reaching,
    sweeps,
    wallet_load,
)

BUSY_MAX = 0.001
SECONDS = {15: 120, 20: 300, 23: 300, 27: 300, 30: 300, 35: 60, 40: 60, 50: 60, 60: 60}
"""By the rate in jobs per second, how long it is measured. A share of 0.1 % needs thousands of submits to
be seen."""
BURSTS = (100, 500)
KEY_RATES, KEY_SECONDS = (200, 400, 600, 800), 10
BACKLOG = 20_000
WIDTH = 120
LOAD_COLUMNS = (
    "jobs/s",
    "accepted/s",
    "503",
    "submit p50 ms",
    "p99 ms",
    "settle p99",
    "gave up",
    "given away",
    "conflicts",
    "throttled",
    "money",
)


def main() -> None:
    """Print every table; exit with an error if money was not exact."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="another draw of the same odds")
    parser.add_argument("--measured", type=Path, help="what `make smoke` measured of a stage")
    options = parser.parse_args()
    seed, console = options.seed, Console(width=WIDTH)
    measured = assumptions.take(options.measured) if options.measured else []
    for line in measured:
        console.print(line)
    loads = []
    for rate, seconds in SECONDS.items():
        loads.append(wallet_load(rate, seconds, seed=seed))
        console.print(f"{rate} jobs/s for {seconds} virtual seconds: done", style="dim")
    bursts = [burst_load(submits, seed=seed) for submits in BURSTS]
    console.print(_loads("One wallet, at random moments", loads))
    console.print(_loads("One wallet, all within one second", bursts))
    console.print(_summary(loads))
    console.print(_keys([key_load(rate, KEY_SECONDS, seed=seed) for rate in KEY_RATES]))
    console.print(_swept(sweeps(BACKLOG, seed=seed)))
    source = "The lines above were measured." if measured else "Nothing was measured on AWS."
    console.print(f"Seed {seed}; {time.process_time():.0f} s of CPU. {source}")
    problems = [problem for load in (*loads, *bursts) for problem in load.problems]
    if problems:
        raise SystemExit("\n".join(problems))


def _loads(title: str, loads: Sequence[Load]) -> Table:
    table = Table(*LOAD_COLUMNS, title=title, box=SIMPLE)
    for column in table.columns:
        column.justify = "right"
    for load in loads:
        table.add_row(
            f"{load.rate:.0f}",
            f"{load.accepted_per_s:.1f}",
            f"{load.busy:.2%}",
            f"{load.submit_p50_ms:.0f}",
            f"{load.submit_p99_ms:.0f}",
            f"{load.settle_p99_ms:.0f}",
            str(load.gave_up),
            str(load.given_away),
            f"{load.conflicts:.0%}",
            str(load.throttled),
            "exact" if load.exact else "OFF",
        )
    return table


def _summary(loads: Sequence[Load]) -> str:
    below, reached, calm = fastest_below(loads, BUSY_MAX), rate_reaching(loads, BUSY_MAX), loads[0]
    highest = f"{below:.0f} jobs/s" if below else "none of these"
    about = f", and they reach it at about {reached:.0f} jobs/s" if reached else ""
    return (
        f"Highest rate below {BUSY_MAX:.1%} of 503s: {highest}{about}. Calibration at {calm.rate:.0f} jobs/s:"
        f" a transaction takes {calm.transaction_p50_ms:.1f} ms in the median and"
        f" {calm.transaction_p99_ms:.1f} ms at the 99th percentile, an item is locked"
        f" {calm.locked_p50_ms:.1f} ms in the median."
    )


def _keys(loads: Sequence[KeyLoad]) -> Table:
    table = Table(
        "requests/s", "admitted", "503", "p99 ms", title="One API key, authentication only", box=SIMPLE
    )
    for column in table.columns:
        column.justify = "right"
    for load in loads:
        table.add_row(f"{load.rate:.0f}", f"{load.admitted:.2%}", f"{load.busy:.2%}", f"{load.p99_ms:.0f}")
    return table


def _swept(done: Swept) -> str:
    return (
        f"The sweeper, {done.waiting} jobs not started: its runs start {', '.join(map(str, done.started))},"
        f" {done.per_s:.0f} a second; {done.expired} expired, {done.left} left."
    )


if __name__ == "__main__":
    # What the product logs of each refusal would bury the tables.
    logging.disable(logging.CRITICAL)
    main()
