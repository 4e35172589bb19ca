"""`make chaos`: ten minutes of orders while workers die and AWS fails; ends with a table.

The exit status is 1 if a promise was broken.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from infra.local.run import console
from tests.chaos.play import Plan, play


def main() -> int:
    """Run, print, judge."""
    plan = Plan(**vars(_parser().parse_args()))
    console.print(f"chaos: {plan.seconds:.0f} s of orders, seed {plan.seed}")
    with tempfile.TemporaryDirectory(prefix="shoal-chaos-") as folder:
        report = play(plan, Path(folder), console.print)
    console.print(report.table())
    for problem in report.problems:
        console.print(problem, markup=False)
    return 1 if report.problems else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=Plan.seconds, help="how long orders come in")
    parser.add_argument("--seed", type=int, default=Plan.seed, help="of what is drawn at random")
    parser.add_argument("--rate", type=float, default=Plan.rate, help="share of calls to AWS that fail")
    parser.add_argument("--every", dest="every_s", type=float, default=Plan.every_s, help="seconds to a kill")
    parser.add_argument("--clients", type=int, default=Plan.clients, help="how many order at once")
    parser.add_argument("--spare", dest="spared", nargs="*", default=(), help="functions whose workers live")
    return parser


if __name__ == "__main__":
    sys.exit(main())
