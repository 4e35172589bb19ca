"""Addresses of private files in webhooks: signed again for every attempt that comes late."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shoal.domain.delivery import BODY_BYTES_MAX, delivery_of, fresh_body
from shoal.domain.events import Event, ending_events, scene_event
from shoal.domain.job import JobStatus, Output
from shoal.domain.video import Scene, final_key
from tests.support.factories import VIDEO, a_video
from tests.support.webhooks import assert_signed
from tests.worlds.webhook_world import WebhookWorld


@pytest.fixture
def webhooks() -> WebhookWorld:
    return WebhookWorld()


def video_event(webhooks: WebhookWorld, which: int, **changes: Any) -> Event:
    """An event of a video of one scene: `video.scene_ready` or `video.ready`."""
    now_ms = webhooks.clock.ms
    outputs = (Output(final_key(VIDEO), "video/mp4", 720, 1280, 99),)
    video = a_video(status=JobStatus.COMPLETED, outputs=outputs, closed_at_ms=now_ms, **changes)
    ready = scene_event(video, Scene(0, "A shark", "Sharks glow.", now_ms), webhooks.signed)
    event = [ready, ending_events(video, webhooks.signed)[0]][which]
    webhooks.queues.put(event)
    return event


@pytest.mark.parametrize("which", [0, 1], ids=["scene_ready", "ready"])
def test_every_retry_carries_addresses_of_private_files_signed_for_it(
    webhooks: WebhookWorld, which: int
) -> None:
    _, secret = webhooks.subscribed("video.*")
    webhooks.endpoints.at(500)
    event = video_event(webhooks, which)
    data = event.detail["data"]
    written = {name: url for name, url in data.items() if str(url).startswith("https://videos.test/")}

    webhooks.run()

    assert len(webhooks.endpoints.sent) == 7
    assert len(written) == [1, 3][which]
    for sent in webhooks.endpoints.sent:
        told = json.loads(sent.body)
        for name, url in written.items():
            assert told["data"].pop(name) == f"{url.partition('?')[0]}?signed={sent.at_ms}"
        assert told["data"] == {name: value for name, value in data.items() if name not in written}
        assert {told[name] for name in ("id", "type", "created_at")} == {
            event.detail[name] for name in ("id", "type", "created_at")
        }
        assert_signed(secret, sent.headers, sent.body, now_s=sent.at_ms / 1000)


def test_what_is_sent_again_by_hand_carries_addresses_signed_for_it(webhooks: WebhookWorld) -> None:
    webhook_id, _ = webhooks.subscribed("video.ready")
    webhooks.endpoints.at(200)
    video_event(webhooks, 1)
    webhooks.run()
    webhooks.clock.pass_seconds(9 * 24 * 3600)

    webhooks.resend(webhooks.caller(), webhook_id, webhooks.all_of(webhook_id)[0].id)
    webhooks.run()

    first, again = webhooks.endpoints.sent
    url = json.loads(again.body)["data"]["final_video_url"]
    assert url.endswith(f"/final.mp4?signed={again.at_ms}")
    assert first.event_id == again.event_id


def test_a_body_is_measured_in_the_letters_it_has(webhooks: WebhookWorld) -> None:
    event = video_event(webhooks, 1, metadata={"note": "🦈" * 4_000})
    (subscription,) = [webhooks.subscription(webhooks.subscribed("video.*")[0])]

    assert json.loads(delivery_of(event, subscription).body)["data"]["metadata"] == {"note": "🦈" * 4_000}


def test_a_body_with_newly_signed_addresses_stays_below_its_limit(webhooks: WebhookWorld) -> None:
    event = video_event(webhooks, 1, metadata={"note": "x" * 19_000})
    (subscription,) = [webhooks.subscription(webhooks.subscribed("video.*")[0])]
    delivery = delivery_of(event, subscription)
    assert json.loads(delivery.body)["data"]["metadata"]

    body = fresh_body(delivery, lambda key: f"https://videos.test/{key}?{'t' * 500}")

    assert len(body) < BODY_BYTES_MAX
    assert json.loads(body)["data"]["metadata"] is None
    assert json.loads(body)["data"]["poster_url"].endswith("t")
