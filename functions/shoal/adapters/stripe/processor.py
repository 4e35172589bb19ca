"""Payments through Stripe Checkout, by Stripe's own package: its client, its API version, its signature code.

Of an event only the payment's id is used. What became of the payment is then asked of Stripe: the answer does
not depend on the order of events, nor on the API version that their endpoint was created with.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from typing import Any

import stripe

from shoal.adapters.stripe.keys import StripeKeys
from shoal.domain.errors import CallbackRefused, IdempotencyKeyReused, NotFound, Unavailable
from shoal.domain.money import Asset
from shoal.domain.payment import Checkout, CheckoutPage, CheckoutState, Claim, ClaimKind, Payment
from shoal.domain.top_up import Purchase
from shoal.ports.payments import Order

CURRENCY = "usd"
CONNECT_S, READ_S = 2.0, 6.0
RETRIES = 1
NO_CHECKOUT = "There is no such checkout."
_CHECKOUT_ID = re.compile(r"cs_[A-Za-z0-9_]{1,200}")
"""Browsers bring it: nothing else may become a part of the address that is asked."""
PAGE = 100
"""The most that Stripe lists at once."""
LAPSED = ("failed", "canceled")
"""States of a refund that did not happen."""
LOOKED_THROUGH = 1_000
"""So many of the newest checkouts are looked through for the one that a key stands for."""
STAGE, ACCOUNT, ASSET, AMOUNT, PRICE, KEY = (
    f"shoal_{name}" for name in ("stage", "account", "asset", "amount", "price_cents", "key")
)
"""Metadata of a payment: several stages, and other shops, may share one account at Stripe."""


class StripeProcessor:
    """Implements the `Processor` port. `base_url` is the root of Stripe's API."""

    def __init__(self, keys: StripeKeys, *, stage: str, base_url: str) -> None:
        self._keys, self._stage, self._base_url = keys, stage, base_url

    def ready(self) -> bool:
        return self._keys.there()

    def open(self, order: Order) -> CheckoutPage:
        purchase = order.purchase
        metadata = {
            STAGE: self._stage,
            ACCOUNT: order.account_id,
            ASSET: str(purchase.asset),
            AMOUNT: str(purchase.amount),
            PRICE: str(purchase.price_cents),
            KEY: order.key,
        }
        with _translate_errors(), self._naming_both(order):
            session = self._client().v1.checkout.sessions.create(
                {
                    "mode": "payment",
                    "client_reference_id": order.account_id,
                    "line_items": [
                        {
                            "quantity": 1,
                            "price_data": {
                                "currency": CURRENCY,
                                "unit_amount": purchase.price_cents,
                                "product_data": {"name": purchase.title},
                            },
                        }
                    ],
                    "metadata": metadata,
                    "payment_intent_data": {"metadata": metadata, "description": purchase.title},
                    "success_url": order.success_url,
                    "cancel_url": order.cancel_url,
                },
                {"idempotency_key": f"{self._stage}:{order.account_id}:{order.key}"},
            )
        if session.url is None:
            raise ValueError(f"Stripe gave checkout {session.id} no page")
        return CheckoutPage(session.id, session.url)

    @contextmanager
    def _naming_both(self, order: Order) -> Iterator[None]:
        """Stripe tells that a key stands for something else, and not for what."""
        try:
            yield
        except stripe.IdempotencyError as error:
            whose = {STAGE: self._stage, ACCOUNT: order.account_id, KEY: order.key}
            newest = self._client().v1.checkout.sessions.list({"limit": PAGE}).auto_paging_iter()
            known = map(_metadata, islice(newest, LOOKED_THROUGH))
            bought = next((each for each in known if whose.items() <= each.items()), None)
            earlier = _purchase(bought).told if bought else "another purchase"
            raise IdempotencyKeyReused.differs(order.key, earlier, order.purchase.told) from error

    def checkout(self, checkout_id: str) -> Checkout:
        if not _CHECKOUT_ID.fullmatch(checkout_id):
            raise NotFound(NO_CHECKOUT)
        with _translate_errors():
            session = self._client().v1.checkout.sessions.retrieve(checkout_id)
        of_stage = _metadata(session).get(STAGE) == self._stage
        if not of_stage or session.client_reference_id is None:
            raise NotFound(NO_CHECKOUT)
        return Checkout(session.id, session.client_reference_id, _state(session), _id(session.payment_intent))

    def payment(self, payment_id: str) -> Payment | None:
        try:
            with _translate_errors():
                intent = self._client().v1.payment_intents.retrieve(payment_id)
        except NotFound:
            return None
        bought = _metadata(intent)
        if intent.status != "succeeded" or bought.get(STAGE) != self._stage:
            return None
        payment = Payment(
            intent.id, bought[ACCOUNT], Asset(bought[ASSET]), int(bought[AMOUNT]), int(bought[PRICE])
        )
        if (intent.amount_received, intent.currency) != (payment.price_cents, CURRENCY):
            received = f"{intent.amount_received} {intent.currency}"
            raise ValueError(f"payment {intent.id} is {received}, its price was {payment.price_cents} cents")
        return payment

    def claims(self, payment_id: str) -> Sequence[Claim]:
        client = self._client()
        with _translate_errors():
            refunds = client.v1.refunds.list({"payment_intent": payment_id, "limit": PAGE})
            disputes = client.v1.disputes.list({"payment_intent": payment_id, "limit": PAGE})
            return [
                *map(_refund, refunds.auto_paging_iter()),
                *map(_dispute, disputes.auto_paging_iter()),
            ]

    def payment_of_event(self, headers: Mapping[str, str], body: bytes) -> str | None:
        signature, secret = headers.get("stripe-signature"), self._keys().webhook_secret
        try:
            stripe.WebhookSignature.verify_header(
                body, signature, secret, tolerance=stripe.Webhook.DEFAULT_TOLERANCE
            )
            return _payment_of(json.loads(body)["data"]["object"])
        except (stripe.SignatureVerificationError, ValueError, LookupError, TypeError) as error:
            raise CallbackRefused(str(error)) from None

    def _client(self) -> stripe.StripeClient:
        return _client(self._keys().api_key, self._base_url)


