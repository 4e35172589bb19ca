"""Builders of payments. Stripe's package is loaded when needed."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from shoal.composition import parts
from shoal.composition.parts import HERE, Stage
from shoal.settings import OperatorSettings, ReceivePaymentSettings, StripeSettings

if TYPE_CHECKING:
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
def receive_payment() -> ReceivePayment:
    from shoal.use_cases.payments.receive_payment import ReceivePayment

    settings = settings_of(ReceivePaymentSettings)
    return ReceivePayment(_processor(settings), _settle(settings))


def manage_stripe(settings: OperatorSettings, at: Stage) -> ManageStripe:
    """For the operator's command."""
    from shoal.use_cases.payments.manage_stripe import ManageStripe

    real_money = settings.stage_kind == "prod"
    return ManageStripe(
        settings.stage,
        real_money,
        _keys(settings.stage, at, settings.key_arn),
        partial(_settle, settings, at),
    )


@cache
def _processor(settings: StripeSettings, at: Stage = HERE) -> StripeProcessor:
    from shoal.adapters.stripe.processor import StripeProcessor

    return StripeProcessor(_keys(settings.stage, at), stage=settings.stage, base_url=settings.stripe_url)


@cache
def _keys(stage: str, at: Stage, key_arn: str = "") -> StripeKeys:
    from shoal.adapters.stripe.keys import StripeKeys

    return StripeKeys(at.client("secretsmanager"), stage, parts.clock, key_arn=key_arn)


def _settle(settings: StripeSettings, at: Stage = HERE) -> SettlePayment:
    from shoal.adapters.dynamodb.payments import DynamoDbPayments
    from shoal.use_cases.payments.settle_payment import SettlePayment

    payments = DynamoDbPayments(parts.named_table(settings.table, at))
    return SettlePayment(_processor(settings, at), payments, parts.clock)
