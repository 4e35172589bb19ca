"""What earlier versions put on the bus, into the queues of deliveries and into schedules is taken today."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import pytest
from jsonschema import Draft4Validator

from infra.documents.bus_resources import bus_schemas
from shoal.composition.webhooks import Delivering, FanningOut
from shoal.domain.delivery import Delivery, DeliveryStatus, Order
from shoal.domain.events import private_files
from shoal.domain.ids import moment_of
from shoal.domain.webhook import EVENT_TYPES, REQUESTED, AccountSecret, Secrets, Subscription
from shoal.handlers.consumers.attempts import Attempts
from shoal.ports.webhooks import Lane, RecoverOrder
from shoal.use_cases.webhooks.recover_deliveries import RecoverDeliveries
from tests.fixtures.files import Json, load, versions
from tests.support.contract import closed, contract
from tests.support.events import batch
from tests.support.handlers import given
from tests.worlds.webhook_world import URL, WebhookWorld

ORDERS = {
    "deliver_webhook.subscribed": (Lane.QUICK, 1, 1),
    "retry_webhook.subscribed": (Lane.CAREFUL, 1, 1),
    "retry_webhook.subscribed.retry": (Lane.CAREFUL, 1, 2),
    "retry_webhook.requested": (Lane.CAREFUL, 1, 1),
    "retry_webhook.requested.retry": (Lane.CAREFUL, 1, 2),
    "retry_webhook.of_another_run": (Lane.CAREFUL, 2, 1),
    "retry_webhook.put_off": (Lane.CAREFUL, 1, 1),
}
"""The lane, the run and the attempt of each recorded order."""


@pytest.fixture(params=versions())
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def hooks() -> WebhookWorld:
    return WebhookWorld()


class NoQueue:
    """A lane's queue with nothing else in it."""

    def take(self, _: int) -> list[Any]:
        return []

    def finish(self, taken: object) -> None:
        """Nothing was taken."""


class Hurried:
    """A Lambda's context with no time to take further orders."""

    def get_remaining_time_in_millis(self) -> int:
        return 0


def subscribed(hooks: WebhookWorld, account_id: str, webhook_id: str, *events: str) -> None:
    """A good subscription with these ids, and the account's own secret."""
    sealed = Secrets(hooks.manage.secret_box.seal(hooks.secret(), account_id, webhook_id))
    now_ms = hooks.clock.ms
    if webhook_id == REQUESTED:
        hooks.tables.account_secrets[account_id, False] = AccountSecret(account_id, sealed, now_ms, now_ms)
        return
    subscription = Subscription(
        webhook_id, account_id, "mine", URL, events or ("*",), sealed, now_ms, now_ms, good=True
    )
    hooks.tables.subscriptions[webhook_id] = subscription


def delivery_for(hooks: WebhookWorld, order: Json) -> Delivery:
    """What the order is about, as far as it was when the order was sent."""
    account_id, webhook_id = order["account_id"], order["webhook_id"]
    subscribed(hooks, account_id, webhook_id)
    event = hooks.event(account_id=account_id)
    delivery = Delivery(
        id=order["delivery_id"],
        account_id=account_id,
        webhook_id=webhook_id,
        event_id=event.detail["id"],
        event_type=event.type,
        event_at_ms=moment_of(event.detail["id"]),
        body=json.dumps({name: event.detail[name] for name in ("id", "type", "created_at", "data")}),
        url=URL if webhook_id == REQUESTED else None,
        run=order["run"],
        attempts_in_run=order["attempt"] - 1,
    )
    hooks.tables.deliveries[delivery.id] = delivery
    return delivery


def see_to(hooks: WebhookWorld, lane: Lane, order: Json) -> Any:
    """What the lane's function says of a batch with this order in it."""
    handler = Attempts(lambda: Delivering(hooks.lanes[lane], NoQueue()))
    return handler(batch("sqs_poll_queue", [order]), Hurried())


def fan_out(hooks: WebhookWorld, recover: Callable[[RecoverOrder], int], message: Json) -> Any:
    """What the function says of a batch with this message in it."""
    use_cases = FanningOut(hooks.fan_out, lambda: cast(RecoverDeliveries, recover))
    return given("fan_out_event", use_cases)(batch("sqs_poll_queue", [message]), None)


@pytest.mark.parametrize("name", ORDERS)
def test_a_recorded_order_is_delivered(hooks: WebhookWorld, version: str, name: str) -> None:
    lane, run, attempt = ORDERS[name]
    order = load(version, "messages")[name]
    assert (order["run"], order["attempt"]) == (run, attempt)
    delivery = delivery_for(hooks, order)

    assert see_to(hooks, lane, order) == {"batchItemFailures": []}

    (sent,) = hooks.endpoints.sent
    assert (sent.url, sent.event_id) == (URL, delivery.event_id)
    delivered = hooks.tables.deliveries[delivery.id]
    assert (delivered.status, delivered.attempts_in_run) == (DeliveryStatus.DELIVERED, attempt)


