"""Somebody buys on the deployed stack: a checkout by Stripe's package, paid at the fake Stripe's page."""

from __future__ import annotations

from dataclasses import dataclass

import requests

from infra.local.aws import STAGE
from shoal.adapters.stripe.keys import StripeKeys
from shoal.adapters.stripe.processor import StripeProcessor
from shoal.adapters.system import SystemClock
from shoal.domain.job import Closer, Output
from shoal.domain.payment import CheckoutPage
from shoal.domain.top_up import Purchase
from shoal.use_cases.payments.create_checkout import CreateCheckout
from tests.fakes.stripe import FakeStripe
from tests.fakes.stripe_books import Json
from tests.support.deployed import Customer, Deployed

POST_SECONDS_MAX = 30
SPENT_MICROS = 20_000
"""The catalog's price of a picture in mode 2k."""


@dataclass(frozen=True)
class Till:
    """The stage's checkouts, and the fake Stripe behind them."""

    deployed: Deployed
    stripe: FakeStripe

    def open(self, customer: Customer, purchase: Purchase, key: str = "key-1") -> CheckoutPage:
        """As the dashboard does."""
        keys = StripeKeys(self.deployed.cloud.client("secretsmanager"), STAGE, SystemClock())
        create = CreateCheckout(StripeProcessor(keys, stage=STAGE, base_url=self.stripe.url))
        urls = (f"{self.deployed.cloud.api_url}/healthz?checkout={{CHECKOUT_SESSION_ID}}", self.stripe.url)
        return create(customer.account_id, purchase, key, success_url=urls[0], cancel_url=urls[1])

    def pay(self, page: CheckoutPage) -> str:
        """As the payer's browser does. Returns the payment's id."""
        answer = requests.post(page.url, allow_redirects=False, timeout=POST_SECONDS_MAX)
        assert (answer.status_code, answer.headers["Location"]) == (
            303,
            f"{self.deployed.cloud.api_url}/healthz?checkout={page.id}",
        )
        payment_id: str = self.stripe.books.sessions[page.id]["payment_intent"]
        return payment_id

    def events_of(self, payment_id: str) -> list[Json]:
        """Every event about a payment, oldest first."""
        return [event for event in self.stripe.books.events if payment_id in str(event["data"])]

    def spend(self, customer: Customer) -> None:
        """A picture is delivered and paid for, without waiting for one to be drawn."""
        ledger, job = self.deployed.ledger, self.deployed.accept(customer, mode="2k")
        output = Output(f"images/{job.id}/0.png", "image/png", width_px=1, height_px=1, size_bytes=1)
        assert ledger.capture(job, [output], None, Closer.WORKFLOW, job.created_at_ms).cost == SPENT_MICROS

    def tell(self, *events: Json) -> None:
        """Stripe posts these events; the stage takes each."""
        for event in events:
            assert self.stripe.post(event).status_code == 200
