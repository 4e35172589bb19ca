"""A crash before and after every write and send of the pipeline: each event still arrives, with one id.

A scenario runs once undisturbed and tells how many calls it makes; then once more for each of them, with a
failure before the call, a failure after it took effect, and the call made twice by a client that lost the
first answer. Queues hand out again whatever failed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from shoal.domain.delivery import DeliveryStatus
from shoal.domain.errors import Unavailable
from shoal.domain.ids import derived_id
from shoal.domain.webhook import REQUESTED, Changes
from tests.fakes import Fault
from tests.support.factories import a_job
from tests.worlds.webhook_world import ACCOUNT, URL, WebhookWorld

LISTENER_URL = "https://listener.example.com/"
REQUESTED_URL = "https://requested.example.com/"


@dataclass(frozen=True)
class Scenario:
    """`prepare` happens before anything may fail; `check` holds at the end whatever has failed."""

    prepare: Callable[[WebhookWorld], None]
    check: Callable[[WebhookWorld], None]


def _two_events(webhooks: WebhookWorld) -> None:
    webhooks.subscribed("image.*")
    webhooks.endpoints.at(500, 503, 200)
    webhooks.event("image.completed")
    webhooks.event("image.failed")
    webhooks.event("task.completed")


def _two_events_arrived(webhooks: WebhookWorld) -> None:
    deliveries = list(webhooks.tables.deliveries.values())
    assert sorted(each.event_type for each in deliveries) == ["image.completed", "image.failed"]
    assert {each.status for each in deliveries} == {DeliveryStatus.DELIVERED}
    bodies = {sent.event_id: json.loads(sent.body) for sent in webhooks.endpoints.sent}
    assert {body["type"] for body in bodies.values()} == {"image.completed", "image.failed"}
    assert all(event_id == body["id"] for event_id, body in bodies.items())
    assert len({sent.body for sent in webhooks.endpoints.sent}) == 2


def _dead_endpoint(webhooks: WebhookWorld) -> None:
    webhooks.subscribed("image.*")
    webhooks.subscribed("webhook.disabled", url=LISTENER_URL)
    webhooks.endpoints.at(500)
    webhooks.event()


def _disabled_and_told(webhooks: WebhookWorld) -> None:
    dead, listener = sorted(webhooks.tables.subscriptions.values(), key=lambda each: each.url != URL)
    assert (dead.enabled, dead.announce_due, listener.enabled) == (False, False, True)
    assert len(webhooks.bus.ids("webhook.disabled")) == 1
    told = Counter(sent.event_id for sent in webhooks.endpoints.sent if sent.url == LISTENER_URL)
    assert list(told) == list(webhooks.bus.ids("webhook.disabled"))
    assert {each.status for each in webhooks.all_of(listener.id)} == {DeliveryStatus.DELIVERED}


def _gone_endpoint(webhooks: WebhookWorld) -> None:
    _dead_endpoint(webhooks)
    webhooks.endpoints.at(410)


def _requested(webhooks: WebhookWorld) -> None:
    job = a_job(
        id=derived_id("job", webhooks.clock.ms, "requested"),
        account_id=ACCOUNT,
        created_at_ms=webhooks.clock.ms,
        webhook_url=REQUESTED_URL,
    )
    webhooks.jobs.jobs[job.account_id, job.id] = job
    event = webhooks.event()
    event.detail["data"]["job_id"] = job.id
    webhooks.endpoints.at(500, 200, url=REQUESTED_URL)


def _requested_arrived(webhooks: WebhookWorld) -> None:
    (delivery,) = webhooks.all_of(REQUESTED)
    assert delivery.status is DeliveryStatus.DELIVERED
    assert {sent.event_id for sent in webhooks.endpoints.sent} == {delivery.event_id}
    assert len(webhooks.tables.account_secrets) == 1


def _missed_events(webhooks: WebhookWorld) -> None:
    webhook_id, _ = webhooks.subscribed("image.*")
    webhooks.manage.change(webhooks.caller(), webhook_id, Changes(enabled=False))
    for _ in range(3):
        webhooks.event()
    webhooks.run()
    webhooks.manage.change(webhooks.caller(), webhook_id, Changes(enabled=True))
    webhooks.clock.pass_seconds(1)
    webhooks.recover_since(webhooks.caller(), webhook_id, webhooks.clock.ms - 60_000)


def _all_recovered(webhooks: WebhookWorld) -> None:
    deliveries = webhooks.tables.deliveries.values()
    assert [each.status for each in deliveries] == [DeliveryStatus.DELIVERED] * 3
    assert {sent.event_id for sent in webhooks.endpoints.sent} == {each.event_id for each in deliveries}


SCENARIOS = {
    "two events, retried": Scenario(_two_events, _two_events_arrived),
    "an endpoint that stays dead": Scenario(_dead_endpoint, _disabled_and_told),
    "an endpoint that is gone": Scenario(_gone_endpoint, _disabled_and_told),
    "the address of a request": Scenario(_requested, _requested_arrived),
    "events missed while disabled": Scenario(_missed_events, _all_recovered),
}


def _prepared(scenario: Scenario, *, handed_out: int = 1) -> tuple[WebhookWorld, int]:
    """A world in which the scenario is about to run, and the number of the next call."""
    webhooks = WebhookWorld(handed_out=handed_out)
    scenario.prepare(webhooks)
    return webhooks, len(webhooks.network.calls)


def _calls(scenario: Scenario) -> Iterator[tuple[int, str]]:
    """The calls the scenario makes when nothing fails, by number and name."""
    webhooks, first = _prepared(scenario)
    webhooks.run()
    scenario.check(webhooks)
    yield from enumerate(webhooks.network.calls[first:], first)


@pytest.fixture(params=SCENARIOS)
def scenario(request: pytest.FixtureRequest) -> Scenario:
    return SCENARIOS[request.param]


@pytest.mark.parametrize("lost_reply", [False, True], ids=["before", "after"])
def test_every_event_arrives_with_one_id_whichever_call_fails(scenario: Scenario, lost_reply: bool) -> None:
    for number, name in _calls(scenario):
        webhooks, _ = _prepared(scenario)
        webhooks.network.faults.append(Fault(Unavailable(), index=number, lost_reply=lost_reply))
        webhooks.run()
        _check(scenario, webhooks, f"{name}, call {number}")


def test_every_event_arrives_with_one_id_whichever_call_is_made_twice(scenario: Scenario) -> None:
    for number, name in _calls(scenario):
        webhooks, _ = _prepared(scenario)
        webhooks.network.twice = number
        webhooks.run()
        _check(scenario, webhooks, f"{name}, call {number}")


def test_every_event_arrives_with_one_id_though_every_message_is_handed_out_twice(scenario: Scenario) -> None:
    webhooks, _ = _prepared(scenario, handed_out=2)

    webhooks.run()

    scenario.check(webhooks)


def _check(scenario: Scenario, webhooks: WebhookWorld, where: str) -> None:
    try:
        scenario.check(webhooks)
    except (AssertionError, ValueError) as error:
        raise AssertionError(f"not after a failure of {where}: {error}") from error
