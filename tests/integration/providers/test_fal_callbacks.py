"""fal's webhooks, as its adapter believes or refuses them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from nacl.signing import SigningKey

from shoal.adapters.providers.fal.images import Fal
from shoal.domain.errors import CallbackRefused, Unavailable
from shoal.domain.provider import Done, Pending
from tests.fakes.providers.fal import MODEL, FakeFal
from tests.fakes.providers.server import Told, garbage, instead, telling
from tests.support.providers import NOW_MS, NOW_S, asking
from tests.support.receiver import Receiver

ID = "024ca5b1-45d3-4afd-883e-ad3abe2a1c4d"
PREFIX = "x-fal-webhook-"


@pytest.fixture
def fake() -> Iterator[FakeFal]:
    with FakeFal() as fake:
        yield fake
        assert fake.problems == []


@pytest.fixture
def fal(fake: FakeFal) -> Fal:
    return Fal(lambda: "id-1:secret-1", fake.url, f"{fake.url}/.well-known/jwks.json")


def key_sets_fetched(fake: FakeFal) -> int:
    return [asked.path for asked in fake.requests].count("/.well-known/jwks.json")


def test_a_genuine_callback_names_the_work(fake: FakeFal, fal: Fal) -> None:
    callback = fake.callback(ID, at_s=NOW_S)
    assert fal.parse_callback(*callback, NOW_MS) == Pending(ID, 0)
    assert fal.parse_callback(*callback, NOW_MS) == Pending(ID, 0), "a repeated one says no more"
    assert key_sets_fetched(fake) == 1
    assert "authorization" not in fake.requests[0].headers, "the key set is public"


def test_every_published_key_is_tried(fake: FakeFal, fal: Fal) -> None:
    fake.signing_keys += [SigningKey.generate(), SigningKey.generate()]
    for key in fake.signing_keys:
        assert fal.parse_callback(*fake.callback(ID, at_s=NOW_S, key=key), NOW_MS) == Pending(ID, 0)
    assert key_sets_fetched(fake) == 1


@pytest.mark.parametrize("age_s", [-301, 301, 86_400])
def test_an_old_or_early_callback_is_refused(fake: FakeFal, fal: Fal, age_s: int) -> None:
    with pytest.raises(CallbackRefused, match="too old or too new"):
        fal.parse_callback(*fake.callback(ID, at_s=NOW_S - age_s), NOW_MS)


@pytest.mark.parametrize("age_s", [-300, 300])
def test_five_minutes_are_allowed(fake: FakeFal, fal: Fal, age_s: int) -> None:
    assert fal.parse_callback(*fake.callback(ID, at_s=NOW_S - age_s), NOW_MS) == Pending(ID, 0)


def test_a_forged_callback_is_refused(fake: FakeFal, fal: Fal) -> None:
    headers, body = fake.callback(ID, at_s=NOW_S)
    for tried in (
        fake.callback(ID, at_s=NOW_S, key=SigningKey.generate()),
        ({}, body),
        (headers, body + b" "),
        (headers | {f"{PREFIX}request-id": "other"}, body),
        (headers | {f"{PREFIX}user-id": "other"}, body),
        (headers | {f"{PREFIX}timestamp": str(NOW_S + 1)}, body),
        (headers | {f"{PREFIX}timestamp": "soon"}, body),
        (headers | {f"{PREFIX}signature": "00" * 64}, body),
        (headers | {f"{PREFIX}signature": headers[f"{PREFIX}signature"][2:]}, body),
        (headers | {f"{PREFIX}signature": "no hex"}, body),
    ):
        with pytest.raises(CallbackRefused):
            fal.parse_callback(*tried, NOW_MS)


def test_a_callback_about_nothing_is_refused(fake: FakeFal, fal: Fal) -> None:
    for name in ("", "../../secrets", "https://elsewhere.example"):
        headers, body = fake.callback(name or "-", at_s=NOW_S)
        with pytest.raises(CallbackRefused):
            fal.parse_callback(headers, body, NOW_MS)


def test_rotated_keys_are_fetched_but_not_for_every_forgery(fake: FakeFal, fal: Fal) -> None:
    fal.parse_callback(*fake.callback(ID, at_s=NOW_S), NOW_MS)
    fake.signing_keys = [SigningKey.generate()]
    rotated = fake.callback(ID, at_s=NOW_S)
    for _ in range(3):
        with pytest.raises(CallbackRefused):
            fal.parse_callback(*rotated, NOW_MS)
    assert fal.parse_callback(*rotated, NOW_MS + 60_000) == Pending(ID, 0)
    assert key_sets_fetched(fake) == 2


def test_keys_are_trusted_for_an_hour(fake: FakeFal, fal: Fal) -> None:
    old = fake.signing_keys[0]
    fal.parse_callback(*fake.callback(ID, at_s=NOW_S), NOW_MS)
    fake.signing_keys = [SigningKey.generate()]
    within_s, after_s = NOW_S + 3599, NOW_S + 3600
    assert fal.parse_callback(*fake.callback(ID, at_s=within_s, key=old), within_s * 1000) == Pending(ID, 0)
    with pytest.raises(CallbackRefused):
        fal.parse_callback(*fake.callback(ID, at_s=after_s, key=old), after_s * 1000)


@pytest.mark.parametrize(
    "answer",
    [
        telling({"detail": "oops"}, 500),
        telling({}),
        telling({"keys": "none"}),
        telling({"keys": [{"kty": "RSA"}, {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}, 7]}),
    ],
)
def test_without_keys_nothing_is_believed(fake: FakeFal, fal: Fal, answer: Told) -> None:
    fake.will(instead(answer))
    with pytest.raises(Unavailable):
        fal.parse_callback(*fake.callback(ID, at_s=NOW_S), NOW_MS)


def test_a_key_set_that_is_garbage_is_fetched_again(fake: FakeFal, fal: Fal) -> None:
    fake.will(garbage())
    callback = fake.callback(ID, at_s=NOW_S)
    with pytest.raises(Unavailable):
        fal.parse_callback(*callback, NOW_MS)
    assert fal.parse_callback(*callback, NOW_MS) == Pending(ID, 0)


def test_the_fake_calls_back_by_itself() -> None:
    with FakeFal(calls_back=True) as fake, Receiver() as receiver:
        fal = Fal(lambda: "id-1:secret-1", fake.url, f"{fake.url}/.well-known/jwks.json")
        request = asking(provider_model=MODEL, callback_url=receiver.url("/callback"))
        fal.start(request)
        (received,) = receiver.wait_for(1)
        heard = fal.parse_callback(received.headers, received.body, int(time.time() * 1000))
        assert isinstance(heard, Pending)
        assert isinstance(fal.check(str(heard.ref), request), Done)
