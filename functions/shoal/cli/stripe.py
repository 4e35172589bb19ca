"""`shoal stripe`: whether this stage takes payments, and a payment whose events were lost."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from shoal.cli.console import JsonOption, StageOption, operator, print_fields, print_json
from shoal.domain.money import decimal_amount

EVENTS = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
)
"""All that can change what a payment is worth."""

app = typer.Typer(help="Take payments with Stripe Checkout.", no_args_is_help=True)

PaymentArgument = Annotated[str, typer.Argument(metavar="PAYMENT", help="Payment intent, pi_…")]


@app.command("set-keys")
def set_keys(context: typer.Context, stage: StageOption = None) -> None:
    """Keep Stripe's API key and the signing secret of its webhook endpoint.

    They are asked for, or read from stdin, a line each: arguments would stay in the history. Functions use
    them within a minute; no deployment is needed. prod takes live keys only, every other stage test keys.
    """
    manage = operator(context, stage).stripe()
    api_key, webhook_secret = (_read(what) for what in ("API key", "Signing secret of the webhook"))
    manage.set_keys(api_key, webhook_secret)
    typer.echo(
        "Kept the keys of Stripe. Its webhook endpoint is POST /stripe/webhook of the API, for these events:"
    )
    for event in EVENTS:
        typer.echo(f"  {event}")


@app.command("remove-keys")
def remove_keys(context: typer.Context, stage: StageOption = None) -> None:
    """Take no more payments, and hear no more of those made."""
    operator(context, stage).stripe().remove_keys()
    typer.echo("Removed the keys of Stripe.")


@app.command()
def settle(
    context: typer.Context,
    payment_id: PaymentArgument,
    as_json: JsonOption = False,
    stage: StageOption = None,
) -> None:
    """Bring the wallet to what Stripe knows of a payment, as its events do. Again changes nothing."""
    settled = operator(context, stage).stripe().settle_payment(payment_id)
    payment = settled.payment
    fields = {
        "payment_id": payment.id,
        "account_id": payment.account_id,
        "asset": str(payment.asset),
        "bought": decimal_amount(payment.asset, payment.amount),
        "worth": decimal_amount(payment.asset, settled.worth),
    }
    if as_json:
        print_json(fields)
    else:
        print_fields(fields)


def _read(what: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    value: str = typer.prompt(what, hide_input=True)
    return value.strip()
