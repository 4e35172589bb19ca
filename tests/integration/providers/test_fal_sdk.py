"""fal's own client against the fake fal: what it sends and accepts keeps the fake honest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import fal_client
import fal_client.client
import pytest
from fal_client import Completed, FalClientHTTPError, InProgress, Queued, SyncClient

from tests.fakes.providers.fal import CLIP_MODEL, MODEL, FakeFal, model_error
from tests.fakes.providers.server import instead, telling

PROMPT = {"prompt": "a reef at dawn"}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeFal]:
    with FakeFal() as fake:
        monkeypatch.setattr(fal_client.client, "QUEUE_URL_FORMAT", f"{fake.url}/")
        yield fake
        assert fake.problems == []


@pytest.fixture
def sdk() -> Iterator[SyncClient]:
    with opened("id-1:secret-1") as sdk:
        yield sdk


@contextmanager
def opened(key: str) -> Iterator[SyncClient]:
    """A client whose connections are closed in the end: it has no way of its own to do so."""
    sdk = SyncClient(key=key)
    with sdk._client:
        yield sdk


def test_it_submits_asks_and_gets(fake: FakeFal, sdk: SyncClient) -> None:
    handle = sdk.submit(MODEL, PROMPT, webhook_url="https://example.com/?job=1", priority="low")
    assert isinstance(handle.status(), Queued)
    assert isinstance(handle.status(with_logs=True), InProgress)
    done = handle.status()
    assert isinstance(done, Completed)
    assert done.error is None
    assert handle.get()["images"][0]["url"] == f"{fake.url}/files/a.png"
    assert list(fake.submitted.values()) == ["https://example.com/?job=1"]


def test_it_asks_by_the_id_alone(fake: FakeFal, sdk: SyncClient) -> None:
    fake.states, fake.result = ("COMPLETED",), telling(fake.clip())
    handle = sdk.submit(CLIP_MODEL, PROMPT)
    assert isinstance(sdk.status(CLIP_MODEL, handle.request_id), Completed)
    assert "video" in sdk.result(CLIP_MODEL, handle.request_id)


def test_it_cancels(fake: FakeFal, sdk: SyncClient) -> None:
    handle = sdk.submit(MODEL, PROMPT)
    handle.cancel()
    done = handle.status()
    assert isinstance(done, Completed)
    assert done.error_type == "client_cancelled"
    with pytest.raises(FalClientHTTPError):
        handle.cancel()


def test_it_sees_failures(fake: FakeFal, sdk: SyncClient) -> None:
    fake.states = ("COMPLETED",)
    fake.result = model_error("prompt", "flagged", "content_policy_violation")
    with pytest.raises(FalClientHTTPError) as caught:
        sdk.submit(MODEL, PROMPT).get()
    assert caught.value.status_code == 422
    with pytest.raises(FalClientHTTPError, match="not found"):
        sdk.submit("nobody/nothing", PROMPT)
    with opened("id-1:wrong") as denied, pytest.raises(FalClientHTTPError, match="Authentication"):
        denied.submit(MODEL, PROMPT)


def test_it_repeats_a_throttled_submit(fake: FakeFal, sdk: SyncClient) -> None:
    fake.will(instead(telling({"detail": "queue is full"}, 429)))
    assert sdk.submit(MODEL, PROMPT).request_id in fake.submitted
