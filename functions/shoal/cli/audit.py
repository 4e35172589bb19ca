"""`shoal audit`: does the money add up?"""

from __future__ import annotations

from dataclasses import asdict

import typer

from shoal.cli.console import JsonOption, StageOption, operator, print_json, print_table


def audit(context: typer.Context, as_json: JsonOption = False, stage: StageOption = None) -> None:
    """Check every wallet against its ledger and every hold against its job. Exit code 1 if one is off.

    Reads the whole table. Amounts are shown as stored: dollars in micro-dollars, credits whole.
    """
    found = operator(context, stage).audit()
    if as_json:
        print_json({"discrepancies": [asdict(discrepancy) for discrepancy in found]})
    elif found:
        print_table(
            ["Account", "Wallet", "What is off", "Expected", "Found"],
            [[d.account_id, d.asset, d.what, str(d.expected), str(d.found)] for d in found],
        )
    else:
        typer.echo("Every wallet agrees with its ledger, every hold with its job.")
    if found:
        raise typer.Exit(1)
