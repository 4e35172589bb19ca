"""Webhooks while odd things happen: odd answers, changes at the wrong moment, writes that half succeed."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from shoal.adapters.dynamodb.deliveries import DynamoDbDeliveries, _item
from shoal.adapters.dynamodb.table import Table
from shoal.adapters.dynamodb.values import marshal
from shoal.adapters.dynamodb.webhooks import DynamoDbSubscriptions, _subscription_item
from shoal.composition.webhooks import Delivering
from shoal.dialects import webhooks as dialect
from shoal.domain.addresses import Response
from shoal.domain.delivery import RUNS_MAX, Delivery, DeliveryStatus, Order, attempt_of, delivery_of
from shoal.domain.errors import RateLimited, Unavailable, ValidationFailed
from shoal.domain.ids import derived_id
from shoal.domain.webhook import REQUESTED, Changes, DisabledReason, Secrets, Subscription, disabled_event
from shoal.domain.webhook_samples import sample_event
from shoal.handlers.consumers.attempts import Attempts
from shoal.ports.webhooks import LEASE_MS, RecoverOrder
from shoal.use_cases.webhooks.deliver_webhook import Done, Outcome, Prepared
from shoal.use_cases.webhooks.manage_deliveries import RECOVERIES_MAX
from tests.worlds.webhook_world import ACCOUNT, URL, WebhookWorld, answer

NOW_MS = 1_800_000_000_000
ELSEWHERE = "https://new.example.com/"
ITEM_BYTES_MAX = 400 * 1024
ANSWER_BYTES_MAX = 6 * 1024 * 1024


@pytest.fixture
def webhooks() -> WebhookWorld:
    return WebhookWorld()


def a_subscription(**changes: Any) -> Subscription:
    fields: dict[str, Any] = {
        "id": derived_id("wh", NOW_MS, "0"),
        "account_id": ACCOUNT,
        "name": "n8n production",
        "url": URL,
        "events": ("*",),
        "secrets": Secrets("sealed"),
        "created_at_ms": NOW_MS,
        "updated_at_ms": NOW_MS,
        "cleared_at_ms": NOW_MS,
    }
    return Subscription(**fields | changes)


def a_delivery(webhook: Subscription | None = None) -> Delivery:
    event = sample_event("image.completed", derived_id("evt", NOW_MS, "1"), ACCOUNT, NOW_MS)
    return delivery_of(event, webhook or a_subscription())


@pytest.mark.parametrize("status", [500, 200, 410])
@pytest.mark.parametrize(
    "retry_after", ["Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "Mon, 01 Jan 2029 00:00:00 +9999999999"]
)
def test_a_retry_after_that_no_clock_knows_does_not_keep_an_attempt_from_being_recorded(
    webhooks: WebhookWorld, status: int, retry_after: str
) -> None:
    webhook_id, _ = webhooks.subscribed()
    webhooks.endpoints.at(answer(status, {"retry-after": retry_after}))
    webhooks.event()

    webhooks.run(until_ms=webhooks.clock.ms + 30_000)

    assert [len(each.attempts) for each in webhooks.all_of(webhook_id) if each.event_type[:5] == "image"] == [
        1
    ]
    assert webhooks.crashes == []


def test_a_410_of_the_old_address_does_not_disable_the_new_one(webhooks: WebhookWorld) -> None:
    webhook_id, _ = webhooks.subscribed("image.*")
    webhooks.endpoints.at(410)
    webhooks.event()

    def move() -> None:
        webhooks.clock.pass_seconds(1)
        webhooks.manage.change(webhooks.caller(), webhook_id, Changes(url=ELSEWHERE))

    webhooks.network.before("http.post", move)
    webhooks.run()

    webhook = webhooks.subscription(webhook_id)
    assert (webhook.url, webhook.enabled) == (ELSEWHERE, True)


class LostAnswer:
    """A DynamoDB client with one item. The answer to an update is lost, and the client repeats it."""

    def __init__(self, subscription: Subscription, after: Subscription) -> None:
        self._item, self._after = (marshal(_subscription_item(each)) for each in (subscription, after))

    def get_item(self, **_: Any) -> dict[str, Any]:
        return {"Item": self._item}

    def update_item(self, **arguments: Any) -> dict[str, Any]:
        assert arguments["UpdateExpression"].strip() != "SET"
        self._item = self._after
        response: Any = {"Error": {"Code": "ConditionalCheckFailedException"}, "Item": self._item}
        raise ClientError(response, "UpdateItem")


def test_a_change_repeated_after_a_lost_answer_knows_itself() -> None:
    gone = a_subscription(enabled=False, disabled_reason=DisabledReason.GONE, disabled_at_ms=NOW_MS)
    enabled = gone.with_changes(Changes(enabled=True), NOW_MS + 5)
    subscriptions = DynamoDbSubscriptions(Table(cast(Any, LostAnswer(gone, enabled)), "t"))

    assert subscriptions.change(ACCOUNT, gone.id, Changes(enabled=True), NOW_MS + 5) == enabled


class Throttled:
    """One of two deliveries is there; the put of the other is throttled for ever."""

    def transact_write_items(self, *, TransactItems: list[Any]) -> None:  # noqa: N803 - boto3's name
        codes = ["ConditionalCheckFailed", "None"] if len(TransactItems) == 2 else ["ThrottlingError"]
        response: Any = {
            "Error": {"Code": "TransactionCanceledException", "Message": "canceled"},
            "CancellationReasons": [{"Code": code} for code in codes],
        }
        raise ClientError(response, "TransactWriteItems")


def test_a_delivery_that_could_not_be_written_is_not_passed_over() -> None:
    two = [a_delivery(a_subscription(id=derived_id("wh", NOW_MS, str(n)))) for n in range(2)]
    table = Table(cast(Any, Throttled()), "t", sleep=lambda _: None)

    with pytest.raises(Unavailable):
        DynamoDbDeliveries(table).open(two)


def test_recovering_again_and_again_multiplies_no_orders(webhooks: WebhookWorld) -> None:
    webhook_id, _ = webhooks.subscribed("image.*")
    caller, since_ms = webhooks.caller(), webhooks.clock.ms
    webhooks.manage.change(caller, webhook_id, Changes(enabled=False))
    for _ in range(10):
        webhooks.event()
    webhooks.run()
    webhooks.manage.change(caller, webhook_id, Changes(enabled=True))

    for _ in range(20):
        webhooks.clock.pass_seconds(LEASE_MS / 1000 / RECOVERIES_MAX)
        webhooks.recover_since(caller, webhook_id, since_ms)
        for message in [each for each in webhooks.queues.waiting if isinstance(each.content, RecoverOrder)]:
            webhooks.queues.waiting.remove(message)
            webhooks.recover(message.content)

    assert len(webhooks.queues.waiting) == 10
    webhooks.run()
    assert {each.status for each in webhooks.all_of(webhook_id)} == {DeliveryStatus.DELIVERED}
    assert len(webhooks.endpoints.sent) == 10


def test_an_account_begins_only_so_many_recoveries_at_a_time(webhooks: WebhookWorld) -> None:
    webhook_id, _ = webhooks.subscribed()
    caller, since_ms = webhooks.caller(), webhooks.clock.ms
    for _ in range(RECOVERIES_MAX):
        webhooks.recover_since(caller, webhook_id, since_ms)

    for asked in (webhook_id, REQUESTED):
        with pytest.raises(RateLimited) as refused:
            webhooks.recover_since(caller, asked, since_ms)

    assert refused.value.headers == {"Retry-After": str(LEASE_MS // 1000)}
    assert len(webhooks.queues.waiting) == RECOVERIES_MAX
    other = "acc_01JBQRSTVWXYZ0123456789ABD"
    webhooks.recover_since(webhooks.caller(other), REQUESTED, since_ms)
    webhooks.clock.pass_seconds(LEASE_MS / 1000)
    webhooks.recover_since(caller, webhook_id, since_ms)


def bytes_of(value: Any) -> int:
    """The size of an attribute value, "DynamoDB item sizes and formats" (developer guide)."""
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return (len(content) + 1) // 2 + 1
        case "L":
            return 3 + sum(1 + bytes_of(each) for each in content)
        case "M":
            return 3 + sum(len(name) + 1 + bytes_of(each) for name, each in content.items())
    return 1


@pytest.mark.parametrize("body", [b"\xff", b"\x01", b"a", "é".encode()])
def test_all_attempts_a_delivery_may_have_fit_into_its_item_and_a_page_into_an_answer(body: bytes) -> None:
    response = Response(500, {}, body * 16_384, truncated=True, duration_ms=9_999)
    attempt = attempt_of(response, NOW_MS)
    full = replace(a_delivery(), attempts=(attempt,) * 7 * RUNS_MAX, run=RUNS_MAX)

    item = marshal(_item(full))
    assert sum(len(name) + bytes_of(value) for name, value in item.items()) <= ITEM_BYTES_MAX
    many = OnePage([item | {"sk": {"S": f"DELIVERY#{full.id[4:]}"}}] * 100)
    page = DynamoDbDeliveries(Table(cast(Any, many), "t")).page(
        ACCOUNT, full.webhook_id, dialect.parse_deliveries_query({})[0], limit=100, cursor=None
    )
    shown = json.dumps(dialect.delivery_list(page), ensure_ascii=False)
    assert len(json.dumps(shown).encode()) < ANSWER_BYTES_MAX
    assert page.next_cursor == full.id[4:]


class OnePage:
    """A DynamoDB client whose every query finds the same items."""

    def __init__(self, items: list[Any]) -> None:
        self._items = items

    def query(self, **_: Any) -> dict[str, Any]:
        return {"Items": self._items}


def test_what_is_disabled_between_two_tries_of_the_fan_out_is_missed(webhooks: WebhookWorld) -> None:
    webhook_id, _ = webhooks.subscribed("image.*")
    webhooks.event()
    webhooks.network.fail("queue.send", Unavailable())
    webhooks.run(until_ms=webhooks.clock.ms + 1_000)
    webhooks.network.heal()
    webhooks.manage.change(webhooks.caller(), webhook_id, Changes(enabled=False))

    webhooks.run()

    assert [each.status for each in webhooks.all_of(webhook_id)] == [DeliveryStatus.FAILED]


class NoMore:
    """A queue of orders that has none left."""

    def take(self, _: int) -> list[Any]:
        return []

    def finish(self, _: Any) -> None: ...


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 50_000


@pytest.mark.parametrize("unreadable", [{"field_of_a_later_version": 1}, None])
def test_an_order_that_cannot_be_read_fails_alone(unreadable: dict[str, int] | None) -> None:
    good = asdict(Order(ACCOUNT, "wh_x", "dlv_x"))
    bad = json.dumps(good | unreadable) if unreadable else "{"
    delivered = cast(Any, lambda _: Done(Outcome.DELIVERED))
    handler = Attempts(lambda: Delivering(delivered, NoMore()))

    records = [{"messageId": "a", "body": json.dumps(good)}, {"messageId": "b", "body": bad}]
    assert handler({"Records": records}, Context()) == {"batchItemFailures": [{"itemIdentifier": "b"}]}


def test_a_slot_that_cannot_be_given_back_does_not_undo_an_attempt(webhooks: WebhookWorld) -> None:
    webhook_id, _ = webhooks.subscribed("image.*")
    webhooks.event()
    webhooks.network.fail("slots.free", Unavailable())

    webhooks.run(until_ms=webhooks.clock.ms + 1_000)

    assert [each.status for each in webhooks.all_of(webhook_id)] == [DeliveryStatus.DELIVERED]
    assert len(webhooks.endpoints.sent) == 1


def test_the_made_up_disabling_has_the_fields_of_a_real_one() -> None:
    real = disabled_event(a_subscription(disabled_at_ms=NOW_MS)).detail["data"]
    made_up = sample_event("webhook.disabled", "evt_x", ACCOUNT, NOW_MS).detail["data"]

    assert made_up.keys() == {*real, "synthetic"}


def test_a_cursor_that_no_page_gave_out_is_refused() -> None:
    with pytest.raises(ValidationFailed):
        dialect.parse_list_query({"cursor": "zzz"})


def test_an_account_cannot_name_itself_more_slots_with_more_hosts() -> None:
    hosts = [f"https://x{n}.example.com/" for n in range(1_000)]
    endpoints = {Prepared(a_delivery(), None, host, Secrets("sealed")).endpoint for host in hosts}

    assert len(endpoints) == 8
