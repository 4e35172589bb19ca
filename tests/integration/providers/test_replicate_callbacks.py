"""Replicate's webhooks, as its adapter believes or refuses them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from shoal.adapters.providers.replicate import Replicate
from shoal.domain.errors import CallbackRefused, Unavailable
from shoal.domain.provider import Done, Pending
from tests.fakes.providers.replicate import MODEL, FakeReplicate, new_secret, problem
from tests.fakes.providers.server import instead, telling
from tests.support.providers import NOW_MS, NOW_S, asking
from tests.support.receiver import Receiver

SECRET_PATH = "/v1/webhooks/default/secret"


@pytest.fixture
def fake() -> Iterator[FakeReplicate]:
    with FakeReplicate() as fake:
        yield fake
        assert fake.problems == []


@pytest.fixture
def replicate(fake: FakeReplicate) -> Replicate:
    return Replicate(lambda: "r8_test", fake.url)


def begun(replicate: Replicate) -> str:
    """The reference of a prediction that has begun."""
    answer = replicate.start(asking(provider_model=MODEL))
    assert isinstance(answer, Pending)
    assert answer.ref
    return answer.ref


def test_a_genuine_callback_names_the_work(fake: FakeReplicate, replicate: Replicate) -> None:
    ref = begun(replicate)
    headers, body = fake.callback(ref, at_s=NOW_S)
    assert replicate.parse_callback(headers, body, NOW_MS) == Pending(ref, 0)
    assert replicate.parse_callback(headers, body, NOW_MS) == Pending(ref, 0), "a repeated one says no more"
    assert [asked.path for asked in fake.requests].count(SECRET_PATH) == 1


@pytest.mark.parametrize("age_s", [-301, 301, 86_400])
def test_an_old_or_early_callback_is_refused(fake: FakeReplicate, replicate: Replicate, age_s: int) -> None:
    headers, body = fake.callback(begun(replicate), at_s=NOW_S - age_s)
    with pytest.raises(CallbackRefused, match="too old or too new"):
        replicate.parse_callback(headers, body, NOW_MS)


def test_a_forged_callback_is_refused(fake: FakeReplicate, replicate: Replicate) -> None:
    ref = begun(replicate)
    headers, body = fake.callback(ref, at_s=NOW_S)
    forged = fake.callback(ref, at_s=NOW_S, secret=new_secret())
    for tried in (
        forged,
        ({}, body),
        (headers, body + b" "),
        (headers | {"webhook-id": "msg_other"}, body),
        (headers | {"webhook-timestamp": str(NOW_S + 1)}, body),
        (headers | {"webhook-signature": "v1,"}, body),
    ):
        with pytest.raises(CallbackRefused):
            replicate.parse_callback(*tried, NOW_MS)


def test_a_callback_about_nothing_is_refused(fake: FakeReplicate, replicate: Replicate) -> None:
    fake.predictions["../secret"] = {"id": "../secret"}
    headers, body = fake.callback("../secret", at_s=NOW_S)
    with pytest.raises(CallbackRefused, match="no prediction"):
        replicate.parse_callback(headers, body, NOW_MS)


def test_a_rotated_secret_is_fetched_but_not_for_every_forgery(
    fake: FakeReplicate, replicate: Replicate
) -> None:
    ref = begun(replicate)
    replicate.parse_callback(*fake.callback(ref, at_s=NOW_S), NOW_MS)
    fake.secret = new_secret()
    rotated = fake.callback(ref, at_s=NOW_S)
    for _ in range(3):
        with pytest.raises(CallbackRefused):
            replicate.parse_callback(*rotated, NOW_MS)
    assert replicate.parse_callback(*rotated, NOW_MS + 60_000) == Pending(ref, 0)
    assert [asked.path for asked in fake.requests].count(SECRET_PATH) == 2


@pytest.mark.parametrize(
    "answer", [problem(500, "oops"), telling({"key": "whsec_"}), telling({"key": "whsec_?"}), telling({})]
)
def test_without_a_secret_nothing_is_believed(fake: FakeReplicate, replicate: Replicate, answer: Any) -> None:
    headers, body = fake.callback(begun(replicate), at_s=NOW_S)
    fake.will(instead(answer, "/secret"))
    with pytest.raises(Unavailable):
        replicate.parse_callback(headers, body, NOW_MS)


def test_the_fake_calls_back_by_itself() -> None:
    with FakeReplicate(calls_back=True) as fake, Receiver() as receiver:
        replicate = Replicate(lambda: "r8_test", fake.url)
        request = asking(provider_model=MODEL, callback_url=receiver.url("/callback"))
        replicate.start(request)
        (received,) = receiver.wait_for(1)
        heard = replicate.parse_callback(received.headers, received.body, int(time.time() * 1000))
        assert isinstance(heard, Pending)
        assert isinstance(replicate.check(str(heard.ref), request), Done)
