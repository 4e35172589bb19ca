"""Stripe's own package against the fake Stripe, and against everything that can go wrong with it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import stripe as package

from shoal.adapters.stripe.keys import StripeKeys
from shoal.adapters.stripe.processor import StripeProcessor
from shoal.domain.catalog import load_catalog
from shoal.domain.errors import CallbackRefused, IdempotencyKeyReused, NotFound, Unavailable
from shoal.domain.money import Asset
from shoal.domain.payment import Checkout, CheckoutState, Claim, ClaimKind, Payment
from shoal.ports.payments import Order
from tests.fakes import FakeClock
from tests.fakes.stripe import API_KEY, WEBHOOK_SECRET, FakeStripe, signed
from tests.fakes.stripe_books import DISPUTE_FEE
from tests.fakes.stripe_requests import Refused

TOP_UP = load_catalog().top_up
ORDER = Order(
    "acc_1",
    TOP_UP.pack(10),
    "key-1",
    "https://api.test/wallet?checkout={CHECKOUT_SESSION_ID}",
    "https://api.test/wallet",
)
BUSY = Refused(503, type="api_error", message="down")


class SecretsOf:
    """A Secrets Manager with one secret."""

    def __init__(self, **keys: str) -> None:
        self.text = json.dumps(keys)

    def get_secret_value(self, **_: Any) -> dict[str, str]:
        return {"SecretString": self.text}


def processor_at(stripe: FakeStripe, *, api_key: str = API_KEY, stage: str = "local") -> StripeProcessor:
    client: Any = SecretsOf(api_key=api_key, webhook_secret=WEBHOOK_SECRET)
    return StripeProcessor(StripeKeys(client, stage, FakeClock()), stage=stage, base_url=stripe.url)


@pytest.fixture
def stripe() -> Iterator[FakeStripe]:
    with FakeStripe() as server:
        yield server
        assert server.problems == []


@pytest.fixture
def processor(stripe: FakeStripe) -> StripeProcessor:
    return processor_at(stripe)


def test_a_checkout_is_opened_paid_and_read(stripe: FakeStripe, processor: StripeProcessor) -> None:
    page = processor.open(ORDER)
    assert page.url == f"{stripe.url}/pay/{page.id}"
    assert processor.checkout(page.id) == Checkout(page.id, "acc_1", CheckoutState.OPEN, None)

    payment_id = stripe.pay(page.id)

    assert processor.checkout(page.id) == Checkout(page.id, "acc_1", CheckoutState.PAID, payment_id)
    assert processor.payment(payment_id) == Payment(payment_id, "acc_1", Asset.CREDIT, 10, 1_000)
    assert processor.claims(payment_id) == []


def test_the_same_order_is_opened_once(stripe: FakeStripe, processor: StripeProcessor) -> None:
    assert processor.open(ORDER) == processor.open(ORDER)
    other = processor.open(replace(ORDER, account_id="acc_2", purchase=TOP_UP.pack(50)))
    with stripe.expects("idempotency_error"), pytest.raises(IdempotencyKeyReused) as refused:
        processor.open(replace(ORDER, purchase=TOP_UP.dollars(1_000)))

    both = {"earlier": "10 credits for $10.00", "this": "$10.00 for $10.00"}
    assert refused.value.details == {"idempotency_key": "key-1", **both}
    assert all(each in refused.value.message for each in both.values())
    assert len(stripe.books.sessions) == 2
    assert other.id in stripe.books.sessions


def test_a_payment_counts_when_the_bank_has_paid(stripe: FakeStripe, processor: StripeProcessor) -> None:
    session_id = processor.open(ORDER).id
    payment_id = stripe.books.pay(session_id, settled=False)
    assert processor.checkout(session_id).state is CheckoutState.PROCESSING
    assert processor.payment(payment_id) is None

    stripe.books.arrive(session_id)

    assert processor.payment(payment_id) is not None
    assert processor.checkout(session_id).state is CheckoutState.PAID


def test_a_checkout_expires(stripe: FakeStripe, processor: StripeProcessor) -> None:
    session_id = processor.open(ORDER).id
    stripe.books.expire(session_id)

    assert processor.checkout(session_id).state is CheckoutState.EXPIRED


def test_another_sum_than_the_price_is_an_error(stripe: FakeStripe, processor: StripeProcessor) -> None:
    payment_id = stripe.pay(processor.open(ORDER).id)
    for change in ({"amount_received": 999}, {"amount_received": 1_000, "currency": "eur"}):
        stripe.books.payments[payment_id].update(change)
        with pytest.raises(ValueError, match="its price was 1000 cents"):
            processor.payment(payment_id)


def test_payments_of_others_are_none_of_ours(stripe: FakeStripe, processor: StripeProcessor) -> None:
    page = processor_at(stripe, stage="prod").open(ORDER)
    payment_id = stripe.pay(page.id)
    assert processor.payment(payment_id) is None
    with pytest.raises(NotFound):
        processor.checkout(page.id)

    stripe.books.payments[payment_id]["metadata"] = {}

    assert processor.payment(payment_id) is None
    with stripe.expects("resource_missing"):
        assert processor.payment("pi_of_nobody") is None
    with stripe.expects("resource_missing"), pytest.raises(NotFound):
        processor.checkout("cs_of_nobody")


def test_claims_are_what_is_kept_from_us(stripe: FakeStripe, processor: StripeProcessor) -> None:
    payment_id = stripe.pay(processor.open(ORDER).id)
    refunds = [stripe.books.refund(payment_id, 10, status=status) for status in ("succeeded", "pending")]
    failed = stripe.books.refund(payment_id, 10, status="pending")
    stripe.books.fail_refund(failed)
    asked = stripe.books.dispute(payment_id, 100, inquiry=True)
    taken, won, half = (stripe.books.dispute(payment_id, 100) for _ in range(3))
    stripe.books.win(won)
    stripe.books.win(half, 60)

    claims = {claim.id: claim for claim in processor.claims(payment_id)}

    refunded = {each: Claim(each, ClaimKind.REFUND, 10) for each in refunds}
    kept = {asked: 0, taken: 100, won: 0, half: 40}
    disputed = {each: Claim(each, ClaimKind.DISPUTE, cents) for each, cents in kept.items()}
    assert claims == refunded | disputed | {failed: Claim(failed, ClaimKind.REFUND, 0)}


def test_a_dispute_counts_in_the_payments_currency(stripe: FakeStripe, processor: StripeProcessor) -> None:
    payment_id = stripe.pay(processor.open(ORDER).id)
    dispute_id = stripe.books.dispute(payment_id, 1_000)
    (withdrawal,) = stripe.books.disputes[dispute_id]["balance_transactions"]
    withdrawal.update(currency="eur", amount=-923, net=-923 - DISPUTE_FEE)

    assert processor.claims(payment_id) == [Claim(dispute_id, ClaimKind.DISPUTE, 1_000)]


def test_many_refunds_are_read_to_the_end(stripe: FakeStripe, processor: StripeProcessor) -> None:
    payment_id = stripe.pay(processor.open(ORDER).id)
    refunds = {stripe.books.refund(payment_id, 1) for _ in range(205)}

    assert {claim.id for claim in processor.claims(payment_id)} == refunds


@pytest.mark.parametrize("checkout_id", ["", ".", "..", "pi_1", "cs_1/line_items", "cs_" + "x" * 300])
def test_what_can_be_no_checkout_is_not_asked_for(processor: StripeProcessor, checkout_id: str) -> None:
    with pytest.raises(NotFound):
        processor.checkout(checkout_id)


@pytest.mark.parametrize(
    "fault", [BUSY, Refused(429, type="invalid_request_error", code="rate_limit", message="slow down"), None]
)
def test_what_passes_by_itself_is_left_for_later(
    stripe: FakeStripe, processor: StripeProcessor, fault: Refused | None
) -> None:
    stripe.will(fault, fault)
    with pytest.raises(Unavailable):
        processor.checkout("cs_1")

    stripe.heal()
    assert processor.open(ORDER).id in stripe.books.sessions


@pytest.mark.parametrize("fault", [BUSY, None])
def test_an_order_whose_answer_is_lost_is_made_again_and_opened_once(
    stripe: FakeStripe, processor: StripeProcessor, fault: Refused | None
) -> None:
    stripe.will(fault)

    assert processor.open(ORDER).id in stripe.books.sessions
    assert len(stripe.books.sessions) == 1


def test_a_key_that_stripe_does_not_know_is_for_the_operator_to_see(stripe: FakeStripe) -> None:
    with stripe.expects("Invalid API Key"), pytest.raises(package.AuthenticationError):
        processor_at(stripe, api_key="sk_test_other").open(ORDER)


def test_events_name_their_payment(stripe: FakeStripe, processor: StripeProcessor) -> None:
    payment_id = stripe.pay(processor.open(ORDER).id)
    stripe.books.refund(payment_id, 100)
    stripe.books.dispute(payment_id, 100)

    for event in stripe.books.events:
        body = json.dumps(event)
        headers = {"stripe-signature": signed(body, WEBHOOK_SECRET)}
        assert processor.payment_of_event(headers, body.encode()) == payment_id


@pytest.mark.parametrize(
    ("subject", "payment_id"),
    [
        ({"object": "charge", "payment_intent": {"id": "pi_1", "object": "payment_intent"}}, "pi_1"),
        ({"object": "charge", "payment_intent": None}, None),
        ({"object": "customer", "id": "cus_1"}, None),
        ({"object": "payment_intent", "id": 7}, None),
    ],
)
def test_other_events_name_none(
    processor: StripeProcessor, subject: dict[str, Any], payment_id: str | None
) -> None:
    body = json.dumps({"object": "event", "data": {"object": subject}})

    found = processor.payment_of_event({"stripe-signature": signed(body, WEBHOOK_SECRET)}, body.encode())

    assert found == payment_id


def test_the_package_signs_as_the_fake_does() -> None:
    ours = signed("{}", WEBHOOK_SECRET, 1_800_000_000)

    header = package.WebhookSignature.generate_signature_header("{}", WEBHOOK_SECRET, 1_800_000_000)
    assert header == ours


ABOUT_A_LIST = '{"data": {"object": []}}'
GENUINE = '{"data": {"object": {"object": "payment_intent", "id": "pi_1"}}}'


FORGED: dict[str, tuple[Callable[[], str | None], str]] = {
    "without a signature": (lambda: None, GENUINE),
    "empty": (lambda: "", GENUINE),
    "nonsense": (lambda: "nonsense", GENUINE),
    "of 1970": (lambda: "t=1,v1=00", GENUINE),
    "without a time": (lambda: "t=soon,v1=00", GENUINE),
    "by another secret": (lambda: signed(GENUINE, "whsec_other"), GENUINE),
    "too old": (lambda: signed(GENUINE, WEBHOOK_SECRET, int(time.time()) - 400), GENUINE),
    "of another scheme": (lambda: signed(GENUINE, WEBHOOK_SECRET).replace("v1=", "v0="), GENUINE),
    "of another body": (lambda: signed(GENUINE, WEBHOOK_SECRET), GENUINE + " "),
    "a list": (lambda: signed("[]", WEBHOOK_SECRET), "[]"),
    "without data": (lambda: signed("{}", WEBHOOK_SECRET), "{}"),
    "broken off": (lambda: signed("{", WEBHOOK_SECRET), "{"),
    "without a body": (lambda: signed("", WEBHOOK_SECRET), ""),
    "about a list": (lambda: signed(ABOUT_A_LIST, WEBHOOK_SECRET), ABOUT_A_LIST),
}
"""Signatures are made when the test runs: they are good for five minutes."""


@pytest.mark.parametrize(("header", "body"), FORGED.values(), ids=FORGED)
def test_an_event_that_is_not_genuine_is_refused(
    processor: StripeProcessor, header: Callable[[], str | None], body: str
) -> None:
    signature = header()
    headers = {} if signature is None else {"stripe-signature": signature}

    with pytest.raises(CallbackRefused):
        processor.payment_of_event(headers, body.encode())


def test_bytes_that_are_no_text_are_refused(processor: StripeProcessor) -> None:
    with pytest.raises(CallbackRefused):
        processor.payment_of_event({"stripe-signature": "t=1,v1=00"}, b"\xff\xfe")
