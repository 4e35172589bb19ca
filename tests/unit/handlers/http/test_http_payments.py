"""POST /stripe/webhook: only genuine events count, and none of them twice."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest

from shoal.domain.errors import Unavailable
from tests.fakes.payments import SIGNED
from tests.support.api import Api, Response
from tests.worlds.payment_world import PaymentWorld
from tests.worlds.world import Customer

EVENT = "http_post_stripe_webhook"


@pytest.fixture
def till(api: Api) -> PaymentWorld:
    till = PaymentWorld(api.world)
    api.use_cases["receive_payment"] = lambda: till.receive_payment
    return till


def post(api: Api, event: Any, **headers: str | None) -> Response:
    dashed = SIGNED | {name.replace("_", "-"): value for name, value in headers.items()}
    return api.call(EVENT, body=json.dumps(event), headers=dashed)


def test_a_genuine_event_credits_the_wallet_once(
    api: Api, till: PaymentWorld, customer: Customer, logs: StringIO
) -> None:
    payment_id = till.pay(customer)

    answers = [post(api, event) for event in till.books.events * 2]

    assert {(answer.status, answer.text) for answer in answers} == {(200, '{"received": true}')}
    assert till.owned(customer) == (20_000_000, 0)
    assert payment_id in logs.getvalue()


def test_a_body_that_came_encoded_is_the_same_body(api: Api, till: PaymentWorld, customer: Customer) -> None:
    till.pay(customer)

    answer = api.call(EVENT, body=json.dumps(till.books.events[0]).encode(), headers=dict(SIGNED))

    assert answer.status == 200
    assert till.owned(customer) == (20_000_000, 0)


def test_an_event_about_nothing_of_ours_is_taken(api: Api, till: PaymentWorld) -> None:
    assert api.call(EVENT, headers=dict(SIGNED)).status == 200
    assert till.world.tables.payments == {}


@pytest.mark.parametrize("signature", [None, "", "t=1,v1=00"])
def test_a_forged_event_is_refused(
    api: Api, till: PaymentWorld, customer: Customer, signature: str | None
) -> None:
    till.pay(customer)

    answer = post(api, till.books.events[0], stripe_signature=signature)

    assert (answer.status, answer.error["code"]) == (401, "unauthorized")
    assert till.owned(customer) == (10_000_000, 0)


def test_what_cannot_be_settled_now_is_to_be_told_again(
    api: Api, till: PaymentWorld, customer: Customer
) -> None:
    till.pay(customer)
    api.world.network.fail("payments.settle", Unavailable(retry_after_seconds=1))

    answer = post(api, till.books.events[0])

    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")


def test_a_stage_without_keys_takes_no_events(api: Api, till: PaymentWorld) -> None:
    till.processor.off = True

    assert post(api, {}).status == 503
