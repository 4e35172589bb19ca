"""Builders of payments. Stripe's package is loaded when needed."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from shoal.composition import parts
from shoal.settings import StripeSettings

if TYPE_CHECKING:
    from shoal.adapters.dynamodb.table import Table
    from shoal.adapters.stripe.keys import StripeKeys
    from shoal.adapters.stripe.processor import StripeProcessor
    from shoal.use_cases.payments.confirm_checkout import ConfirmCheckout
    from shoal.use_cases.payments.create_checkout import CreateCheckout
    from shoal.use_cases.payments.manage_stripe import ManageStripe
    from shoal.use_cases.payments.receive_payment import ReceivePayment
    from shoal.use_cases.payments.settle_payment import SettlePayment

settings_of = parts.settings_of


@cache
def create_checkout(settings: StripeSettings) -> CreateCheckout:
    from shoal.use_cases.payments.create_checkout import CreateCheckout

    return CreateCheckout(_processor(settings))


@cache
def confirm_checkout(settings: StripeSettings) -> ConfirmCheckout:
    from shoal.use_cases.payments.confirm_checkout import ConfirmCheckout

    return ConfirmCheckout(_processor(settings), _settle(settings))


@cache
def receive_payment(settings: StripeSettings) -> ReceivePayment:
    from shoal.use_cases.payments.receive_payment import ReceivePayment

    return ReceivePayment(_processor(settings), _settle(settings))


def manage_stripe(
    stage: str, stripe_url: str, table: Table, secrets: Any, *, real_money: bool
) -> ManageStripe:
    """For the operator command, which brings its own table and client of Secrets Manager."""
    from shoal.use_cases.payments.manage_stripe import ManageStripe

    keys = _keys(secrets, stage)

    def settle() -> SettlePayment:
        from shoal.adapters.stripe.processor import StripeProcessor

        return _settle_over(table, StripeProcessor(keys, stage=stage, base_url=stripe_url))

    return ManageStripe(stage, real_money, keys, settle)


@cache
def _processor(settings: StripeSettings) -> StripeProcessor:
    from shoal.adapters.stripe.processor import StripeProcessor

    keys = _keys(parts.client("secretsmanager"), settings.stage)
    return StripeProcessor(keys, stage=settings.stage, base_url=settings.stripe_url)


def _keys(client: Any, stage: str) -> StripeKeys:
    from shoal.adapters.stripe.keys import StripeKeys

    return StripeKeys(client, stage, parts.clock)


def _settle(settings: StripeSettings) -> SettlePayment:
    return _settle_over(parts.table_named(settings.table), _processor(settings))


def _settle_over(table: Table, processor: StripeProcessor) -> SettlePayment:
    from shoal.adapters.dynamodb.payments import DynamoDbPayments
    from shoal.use_cases.payments.settle_payment import SettlePayment

    return SettlePayment(processor, DynamoDbPayments(table), parts.clock)