@lru_cache(maxsize=1)
def _client(api_key: str, base_url: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        api_key,
        base_addresses={"api": base_url},
        http_client=stripe.RequestsClient(timeout=(CONNECT_S, READ_S)),
        max_network_retries=RETRIES,
    )


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Stripe's errors as ours. Others, such as a key it does not know, are for the operator to see."""
    try:
        yield
    except (stripe.APIConnectionError, stripe.RateLimitError, stripe.APIError) as error:
        raise Unavailable(retry_after_seconds=5) from error
    except stripe.InvalidRequestError as error:
        if error.code != "resource_missing":
            raise
        raise NotFound(NO_CHECKOUT) from error


def _metadata(of: Any) -> Mapping[str, str]:
    found: Mapping[str, str] = of.metadata.to_dict() if of.metadata else {}
    return found


def _purchase(bought: Mapping[str, str]) -> Purchase:
    return Purchase(Asset(bought[ASSET]), int(bought[AMOUNT]), int(bought[PRICE]))


def _state(session: Any) -> CheckoutState:
    if session.status == "complete":
        return CheckoutState.PAID if session.payment_status == "paid" else CheckoutState.PROCESSING
    return CheckoutState(session.status)


def _refund(refund: Any) -> Claim:
    return Claim(refund.id, ClaimKind.REFUND, 0 if refund.status in LAPSED else refund.amount)


def _dispute(dispute: Any) -> Claim:
    """Its balance transactions tell what was withdrawn and reinstated, in whatever currency we are paid."""
    moved = [transaction.amount for transaction in dispute.balance_transactions]
    withdrawn = -sum(amount for amount in moved if amount < 0)
    cents = dispute.amount * max(0, -sum(moved)) // withdrawn if withdrawn else 0
    return Claim(dispute.id, ClaimKind.DISPUTE, cents)


def _payment_of(subject: Mapping[str, Any]) -> str | None:
    """An event is about a payment, or about what names one: a checkout, a charge, a refund, a dispute."""
    if subject["object"] == "payment_intent":
        return _id(subject["id"])
    return _id(subject.get("payment_intent"))


def _id(named: Any) -> str | None:
    """The id of what Stripe names by it, or shows whole."""
    found = named.get("id") if isinstance(named, Mapping) else getattr(named, "id", named)
    return found if isinstance(found, str) else None
