"""OpenAI's webhooks: what a genuine one brings about, and that no other brings about anything."""

from __future__ import annotations

import pytest

from shoal.adapters.providers.openai.http import OpenAiHttp
from shoal.adapters.providers.openai.images import OpenAiBackground
from shoal.domain.errors import CallbackRefused
from shoal.domain.provider import Pending
from shoal.domain.webhook_signature import standard_signature
from tests.fakes.providers.openai import FakeOpenAi
from tests.support.providers import NOW_MS, NOW_S


def background(fake: FakeOpenAi) -> OpenAiBackground:
    http = OpenAiHttp(lambda: fake.key, fake.base_url)
    return OpenAiBackground(http, writer_model="gpt-6-luna", webhook_secret=lambda: fake.webhook_secret)


@pytest.mark.parametrize("kind", ["completed", "failed", "incomplete", "cancelled"])
def test_an_event_asks_for_a_look_now(openai: FakeOpenAi, kind: str) -> None:
    headers, body = openai.event("resp_1", at_s=NOW_S, kind=f"response.{kind}")
    assert background(openai).parse_callback(headers, body, NOW_MS) == Pending("resp_1", 0)
    assert background(openai).parse_callback(headers, body, NOW_MS) == Pending("resp_1", 0)
    assert openai.requests == []


def test_a_genuine_event_about_something_else_names_nothing(openai: FakeOpenAi) -> None:
    for ref, kind in (("batch_1", "batch.completed"), ("resp_1/../x", "response.completed")):
        headers, body = openai.event(ref, at_s=NOW_S, kind=kind)
        assert background(openai).parse_callback(headers, body, NOW_MS) == Pending(None, 0)


def test_forged_old_and_broken_events_are_refused(openai: FakeOpenAi) -> None:
    headers, body = openai.event("resp_1", at_s=NOW_S)
    forged = openai.event("resp_1", at_s=NOW_S, secret="whsec_c3RyYW5nZXI=")
    refused = [
        (headers, body.replace(b"resp_1", b"resp_2"), NOW_MS),
        (headers | {"webhook-id": "evt_2"}, body, NOW_MS),
        (headers | {"webhook-timestamp": str(NOW_S + 1)}, body, NOW_MS),
        (headers, body, NOW_MS + 301_000),
        (headers, body, NOW_MS - 301_000),
        (*forged, NOW_MS),
        ({}, body, NOW_MS),
    ]
    for case in refused:
        with pytest.raises(CallbackRefused):
            background(openai).parse_callback(*case)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_%%%"])
def test_without_a_secret_nothing_is_believed(openai: FakeOpenAi, secret: str) -> None:
    _, body = openai.event("resp_1", at_s=NOW_S)
    signature = standard_signature(b"", "evt_1", str(NOW_S), body)
    forged = {"webhook-id": "evt_1", "webhook-timestamp": str(NOW_S), "webhook-signature": signature}
    openai.webhook_secret = secret
    with pytest.raises(CallbackRefused):
        background(openai).parse_callback(forged, body, NOW_MS)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"type":1}', b"\xff"])
def test_a_signed_body_that_is_no_event_is_refused(openai: FakeOpenAi, body: bytes) -> None:
    headers, _ = openai.event("resp_1", at_s=NOW_S)
    key = b"openai's own signing key"
    signature = standard_signature(key, "evt_1", str(NOW_S), body)
    with pytest.raises(CallbackRefused):
        background(openai).parse_callback(headers | {"webhook-signature": signature}, body, NOW_MS)
