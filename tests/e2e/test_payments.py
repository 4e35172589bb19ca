"""A top-up on the deployed stack: paid once, told often, refunded, disputed; and forged."""

from __future__ import annotations

import json
import time

import pytest
import requests

from shoal.domain.catalog import load_catalog
from shoal.domain.money import Asset
from tests.fakes.stripe import WEBHOOK_SECRET, FakeStripe, signed
from tests.support.deployed import Customer, Deployed
from tests.support.payments import SPENT_MICROS, Till

TOP_UP = load_catalog().top_up


@pytest.fixture
def till(deployed: Deployed, stripe: FakeStripe) -> Till:
    return Till(deployed, stripe)


@pytest.fixture
def poor(deployed: Deployed) -> Customer:
    return deployed.customer(usd="0")


def kinds(deployed: Deployed, customer: Customer) -> list[str]:
    """The kinds of the wallet's entries but the first, which opened it."""
    pages = deployed.table.query(
        KeyConditionExpression="pk = :pk AND begins_with(sk, :entry)",
        values={":pk": f"WALLET#{customer.account_id}#usd", ":entry": "ENTRY#"},
    )
    made = [item["kind"] for items, _ in pages for item in items]
    made.remove("top_up")
    return sorted(made)


def test_a_top_up_is_credited_once_and_its_refund_debited_once(
    till: Till, deployed: Deployed, poor: Customer
) -> None:
    page = till.open(poor, TOP_UP.dollars(1_000))
    assert till.open(poor, TOP_UP.dollars(1_000)) == page, "a form that is sent twice"
    payment_id = till.pay(page)
    assert poor.client.wallet()["balance"] == "$10.00"

    till.tell(*till.events_of(payment_id)[::-1] * 2)
    assert poor.client.wallet()["balance"] == "$10.00"

    till.stripe.books.refund(payment_id, 250)
    till.tell(*till.events_of(payment_id)[::-1] * 2)

    assert poor.client.wallet()["available"] == "$7.50"
    assert kinds(deployed, poor) == ["refund", "top_up"]


def test_a_refund_that_is_told_before_its_payment(till: Till, deployed: Deployed, poor: Customer) -> None:
    page = till.open(poor, TOP_UP.dollars(1_000))
    payment_id = till.stripe.books.pay(page.id)
    till.stripe.books.refund(payment_id, 1_000)

    till.tell(*till.events_of(payment_id)[::-1])

    assert deployed.wallet(poor).balance == 0
    assert kinds(deployed, poor) == ["refund", "top_up"]


def test_what_was_spent_is_owed_and_paid_by_the_next_top_up(
    till: Till, deployed: Deployed, poor: Customer
) -> None:
    payment_id = till.pay(till.open(poor, TOP_UP.dollars(1_000)))
    till.spend(poor)
    dispute_id = till.stripe.books.dispute(payment_id, 1_000)
    till.tell(*till.events_of(payment_id))
    assert (deployed.wallet(poor).balance, deployed.wallet(poor).owed) == (0, SPENT_MICROS)
    assert poor.client.wallet()["available"] == "$0.00"

    till.pay(till.open(poor, TOP_UP.dollars(2_500), key="key-2"))
    assert poor.client.wallet()["balance"] == "$24.98"
    till.stripe.books.win(dispute_id)
    till.tell(*till.events_of(payment_id))

    assert poor.client.wallet()["balance"] == "$34.98"
    assert deployed.wallet(poor).owed == 0


def test_a_pack_is_credits(till: Till, deployed: Deployed, poor: Customer) -> None:
    till.pay(till.open(poor, TOP_UP.pack(50)))

    assert deployed.wallet(poor, Asset.CREDIT).balance == 50


def test_a_forged_event_is_refused(till: Till, deployed: Deployed, poor: Customer) -> None:
    page = till.open(poor, TOP_UP.dollars(1_000))
    payment_id = till.stripe.books.pay(page.id)
    body = json.dumps(till.events_of(payment_id)[0])
    now_s = int(time.time())
    forged = ["", "t=1", signed(body, "whsec_other"), signed(body, WEBHOOK_SECRET, now_s - 400)]
    forged.append(signed(body + " ", WEBHOOK_SECRET))

    answers = [
        requests.post(till.stripe.endpoint, body, headers={"Stripe-Signature": each}, timeout=30)
        for each in forged
    ]

    assert [answer.status_code for answer in answers] == [401] * len(forged)
    assert len({answer.json()["error"]["message"] for answer in answers}) == 1
    assert deployed.wallet(poor).balance == 0
