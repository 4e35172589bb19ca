"""Replicate's own client against the fake Replicate: what it sends and accepts keeps the fake honest."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from replicate.client import Client
from replicate.exceptions import ModelError, ReplicateError
from replicate.webhook import InvalidSignatureError, Webhooks, WebhookSigningSecret

from tests.fakes.providers.replicate import MODEL, NSFW, VERSION, FakeReplicate, new_secret
from tests.fakes.providers.server import instead, telling

PROMPT = {"prompt": "a reef at dawn"}


@pytest.fixture
def fake() -> Iterator[FakeReplicate]:
    with FakeReplicate() as fake:
        yield fake
        assert fake.problems == []


@pytest.fixture
def sdk(fake: FakeReplicate, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setenv("REPLICATE_POLL_INTERVAL", "0.01")
    with opened(fake, "r8_test") as sdk:
        yield sdk


@contextmanager
def opened(fake: FakeReplicate, token: str) -> Iterator[Client]:
    """A client whose connections are closed in the end: it has no way of its own to do so."""
    sdk = Client(api_token=token, base_url=fake.url)
    with sdk._client:
        yield sdk


def test_it_runs_a_model(fake: FakeReplicate, sdk: Client) -> None:
    (prediction_output,) = sdk.run(MODEL, input=PROMPT)
    (made,) = fake.predictions.values()
    assert [prediction_output] == made["output"]
    assert fake.requests[0].headers["prefer"] == "wait"


def test_it_creates_reads_lists_and_cancels(fake: FakeReplicate, sdk: Client) -> None:
    fake.checks_until_done = 3
    prediction = sdk.predictions.create(
        version=VERSION,
        input=PROMPT,
        webhook="https://example.com/?job=1",
        webhook_events_filter=["completed"],
        wait=10,
    )
    assert prediction.status == "starting"
    assert sdk.predictions.get(prediction.id).status == "processing"
    assert [listed.id for listed in sdk.predictions.list()] == [prediction.id]
    assert sdk.predictions.cancel(prediction.id).status == "canceled"


def test_it_sees_failures(fake: FakeReplicate, sdk: Client) -> None:
    fake.ends = {"status": "failed", "error": NSFW}
    with pytest.raises(ModelError, match="NSFW"):
        sdk.run(MODEL, input=PROMPT)
    with pytest.raises(ReplicateError, match="status: 404"):
        sdk.models.predictions.create("nobody/nothing", input=PROMPT)
    with opened(fake, "r8_wrong") as denied, pytest.raises(ReplicateError, match="status: 401"):
        denied.predictions.get("a1")


def test_it_repeats_a_throttled_read(fake: FakeReplicate, sdk: Client) -> None:
    prediction = sdk.models.predictions.create(MODEL, input=PROMPT)
    fake.will(instead(telling({"detail": "Request was throttled."}, 429)))
    assert sdk.predictions.get(prediction.id).status == "succeeded"


def test_it_believes_the_fakes_webhooks(fake: FakeReplicate, sdk: Client) -> None:
    prediction = sdk.models.predictions.create(MODEL, input=PROMPT)
    headers, body = fake.callback(prediction.id, at_s=int(time.time()))
    secret = sdk.webhooks.default.secret()
    Webhooks.validate(headers=headers, body=body.decode(), secret=secret, tolerance=300)
    with pytest.raises(InvalidSignatureError):
        Webhooks.validate(headers=headers, body=body.decode(), secret=WebhookSigningSecret(key=new_secret()))
