"""`shoal accounts`: who can use this stage."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from shoal.cli import console
from shoal.cli.amounts import CreditsOption, UsdOption
from shoal.domain.grant import Decision
from shoal.domain.money import format_usd

EMAIL_LENGTH_MAX = 254  # RFC 5321, 4.5.3.1.3
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")

app = typer.Typer(help="Open accounts, and see their limits.", no_args_is_help=True)


def email_address(text: str) -> str:
    if len(text) > EMAIL_LENGTH_MAX or not text.isprintable() or not _EMAIL.fullmatch(text):
        raise typer.BadParameter(f"{text!r} is not an e-mail address")
    return text


EmailOption = Annotated[
    str, typer.Option("--email", parser=email_address, metavar="EMAIL", help="Address to write to.")
]

OpeningReasonOption = Annotated[
    str,
    typer.Option("--reason", metavar="TEXT", help="Required with dollars or credits: why it gets them."),
]


@app.command()
def create(
    context: typer.Context,
    email: EmailOption,
    usd: UsdOption = None,
    credits: CreditsOption = None,
    reason: OpeningReasonOption = "",
    as_json: console.JsonOption = False,
    stage: console.StageOption = None,
) -> None:
    """Open an account with three free trials and its first key, which is shown this once."""
    using = console.operator(context, stage)
    decision = Decision.of(using.who(), reason) if usd or credits else None
    account, first = using.manage.open(email, usd_micros=usd or 0, credits=credits or 0, decision=decision)
    created = {
        "account_id": account.id,
        "api_key": first.secret,
        "key_id": first.key.id,
        "email": account.email,
    }
    if as_json:
        console.print_json(created)
        return
    console.print_fields(
        {"Account": account.id, "E-mail": account.email, "Key id": first.key.id, "Key": first.secret}
    )
    typer.echo("Keep the key now: it is not stored and cannot be shown again.")


@app.command()
def limits(
    context: typer.Context,
    account_id: console.AccountArgument,
    lift: Annotated[
        bool, typer.Option("--lift", help="Let it submit today, whatever came to nothing.")
    ] = False,
    as_json: console.JsonOption = False,
    stage: console.StageOption = None,
) -> None:
    """Show what an account has open, and what it canceled or was refused today."""
    use = console.operator(context, stage)
    use.inspect.accounts.get(account_id)
    if lift:
        use.open_jobs.lift(account_id, use.now_ms())
    open_jobs, spend = use.open_jobs.of(account_id, use.now_ms())
    found = {
        "open_jobs": open_jobs,
        "for_nothing": format_usd(spend.for_nothing),
        "captured": format_usd(spend.captured),
        "lifted": spend.lifted,
    }
    if as_json:
        console.print_json(found)
        return
    console.print_fields(
        {
            "Open jobs": str(open_jobs),
            "For nothing today": format_usd(spend.for_nothing),
            "Paid today": format_usd(spend.captured),
            "Brake": "lifted for today" if spend.lifted else "on",
        }
    )
