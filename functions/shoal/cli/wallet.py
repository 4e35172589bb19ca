"""`shoal wallet`: what an account has, and giving it more."""

from __future__ import annotations

from typing import Annotated

import typer

from shoal.cli import console
from shoal.cli.amounts import CreditsOption, UsdOption
from shoal.domain.errors import ConfirmationNeeded
from shoal.domain.grant import Decision, PendingGrant
from shoal.domain.money import Asset, decimal_amount
from shoal.domain.text import is_blank, same_form
from shoal.domain.wallet import EntryKind, Movement, Wallet

REFERENCE_LENGTH_MAX = 128

app = typer.Typer(help="Show and credit wallets.", no_args_is_help=True)


def reference(text: str) -> str:
    text = same_form(text)
    if is_blank(text) or not text.isprintable() or text.strip() != text or len(text) > REFERENCE_LENGTH_MAX:
        raise typer.BadParameter(f"{text!r} is not 1 to {REFERENCE_LENGTH_MAX} printable characters")
    return text


ReferenceOption = Annotated[
    str | None,
    typer.Option(
        "--reference",
        parser=reference,
        metavar="TEXT",
        help="Names this credit, an invoice number for instance: the same reference credits once.",
    ),
]

ReasonOption = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why: kept beside the ledger's entry.")
]


@app.command()
def credit(
    context: typer.Context,
    account_id: console.AccountArgument,
    reason: ReasonOption,
    usd: UsdOption = None,
    credits: CreditsOption = None,
    reference: ReferenceOption = None,
    as_json: console.JsonOption = False,
    stage: console.StageOption = None,
) -> None:
    """Add dollars or credits to an account's wallet."""
    if (usd is None) == (credits is None):
        raise typer.BadParameter("give exactly one of --usd and --credits")
    asset, amount = (Asset.USD, usd) if usd is not None else (Asset.CREDIT, credits)
    if not amount:
        raise typer.BadParameter("the amount must be above zero")
    using = console.operator(context, stage)
    decision = Decision.of(using.who(), reason)
    try:
        credited, waits = using.manage.grant(account_id, asset, amount, decision, reference), ""
    except ConfirmationNeeded as needed:
        credited, waits = False, str(needed)
    text = decimal_amount(asset, amount)
    if as_json:
        console.print_json(
            {
                "account_id": account_id,
                "asset": asset,
                "amount": text,
                "reference": reference,
                "credited": credited,
            }
            | ({"waits": waits} if waits else {})
        )
    elif waits:
        typer.echo(waits)
    elif credited:
        typer.echo(f"Credited {text} {asset} to {account_id}.")
    else:
        typer.echo(f"Nothing to do: {reference} was credited to the {asset} wallet of {account_id} before.")


@app.command()
def pending(
    context: typer.Context, as_json: console.JsonOption = False, stage: console.StageOption = None
) -> None:
    """List the grants and refunds that wait for a second operator."""
    found = [_pending_fields(each) for each in console.operator(context, stage).manage.give_grant.pending()]
    if as_json:
        console.print_json({"pending": found})
    else:
        titles = ["Kind", "Reference", "Account", "Amount", "Asset", "Operator", "Reason", "Until"]
        console.print_table(titles, [[*each.values()] for each in found])


@app.command()
def confirm(
    context: typer.Context,
    kind: Annotated[EntryKind, typer.Argument(metavar="KIND", help="As `shoal wallet pending` shows it.")],
    reference: Annotated[str, typer.Argument(metavar="REFERENCE", help="Likewise.")],
    as_json: console.JsonOption = False,
    stage: console.StageOption = None,
) -> None:
    """Give what another operator asked for, above the stage's cap."""
    using = console.operator(context, stage)
    credited = using.manage.give_grant.confirm(kind, reference, using.who())
    if as_json:
        console.print_json({"kind": kind, "reference": reference, "credited": credited})
    else:
        typer.echo(f"Confirmed {reference}." if credited else f"Nothing to do: {reference} was given before.")


@app.command()
def show(
    context: typer.Context,
    account_id: console.AccountArgument,
    as_json: console.JsonOption = False,
    stage: console.StageOption = None,
) -> None:
    """Show what an account has, what its jobs hold, and what its ledger adds up to."""
    inspect = console.operator(context, stage).inspect
    if as_json:
        spendable = (Asset.USD, Asset.CREDIT)
        console.print_json({asset: _amounts(*inspect.wallet(account_id, asset)) for asset in spendable})
        return
    wallets = {asset: inspect.wallet(account_id, asset) for asset in Asset}
    console.print_table(
        ["Wallet", "Balance", "Held", "Owed", "Available", "Ledger sum", "Free trials"],
        [
            [asset, *_amounts(wallet, entries).values(), str(wallet.free_generations)]
            for asset, (wallet, entries) in wallets.items()
        ],
    )


def _pending_fields(each: PendingGrant) -> dict[str, str]:
    grant = each.grant
    return {
        "kind": grant.kind,
        "reference": grant.reference,
        "account_id": grant.account_id,
        "amount": decimal_amount(grant.asset, grant.amount),
        "asset": grant.asset,
        "operator": grant.operator,
        "reason": grant.reason,
        "expires_at": console.moment(each.expires_at_ms) or "",
    }


def _amounts(wallet: Wallet, entries: Movement) -> dict[str, str]:
    amounts = {
        "balance": wallet.balance,
        "held": wallet.held,
        "owed": wallet.owed,
        "available": wallet.available,
        "ledger_sum": entries.balance_delta,
    }
    return {name: decimal_amount(wallet.asset, amount) for name, amount in amounts.items()}
