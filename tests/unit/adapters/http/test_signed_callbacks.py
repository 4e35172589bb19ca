"""Callbacks: addresses with a MAC, bodies signed as the specification's own package signs them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from shoal.adapters.http.callback_urls import MacCallbackUrls
from shoal.adapters.providers.kit import standard_webhooks
from shoal.adapters.providers.simulator.callbacks import SimulatorCallbacks
from shoal.domain.errors import CallbackRefused
from shoal.domain.routing import Phase, ProviderCall
from shoal.ports.routing import CalledBack
from tests.fakes import FakeClock
from tests.support.factories import ACCOUNT, JOB, a_job

SECRET = b"0123456789abcdef0123456789abcdef"
NOW_MS = FakeClock().ms
NOW_S = NOW_MS // 1000
BODY = b'{"ref":"sim_1"}'


def signed(
    body: bytes = BODY, secret: bytes = SECRET, at_s: int = NOW_S, message_id: str = "sim_1"
) -> dict[str, str]:
    return standard_webhooks.signed_headers(secret, message_id, at_s, body)


def refused(headers: dict[str, str], body: bytes = BODY, now_ms: int = NOW_MS) -> None:
    with pytest.raises(CallbackRefused):
        standard_webhooks.verify(SECRET, headers, body, now_ms)


def test_a_signature_is_the_one_the_specification_shows() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    headers = standard_webhooks.signed_headers(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(st.dictionaries(st.text(), st.integers()), st.text("abc_123", min_size=1))
def test_the_specifications_package_verifies_what_we_sign(content: dict[str, int], message_id: str) -> None:
    body = json.dumps(content).encode()
    with time_machine.travel(datetime.fromtimestamp(NOW_S, UTC), tick=False):
        Webhook(base64.b64encode(SECRET).decode()).verify(body, signed(body, message_id=message_id))


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text("abc_123", min_size=1))
def test_we_verify_what_the_specifications_package_signs(content: str, message_id: str) -> None:
    at = datetime.fromtimestamp(NOW_S, UTC)
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(NOW_S),
        "webhook-signature": Webhook(base64.b64encode(SECRET).decode()).sign(message_id, at, content),
    }

    standard_webhooks.verify(SECRET, headers, content.encode(), NOW_MS)


def test_one_good_signature_among_several_is_enough() -> None:
    headers = signed()
    headers["webhook-signature"] = f"v1,bm9uZQ== {headers['webhook-signature']} v1a,x"

    standard_webhooks.verify(SECRET, headers, BODY, NOW_MS)


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_a_body_changed_by_a_single_bit_is_refused(index: int, flip: int) -> None:
    changed = bytearray(BODY)
    changed[index] ^= flip

    refused(signed(), bytes(changed))


@pytest.mark.parametrize("change", ["webhook-id", "webhook-timestamp"])
def test_a_changed_header_is_refused(change: str) -> None:
    refused(signed() | {change: str(NOW_S + 1)})


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_refused(missing: str) -> None:
    refused({name: value for name, value in signed().items() if name != missing})


@pytest.mark.parametrize(
    "timestamp", ["", "now", "-1", "1.5", " 1", "1e9", "٣", "²", "9" * 13, "9" * 5_000, f"{NOW_S} "]
)
def test_a_malformed_timestamp_is_refused(timestamp: str) -> None:
    refused(signed() | {"webhook-timestamp": timestamp})


@pytest.mark.parametrize("off_s", [-301, 301, -86_400, 86_400])
def test_an_old_or_a_future_callback_is_refused(off_s: int) -> None:
    refused(signed(at_s=NOW_S + off_s))


@pytest.mark.parametrize("off_s", [-300, 0, 300])
def test_clocks_may_differ_by_five_minutes(off_s: int) -> None:
    standard_webhooks.verify(SECRET, signed(at_s=NOW_S + off_s), BODY, NOW_MS)


def test_another_key_is_refused() -> None:
    refused(signed(secret=b"another"))


@pytest.mark.parametrize("signature", ["", "v1", "v1,", "v2,{}", "{}x", "é", "\ud83d", "v1 {}"])
def test_a_malformed_signature_is_refused(signature: str) -> None:
    genuine = signed()["webhook-signature"]

    refused(signed() | {"webhook-signature": signature.format(genuine.removeprefix("v1,"))})


class Posts:
    """What would have been sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: Exception | None = None) -> None:
        self.sent: list[tuple[str, bytes, dict[str, str]]] = []
        self.error = error
        monkeypatch.setattr(requests, "post", self)

    def __call__(
        self, url: str, *, data: bytes, headers: dict[str, str], **options: Any
    ) -> requests.Response:
        assert options["timeout"]
        assert options["allow_redirects"] is False
        self.sent.append((url, data, headers))
        if self.error:
            raise self.error
        response = requests.Response()
        response.raw = io.BytesIO()
        return response


def the_callbacks(keyed_by: str = "secret") -> SimulatorCallbacks:
    return SimulatorCallbacks(lambda: keyed_by, FakeClock())


