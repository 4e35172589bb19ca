"""The operator's command `shoal`: accounts, keys, wallets, payments, jobs, providers, catalogs and audit.

It runs the same use cases as the Lambdas, from the operator's machine. boto3, Typer and rich are there only
(the extra `operate`): nothing a Lambda runs imports this package.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from shoal.cli import accounts, catalog, jobs, keys, providers, publications, stripe, wallet
from shoal.cli.audit import audit
from shoal.cli.console import CommandGroup, Connect, StageOption
from shoal.cli.doctor import doctor
from shoal.cli.stage import connect

app = typer.Typer(
    cls=CommandGroup,
    help="Operate a stage of Shoal.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # they may hold a key
)
app.add_typer(accounts.app, name="accounts")
app.add_typer(keys.app, name="keys")
app.add_typer(wallet.app, name="wallet")
app.add_typer(jobs.app, name="jobs")
app.add_typer(stripe.app, name="stripe")
app.add_typer(providers.app, name="providers")
catalog.app.add_typer(publications.app)
app.add_typer(catalog.app, name="catalog")
app.command()(audit)
app.command()(doctor)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"shoal {version('shoal')}")
        raise typer.Exit


@app.callback()
def choose_stage(
    context: typer.Context,
    stage: StageOption = None,
    _version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Operate a stage of Shoal."""
    to: Connect = context.obj or connect
    context.obj = lambda named_later: to(named_later or stage)
