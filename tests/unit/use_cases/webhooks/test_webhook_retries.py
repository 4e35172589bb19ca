"""The whole ladder of retries by a fake clock: when each comes, when they end, and what follows."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from shoal.domain.delivery import RETRY_DELAYS_S, DeliveryStatus
from shoal.domain.errors import ConnectionFailed, ExchangeTimedOut, TlsFailed
from shoal.domain.webhook import Changes, DisabledReason
from tests.support.webhooks import assert_signed
from tests.worlds.webhook_world import URL, Reply, WebhookWorld, answer

OTHER_URL = "https://other.example.com/"


@pytest.fixture
def webhooks() -> WebhookWorld:
    return WebhookWorld()


def pauses_s(webhooks: WebhookWorld, url: str = URL) -> list[float]:
    moments = [sent.at_ms for sent in webhooks.endpoints.sent if sent.url == url]
    return [(after - before) / 1000 for before, after in pairwise(moments)]


def test_a_dead_endpoint_is_tried_seven_times_with_the_documents_pauses_and_at_most_a_tenth_more(
    webhooks: WebhookWorld,
) -> None:
    webhook_id, secret = webhooks.subscribed("image.*")
    webhooks.endpoints.at(500)
    event = webhooks.event()

    webhooks.run()

    found = pauses_s(webhooks)
    assert len(found) == len(RETRY_DELAYS_S)
    for pause, planned in zip(found, RETRY_DELAYS_S, strict=True):
        assert planned <= pause <= planned * 1.1 + 1.1  # a queue delays by whole seconds
    assert {sent.event_id for sent in webhooks.endpoints.sent} == {event.detail["id"]}
    assert {sent.body for sent in webhooks.endpoints.sent} == {webhooks.endpoints.sent[0].body}
    for sent in webhooks.endpoints.sent:
        assert_signed(secret, sent.headers, sent.body, now_s=sent.at_ms / 1000)
    (delivery,) = webhooks.all_of(webhook_id)
    assert (delivery.status, delivery.next_attempt_at_ms) == (DeliveryStatus.FAILED, None)
    assert [attempt.status_code for attempt in delivery.attempts] == [500] * 7


def test_using_up_the_attempts_disables_the_subscription_and_says_so_once(webhooks: WebhookWorld) -> None:
    webhook_id, _ = webhooks.subscribed("image.*")
    webhooks.subscribed("webhook.disabled", url=OTHER_URL)
    webhooks.endpoints.at(500)
    webhooks.event()

    webhooks.run()

    subscription = webhooks.subscription(webhook_id)
    assert (subscription.enabled, subscription.disabled_reason) == (False, DisabledReason.FAILING)
    assert not subscription.announce_due
    assert webhooks.bus.types() == ["webhook.disabled"]
    (told,) = [sent for sent in webhooks.endpoints.sent if sent.url == OTHER_URL]
    assert json.loads(told.body)["data"]["webhook_id"] == webhook_id


def test_a_failure_then_a_success_delivers_with_one_id(webhooks: WebhookWorld) -> None:
    webhook_id, _ = webhooks.subscribed()
    webhooks.endpoints.at(500, 200)
    event = webhooks.event()

    webhooks.run()

    assert [sent.event_id for sent in webhooks.endpoints.sent] == [event.detail["id"]] * 2
    (delivery,) = webhooks.all_of(webhook_id)
    assert delivery.status is DeliveryStatus.DELIVERED
    assert webhooks.subscription(webhook_id).enabled


def test_a_success_of_another_event_meanwhile_keeps_the_subscription_enabled(webhooks: WebhookWorld) -> None:
    webhook_id, _ = webhooks.subscribed()
    webhooks.endpoints.at(500, 500, 500, 200, 500)
    webhooks.event()
    webhooks.run(until_ms=webhooks.clock.ms + 600_000)
    webhooks.event()

    webhooks.run()

    first, second = webhooks.all_of(webhook_id)
    assert (first.status, second.status) == (DeliveryStatus.FAILED, DeliveryStatus.DELIVERED)
    assert len(first.attempts) == 7
    assert webhooks.subscription(webhook_id).enabled
    assert webhooks.bus.types() == []


def test_410_disables_at_once(webhooks: WebhookWorld) -> None:
    webhook_id, _ = webhooks.subscribed()
    webhooks.endpoints.at(410)
    webhooks.event()

    webhooks.run()

    assert len(webhooks.endpoints.sent) == 1
    assert webhooks.subscription(webhook_id).disabled_reason is DisabledReason.GONE
    assert webhooks.bus.types() == ["webhook.disabled"]


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (301, "The endpoint answered 301; redirects are not followed."),
        (404, "The endpoint answered 404."),
        (503, "The endpoint answered 503."),
        (ExchangeTimedOut(10), "No complete answer within 10 s."),
        (ConnectionFailed("The connection was refused."), "The connection was refused."),
        (TlsFailed("The certificate does not hold: expired."), "The certificate does not hold: expired."),
    ],
    ids=lambda given: type(given).__name__ if isinstance(given, Exception) else str(given)[:3],
)
def test_anything_but_2xx_is_a_failure_told_in_plain_words(
    webhooks: WebhookWorld, reply: Reply, words: str
) -> None:
    webhook_id, _ = webhooks.subscribed()
    webhooks.endpoints.at(reply, 204)
    webhooks.event()

    webhooks.run()

    (delivery,) = webhooks.all_of(webhook_id)
    assert [attempt.error for attempt in delivery.attempts] == [words, None]
    assert delivery.status is DeliveryStatus.DELIVERED


@pytest.mark.parametrize(("asked", "least", "most"), [("1", 60, 67), ("90", 90, 91), ("100000", 120, 121)])
def test_retry_after_counts_between_the_planned_pause_and_twice_it(
    webhooks: WebhookWorld, asked: str, least: float, most: float
) -> None:
    webhooks.subscribed()
    webhooks.endpoints.at(answer(429, {"retry-after": asked}), 200)
    webhooks.event()

    webhooks.run()

    (pause,) = pauses_s(webhooks)
    assert least <= pause <= most + 1


@pytest.mark.parametrize("text", ["soon", "-5", "", "1e9", "²", "9" * 400, "Wed, 99 Foo 2026 99:99:99 GMT"])
def test_a_retry_after_that_says_nothing_loses_no_retry(webhooks: WebhookWorld, text: str) -> None:
    webhook_id, _ = webhooks.subscribed()
    webhooks.endpoints.at(answer(503, {"retry-after": text}), 200)
    webhooks.event()

    webhooks.run()

    assert webhooks.crashes == []
    assert [each.status for each in webhooks.all_of(webhook_id)] == [DeliveryStatus.DELIVERED]


def test_two_racing_failures_disable_once_and_notify_once(webhooks: WebhookWorld) -> None:
    webhook_id, _ = webhooks.subscribed("image.*")
    webhooks.endpoints.at(500)
    webhooks.event()
    webhooks.event()
    six_hours_short = webhooks.clock.ms + sum(RETRY_DELAYS_S[:-1]) * 1100
    webhooks.run(until_ms=six_hours_short)
    last = [message.content for message in webhooks.queues.waiting]
    assert [order.attempt for _, order in last] == [7, 7]
    webhooks.queues.waiting.clear()
    webhooks.clock.pass_seconds(RETRY_DELAYS_S[-1] * 1.2)
    (lane, one), (_, other) = last
    webhooks.network.before("subscriptions.disable", lambda: webhooks.lanes[lane](other))

    webhooks.lanes[lane](one)
    webhooks.run()

    assert all(len(each.attempts) == 7 for each in webhooks.all_of(webhook_id))
    assert not webhooks.subscription(webhook_id).enabled
    assert webhooks.bus.types() == ["webhook.disabled"]


def test_what_is_missed_while_disabled_is_kept_and_recovered_after_enabling(webhooks: WebhookWorld) -> None:
    webhook_id, _ = webhooks.subscribed()
    since_ms = webhooks.clock.ms
    webhooks.endpoints.at(410, 200)
    gone = webhooks.event()
    webhooks.run()
    missed = [webhooks.event() for _ in range(3)]
    webhooks.run()
    assert [each.status for each in webhooks.all_of(webhook_id)] == [DeliveryStatus.FAILED] * 4 + [
        DeliveryStatus.FAILED  # webhook.disabled itself is missed by the subscription it is about
    ]

    webhooks.manage.change(webhooks.caller(), webhook_id, Changes(enabled=True))
    webhooks.clock.pass_seconds(1)
    webhooks.recover_since(webhooks.caller(), webhook_id, since_ms)
    webhooks.run()

    assert {each.status for each in webhooks.all_of(webhook_id)} == {DeliveryStatus.DELIVERED}
    arrived = {sent.event_id for sent in webhooks.endpoints.sent[1:]}
    assert arrived >= {event.detail["id"] for event in (gone, *missed)}
