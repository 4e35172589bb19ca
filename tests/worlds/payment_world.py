"""Payments over a world of fakes: somebody buys, Stripe's events arrive, the wallet moves."""

from __future__ import annotations

import json

from shoal.domain.catalog import load_catalog
from shoal.domain.payment import PaymentRecord
from shoal.domain.top_up import Purchase
from shoal.use_cases.payments.confirm_checkout import ConfirmCheckout
from shoal.use_cases.payments.create_checkout import CreateCheckout
from shoal.use_cases.payments.receive_payment import ReceivePayment
from shoal.use_cases.payments.settle_payment import SettlePayment
from tests.fakes.payments import SIGNED, FakePayments, FakeProcessor
from tests.fakes.stripe_books import Books, Json
from tests.worlds.world import Customer, World

CENT = 10_000
"""In micro-dollars."""
TEN = 1_000 * CENT
"""Ten dollars, likewise: what a checkout is about, unless told."""
URLS = {
    "success_url": "https://api.test/wallet?checkout={CHECKOUT_SESSION_ID}",
    "cancel_url": "https://api.test/",
}


class PaymentWorld:
    """The use cases of payments over the fakes of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.processor = FakeProcessor(world.network)
        self.payments = FakePayments(world.network, world.tables)
        self.settle = SettlePayment(self.processor, self.payments, world.clock)
        self.create_checkout = CreateCheckout(self.processor)
        self.confirm_checkout = ConfirmCheckout(self.processor, self.settle)
        self.receive_payment = ReceivePayment(self.processor, self.settle)

    @property
    def books(self) -> Books:
        return self.processor.books

    def open(self, customer: Customer, purchase: Purchase | None = None, key: str = "key-1") -> str:
        """A checkout's id; of ten dollars, unless told."""
        bought = purchase or load_catalog().top_up.dollars(1_000)
        return self.create_checkout(customer.account_id, bought, key, **URLS).id

    def pay(self, customer: Customer, purchase: Purchase | None = None) -> str:
        """A payment's id, of which nobody has told us yet."""
        return self.books.pay(self.open(customer, purchase))

    def tell(self, event: Json) -> PaymentRecord | None:
        """Stripe posts an event."""
        return self.receive_payment(SIGNED, json.dumps(event).encode())

    def tell_all(self) -> None:
        """Every event so far."""
        for event in self.books.events:
            self.tell(event)

    def owned(self, customer: Customer) -> tuple[int, int]:
        """Balance and debt of the wallet."""
        wallet = self.world.wallet(customer)
        return wallet.balance, wallet.owed
