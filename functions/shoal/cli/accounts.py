"""`shoal accounts`: who can use this stage."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from shoal.cli.amounts import CreditsOption, UsdOption
from shoal.cli.console import JsonOption, StageOption, operator, print_fields, print_json

EMAIL_LENGTH_MAX = 254  # RFC 5321, 4.5.3.1.3
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")

app = typer.Typer(help="Open accounts.", no_args_is_help=True)


def email_address(text: str) -> str:
    if len(text) > EMAIL_LENGTH_MAX or not text.isprintable() or not _EMAIL.fullmatch(text):
        raise typer.BadParameter(f"{text!r} is not an e-mail address")
    return text


EmailOption = Annotated[
    str, typer.Option("--email", parser=email_address, metavar="EMAIL", help="Address to write to.")
]


@app.command()
def create(
    context: typer.Context,
    email: EmailOption,
    usd: UsdOption = None,
    credits: CreditsOption = None,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Open an account with three free trials and its first key, which is shown this once."""
    account, first = operator(context, stage).manage.open(email, usd_micros=usd or 0, credits=credits or 0)
    created = {
        "account_id": account.id,
        "api_key": first.secret,
        "key_id": first.key.id,
        "email": account.email,
    }
    if as_json:
        print_json(created)
        return
    print_fields(
        {"Account": account.id, "E-mail": account.email, "Key id": first.key.id, "Key": first.secret}
    )
    typer.echo("Keep the key now: it is not stored and cannot be shown again.")