def test_every_recorded_message_is_taken_by_a_test(version: str) -> None:
    closed_executions = {
        f"close_execution.{machine}.aborted" for machine in ("generate", "generate_batch", "render_video")
    }
    of_events = {f"fan_out_event.{kind}" for kind in ("event", "recover", "recover_further")}
    polls = {"poll_provider.again", "poll_provider.once"}
    assert set(load(version, "messages")) == set(ORDERS) | closed_executions | of_events | polls


SINCE_0_1 = {
    "schema_version": "1.0.0",
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
    "files": {},
}
"""What the details of events got after 0.1: a replay of older ones has none of it."""


def test_an_order_that_waited_remembers_how_often(version: str) -> None:
    assert Order(**load(version, "messages")["retry_webhook.put_off"]).waits == 1


def test_a_recorded_schedule_puts_an_order_that_is_delivered(hooks: WebhookWorld, version: str) -> None:
    schedule = load(version, "schedules")["retry"]
    order, delivery = schedule["Input"], delivery_for(hooks, schedule["Input"])

    assert see_to(hooks, Lane.CAREFUL, order) == {"batchItemFailures": []}

    assert schedule["Name"] == f"{delivery.id}.1.4"
    assert hooks.tables.deliveries[delivery.id].status is DeliveryStatus.DELIVERED
    assert schedule["GroupName"] == "shoal-local-retries"


def test_recorded_events_are_what_subscribers_are_promised(version: str) -> None:
    schemas, events = bus_schemas(), load(version, "events")
    for name, event in events.items():
        validator = Draft4Validator(closed(schemas[event["detail-type"]]))
        as_now = event | {"detail": SINCE_0_1 | event["detail"]}
        assert [error.message for error in validator.iter_errors(as_now)] == [], name


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_a_recorded_event_becomes_a_delivery(hooks: WebhookWorld, version: str, event_type: str) -> None:
    event = load(version, "events")[event_type]
    account_id, webhook_id = event["detail"]["account_id"], f"wh_{'0' * 26}"
    subscribed(hooks, account_id, webhook_id, event_type)

    answer = fan_out(hooks, lambda _: 0, event)

    assert answer == {"batchItemFailures": []}
    (delivery,) = hooks.tables.deliveries.values()
    assert (delivery.event_id, delivery.event_type) == (event["detail"]["id"], event_type)
    assert delivery.event_at_ms == moment_of(event["detail"]["id"])
    sent = json.loads(delivery.body)
    assert sent["data"] == event["detail"]["data"]
    contract().check_event(sent)


def test_the_recorded_message_of_an_event_is_the_event(version: str) -> None:
    message = load(version, "messages")["fan_out_event.event"]
    assert message.keys() == load(version, "events")["image.completed"].keys()
    assert message["detail-type"] in EVENT_TYPES


@pytest.mark.parametrize("kind", ["recover", "recover_further"])
def test_a_recorded_order_to_recover_is_read(hooks: WebhookWorld, version: str, kind: str) -> None:
    message, seen = load(version, "messages")[f"fan_out_event.{kind}"], list[RecoverOrder]()

    def recover(order: RecoverOrder) -> int:
        seen.append(order)
        return 0

    assert fan_out(hooks, recover, message) == {"batchItemFailures": []}

    (order,) = seen
    recorded = message["recover"]
    assert order == RecoverOrder(
        account_id=recorded["account_id"],
        webhook_id=recorded["webhook_id"],
        since_ms=recorded["since_ms"],
        until_ms=recorded["until_ms"],
        left={"recover": 10_000, "recover_further": 9_900}[kind],
        cursor=recorded["cursor"],
    )
    assert (order.cursor is None) == (kind == "recover")
    assert order.until_ms > order.since_ms


def test_the_files_a_recorded_video_has_left_are_where_they_are_looked_for(version: str) -> None:
    events = load(version, "events")
    ready = private_files("video.ready", events["video.ready"]["detail"]["data"])
    folder = events["video.ready"]["detail"]["data"]["video_id"]
    left = {key.partition("/")[2].partition("/")[2] for key in load(version, "objects")["video"]}
    found = {key.partition(f"{folder}/")[2] for key in ready.values()}
    scene = private_files("video.scene_ready", events["video.scene_ready"]["detail"]["data"] | {"index": 1})
    assert found | {scene["clip_url"].partition("/")[2].partition("/")[2], "scenes/0.mp4"} == left
