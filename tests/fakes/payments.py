"""The ports of payments in memory: Stripe by its books, and the ledger's records of payments."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shoal.domain.errors import CallbackRefused, IdempotencyKeyReused, NotFound, PaymentsOff
from shoal.domain.money import AMOUNT_MAX, Asset
from shoal.domain.payment import (
    Checkout,
    CheckoutPage,
    CheckoutState,
    Claim,
    ClaimKind,
    Payment,
    PaymentRecord,
)
from shoal.domain.wallet import Movement
from shoal.ports.payments import Order
from tests.fakes.network import Network, reached
from tests.fakes.stripe_books import Books, Json
from tests.fakes.tables import Tables

PAGE = "https://checkout.test"
SIGNED = {"stripe-signature": "genuine"}


@dataclass
class FakeProcessor:
    """Reads the books as the adapter reads Stripe's answers. `off`: the stage has no keys."""

    network: Network
    books: Books = field(default_factory=Books)
    off: bool = False
    opened: dict[tuple[str, str], tuple[Order, CheckoutPage]] = field(default_factory=dict)
    port: str = "processor"

    def ready(self) -> bool:
        return not self.off

    @reached
    def open(self, order: Order) -> CheckoutPage:
        self._check()
        known = order.account_id, order.key
        if known not in self.opened:
            self.opened[known] = order, self._opened(order)
        earlier, page = self.opened[known]
        if earlier != order:
            raise IdempotencyKeyReused.differs(order.key, earlier.purchase.told, order.purchase.told)
        return page

    def _opened(self, order: Order) -> CheckoutPage:
        bought: Any = order.purchase
        metadata = {"account": order.account_id, "asset": bought.asset, "amount": bought.amount}
        price = {"unit_amount": bought.price_cents, "currency": "usd"}
        session = self.books.open(
            {
                "mode": "payment",
                "line_items": [{"price_data": price, "quantity": 1}],
                "client_reference_id": order.account_id,
                "metadata": {},
                "payment_intent_data": {"metadata": metadata},
                "success_url": order.success_url,
                "cancel_url": order.cancel_url,
            },
            PAGE,
        )
        return CheckoutPage(session["id"], session["url"])

    @reached
    def checkout(self, checkout_id: str) -> Checkout:
        self._check()
        if checkout_id not in self.books.sessions:
            raise NotFound("There is no such checkout.")
        session = self.books.session(checkout_id)
        state = CheckoutState.PROCESSING if session["status"] == "complete" else session["status"]
        if session["payment_status"] == "paid":
            state = CheckoutState.PAID
        return Checkout(
            checkout_id, session["client_reference_id"], CheckoutState(state), session["payment_intent"]
        )

    @reached
    def payment(self, payment_id: str) -> Payment | None:
        self._check()
        found = self.books.payments.get(payment_id)
        if found is None or found["status"] != "succeeded" or not found["metadata"]:
            return None
        bought = found["metadata"]
        return Payment(
            payment_id, bought["account"], Asset(bought["asset"]), bought["amount"], found["amount"]
        )

    @reached
    def claims(self, payment_id: str) -> Sequence[Claim]:
        self._check()
        refunds = self.books.of_payment(self.books.refunds, payment_id)
        disputes = self.books.of_payment(self.books.disputes, payment_id)
        return [
            *(
                Claim(r["id"], ClaimKind.REFUND, 0 if r["status"] == "failed" else r["amount"])
                for r in refunds
            ),
            *(Claim(d["id"], ClaimKind.DISPUTE, _withdrawn(d)) for d in disputes),
        ]

    def payment_of_event(self, headers: Mapping[str, str], body: bytes) -> str | None:
        self._check()
        if headers.get("stripe-signature") != SIGNED["stripe-signature"]:
            raise CallbackRefused("forged")
        subject = json.loads(body)["data"]["object"]
        name = "id" if subject["object"] == "payment_intent" else "payment_intent"
        found: str | None = subject.get(name)
        return found

    def _check(self) -> None:
        if self.off:
            raise PaymentsOff


def _withdrawn(dispute: Json) -> int:
    kept: int = -sum(transaction["amount"] for transaction in dispute["balance_transactions"])
    return kept


@dataclass
class FakePayments:
    network: Network
    tables: Tables
    port: str = "payments"

    @reached
    def record(self, payment: Payment) -> PaymentRecord:
        return self.tables.payments.get(payment.id) or PaymentRecord(payment)

    @reached
    def settle(self, after: PaymentRecord, movements: Sequence[Movement]) -> bool:
        payment = after.payment
        stored = self.tables.payments.get(payment.id)
        if (stored.version if stored else 0) != after.version - 1:
            return False
        wallet_id = payment.account_id, payment.asset
        if wallet_id not in self.tables.wallets or self.tables.wallets[wallet_id].balance > AMOUNT_MAX:
            raise NotFound("No such wallet, or it is full.")
        for movement in movements:
            if movement.entry_id in self.tables.entries[wallet_id]:
                raise AssertionError("an entry was made twice")
            self.tables.move(movement.split_for(self.tables.wallets[wallet_id]))
        self.tables.payments[payment.id] = after
        return True


@dataclass
class FakeProcessorKeys:
    """`held` is what was set last."""

    held: tuple[str, str] | None = None

    def set(self, *, api_key: str, webhook_secret: str) -> None:
        self.held = api_key, webhook_secret

    def remove(self) -> None:
        self.held = None