def test_what_the_simulator_sends_it_verifies_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    posts = Posts(monkeypatch)

    the_callbacks().send("https://api.test/callbacks/x", "sim_1")

    ((url, body, headers),) = posts.sent
    assert url == "https://api.test/callbacks/x"
    assert json.loads(body) == {"ref": "sim_1", "status": "succeeded"}
    assert headers["Content-Type"] == "application/json"
    assert the_callbacks().verify(headers, body, NOW_MS + 299_000) == "sim_1"


def test_a_stage_with_another_secret_refuses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    posts = Posts(monkeypatch)
    the_callbacks().send("https://api.test", "sim_1")
    ((_, body, headers),) = posts.sent

    with pytest.raises(CallbackRefused):
        the_callbacks("another secret").verify(headers, body, NOW_MS)
    with pytest.raises(CallbackRefused):
        the_callbacks().verify(headers, body + b" ", NOW_MS)
    with pytest.raises(CallbackRefused):
        the_callbacks().verify(headers, body, NOW_MS + 301_000)


def test_a_callback_that_cannot_be_posted_is_left_to_the_fallback_poll(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    posts = Posts(monkeypatch, requests.ConnectionError("refused"))

    the_callbacks().send("https://api.test", "sim_1")

    assert len(posts.sent) == 1


def test_the_simulators_key_is_not_the_stages_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    posts = Posts(monkeypatch)
    the_callbacks().send("https://api.test", "sim_1")
    ((_, body, headers),) = posts.sent

    with pytest.raises(CallbackRefused):
        standard_webhooks.verify(b"secret", headers, body, NOW_MS)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"7", b'"sim_1"', b"{", b"\xff", b"[" * 100_000])
def test_a_signed_body_that_is_no_callback_is_refused(body: bytes) -> None:
    key = hmac.new(b"secret", b"simulator", hashlib.sha256).digest()
    headers = standard_webhooks.signed_headers(key, "sim_1", NOW_S, body)

    with pytest.raises(CallbackRefused):
        the_callbacks().verify(headers, body, NOW_MS)


CALL = ProviderCall(2, "simulator/", Phase.ASKED)
URLS = MacCallbackUrls(lambda: "secret", "https://api.test/")


def address() -> tuple[str, str, str]:
    """Provider, job key and MAC of a genuine address."""
    url = URLS.url(a_job(), 3, CALL)
    assert url.startswith("https://api.test/callbacks/")
    provider, job_key, mac = url.split("/")[-3:]
    return provider, job_key, mac


def test_an_address_tells_whose_job_it_is_about() -> None:
    assert URLS.verify(*address()) == CalledBack(ACCOUNT, JOB, 3, 2)


def test_an_address_of_another_job_output_provider_or_stage_is_refused() -> None:
    provider, job_key, mac = address()
    other_job = URLS.url(a_job(id=JOB[:-1] + "C"), 3, CALL).split("/")[-2]
    other_output = URLS.url(a_job(), 2, CALL).split("/")[-2]
    other_call = URLS.url(a_job(), 3, replace(CALL, number=1)).split("/")[-2]
    foreign = MacCallbackUrls(lambda: "another secret", "https://api.test")

    for verify, changed in [
        (URLS.verify, ("other", job_key, mac)),
        (URLS.verify, (provider, other_job, mac)),
        (URLS.verify, (provider, other_output, mac)),
        (URLS.verify, (provider, other_call, mac)),
        (URLS.verify, (provider, job_key, mac[:-1] + ("0" if mac[-1] != "0" else "1"))),
        (URLS.verify, (provider, job_key, "")),
        (URLS.verify, (provider, job_key, "é")),
        (URLS.verify, (provider, job_key, "\ud800")),
        (URLS.verify, ("\ud800", job_key, mac)),
        (foreign.verify, (provider, job_key, mac)),
    ]:
        with pytest.raises(CallbackRefused):
            verify(*changed)


@pytest.mark.parametrize(
    "job_key",
    [
        "",
        ".",
        "acc_x.job_y",
        "acc_x.job_y.0",
        ACCOUNT,
        f"{ACCOUNT}.",
        f"{ACCOUNT}.{JOB}",
        f"{ACCOUNT}.{JOB}.",
        f"{ACCOUNT}.{JOB}.0",
        f"{ACCOUNT}.{JOB}.0.0",
        f"{ACCOUNT}.{JOB}.0.01",
        f"{ACCOUNT}.{JOB}.0.100",
        f"{ACCOUNT}.{JOB}.100.1",
        f"{ACCOUNT}.{JOB}.01.1",
        f"{ACCOUNT}.{JOB}.-1.1",
        f"{ACCOUNT}.{JOB}.٣.1",
        f"{ACCOUNT}.{JOB}.0.1\n",
        f"{JOB}.{ACCOUNT}.0.1",
        f"{JOB}.{JOB}.0.1",
    ],
)
def test_a_genuine_mac_over_something_else_is_refused(job_key: str) -> None:
    mac = hmac.new(b"secret", f"simulator\n{job_key}".encode(), hashlib.sha256).hexdigest()

    with pytest.raises(CallbackRefused):
        URLS.verify("simulator", job_key, mac)
