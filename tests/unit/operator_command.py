"""The operator's command on a world of fakes."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner, Result

from shoal.cli import app
from shoal.cli.operator import Operator
from shoal.use_cases.inspect_account import InspectAccount
from tests.unit.world import World


class Shoal:
    """`shoal("audit", "--json")` runs the command on the world's stage."""

    def __init__(self, world: World) -> None:
        inspect = InspectAccount(world.accounts, world.keys, world.jobs, world.ledger)
        self._operator = Operator(world.manage, inspect, world.sweep_jobs, world.audit_ledger)

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, arguments, obj=lambda _stage: self._operator)


def printed(result: Result) -> Any:
    """The JSON on stdout of a command that succeeded and said nothing else."""
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return json.loads(result.stdout)


def refused(result: Result, exit_code: int, message: str) -> None:
    """The command failed with this in one line on stderr, and nothing else was said."""
    assert (result.exit_code, result.stdout) == (exit_code, ""), result.output
    assert message in result.stderr
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
