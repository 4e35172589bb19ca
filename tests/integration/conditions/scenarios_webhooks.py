"""What must hold for webhooks while others write: scenarios that fail without a condition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from shoal.adapters.dynamodb.deliveries import DynamoDbDeliveries
from shoal.adapters.dynamodb.hosts import DynamoDbHostCounts
from shoal.adapters.dynamodb.idempotency import DynamoDbIdempotencyRecords
from shoal.adapters.dynamodb.slots import DynamoDbSlots
from shoal.adapters.dynamodb.table import Table, TransactionRefused
from shoal.adapters.dynamodb.webhooks import DynamoDbAccountSecrets, DynamoDbSubscriptions
from shoal.domain.delivery import Attempt, Delivery, DeliveryStatus, delivery_of
from shoal.domain.errors import IdempotencyInFlight, NotFound, TooManyWebhooks, Unavailable
from shoal.domain.idempotency import IdempotencyKey, IdempotencyRecord
from shoal.domain.webhook import AccountSecret, Changes, DisabledReason, Secrets, Subscription
from shoal.domain.webhook_samples import sample_event
from shoal.ports.webhooks import LEASE_MS
from tests.integration.bench import Bench
from tests.integration.conditions.conditions import Meanwhile, client_of, over

URL = "https://hooks.example.com/"
ELSEWHERE = "https://elsewhere.example.com/"
ENDPOINT = "wh_of_the_test"


def a_webhook(bench: Bench, *, subscriptions_max: int = 20) -> Subscription:
    now_ms = bench.clock.now_ms()
    subscription = Subscription(
        id=bench.ids.new("wh", now_ms),
        account_id="acc_of_the_test",
        name="n8n production",
        url=URL,
        events=("*",),
        secrets=Secrets("first"),
        created_at_ms=now_ms,
        updated_at_ms=now_ms,
        cleared_at_ms=now_ms,
    )
    create(bench, subscription, subscriptions_max)
    return subscription


def create(bench: Bench, subscription: Subscription, subscriptions_max: int = 20) -> None:
    subscriptions_of(bench).create(
        subscription, None, subscriptions_max=subscriptions_max, now_ms=bench.clock.now_ms()
    )


def a_delivery(bench: Bench) -> Delivery:
    now_ms = bench.clock.now_ms()
    event = sample_event("image.completed", bench.ids.new("evt", now_ms), "acc_of_the_test", now_ms)
    delivery = delivery_of(event, a_webhook(bench))
    deliveries_of(bench).open([delivery])
    return delivery


def stored(bench: Bench, delivery: Delivery) -> Delivery:
    return deliveries_of(bench).get(delivery.account_id, delivery.webhook_id, delivery.id)


def subscriptions_of(bench: Bench) -> DynamoDbSubscriptions:
    return DynamoDbSubscriptions(bench.table)


def deliveries_of(bench: Bench) -> DynamoDbDeliveries:
    return DynamoDbDeliveries(bench.table)


def surprised(bench: Bench, happen: Callable[[], object], *, update: int = 1) -> Table:
    """The table, in which something else happens just before the first update, or a later one."""
    return over(bench.table, Meanwhile(client_of(bench.table), lambda: (happen(), None)[1], update=update))


def attempt(number: int = 0) -> Attempt:
    return Attempt(1_000 + number, 7, status_code=500, error="The endpoint answered 500.", response="")


def an_account_has_so_many_webhooks_and_no_more(bench: Bench) -> None:
    first, _ = (a_webhook(bench, subscriptions_max=2) for _ in range(2))
    with pytest.raises(TooManyWebhooks):
        a_webhook(bench, subscriptions_max=2)
    subscriptions_of(bench).delete(first)
    a_webhook(bench, subscriptions_max=2)


def a_webhook_overwrites_no_webhook(bench: Bench) -> None:
    subscription = a_webhook(bench)
    with pytest.raises(TransactionRefused):
        create(bench, replace(subscription, name="another"))
    assert subscriptions_of(bench).get(subscription.account_id, subscription.id) == subscription


def of_two_rotations_of_a_secret_one_is_made(bench: Bench) -> None:
    before = a_webhook(bench)
    subscriptions_of(bench).rotate(before, before.secrets.rotate("second", 1), None, 1)
    with pytest.raises(Unavailable):
        subscriptions_of(bench).rotate(before, before.secrets.rotate("third", 2), None, 2)
    assert subscriptions_of(bench).get(before.account_id, before.id).secrets.current == "second"


def an_account_has_one_first_secret(bench: Bench) -> None:
    secrets, first = DynamoDbAccountSecrets(bench.table), AccountSecret("acc_x", Secrets("first"), 1, 1)
    secrets.put(first, None, None, 1)
    with pytest.raises(Unavailable):
        secrets.put(replace(first, secrets=Secrets("other")), None, None, 2)
    assert secrets.get("acc_x", test=False) == first


def of_two_rotations_of_an_accounts_secret_one_is_made(bench: Bench) -> None:
    secrets, first = DynamoDbAccountSecrets(bench.table), AccountSecret("acc_x", Secrets("first"), 1, 1)
    second = replace(first, secrets=first.secrets.rotate("second", 2))
    secrets.put(first, None, None, 1)
    secrets.put(second, first, None, 2)
    with pytest.raises(Unavailable):
        secrets.put(replace(first, secrets=first.secrets.rotate("third", 3)), first, None, 3)
    assert secrets.get("acc_x", test=False) == second


def what_is_enabled_while_it_is_disabled_is_enabled(bench: Bench) -> None:
    webhook = a_webhook(bench)
    at_ms = webhook.cleared_at_ms + 1

    def disable() -> None:
        assert subscriptions_of(bench).disable(webhook, DisabledReason.FAILING, at_ms, at_ms)

    subscriptions = DynamoDbSubscriptions(surprised(bench, disable))
    subscriptions.change(webhook.account_id, webhook.id, Changes(enabled=True), at_ms + 1)
    assert subscriptions_of(bench).get(webhook.account_id, webhook.id).enabled


def the_last_address_given_counts(bench: Bench) -> None:
    webhook = a_webhook(bench)

    def move() -> None:
        subscriptions_of(bench).change(webhook.account_id, webhook.id, Changes(url=ELSEWHERE), 5)

    subscriptions = DynamoDbSubscriptions(surprised(bench, move))
    subscriptions.change(webhook.account_id, webhook.id, Changes(url=URL), 6)
    assert subscriptions_of(bench).get(webhook.account_id, webhook.id).url == URL


def a_webhook_is_disabled_once(bench: Bench) -> None:
    subscriptions, webhook = subscriptions_of(bench), a_webhook(bench)
    since_ms = webhook.cleared_at_ms + 1
    assert subscriptions.disable(webhook, DisabledReason.FAILING, since_ms, since_ms)
    assert subscriptions.disable(webhook, DisabledReason.GONE, since_ms, since_ms + 1) is None


def a_success_since_keeps_a_webhook_enabled(bench: Bench) -> None:
    subscriptions, webhook = subscriptions_of(bench), a_webhook(bench)
    since_ms = webhook.cleared_at_ms + 1
    subscriptions.note_success(webhook, good=True, now_ms=since_ms)
    assert subscriptions.disable(webhook, DisabledReason.FAILING, since_ms, since_ms + 1) is None


def a_note_makes_no_webhook(bench: Bench) -> None:
    subscriptions, webhook = subscriptions_of(bench), a_webhook(bench)
    subscriptions.delete(webhook)
    subscriptions.note_failure(webhook)
    with pytest.raises(NotFound):
        subscriptions.get(webhook.account_id, webhook.id)


def an_announcement_makes_no_webhook(bench: Bench) -> None:
    subscriptions, webhook = subscriptions_of(bench), a_webhook(bench)
    subscriptions.delete(webhook)
    subscriptions.mark_announced(webhook)
    with pytest.raises(NotFound):
        subscriptions.get(webhook.account_id, webhook.id)


def a_success_elsewhere_is_no_success_here(bench: Bench) -> None:
    subscriptions, webhook = subscriptions_of(bench), a_webhook(bench)
    moved = subscriptions.change(webhook.account_id, webhook.id, Changes(url=ELSEWHERE), bench.clock.now_ms())
    subscriptions.note_success(webhook, good=True, now_ms=bench.clock.now_ms() + 1)
    assert subscriptions.get(webhook.account_id, webhook.id) == moved


def what_is_gone_elsewhere_is_not_gone_here(bench: Bench) -> None:
    subscriptions, webhook = subscriptions_of(bench), a_webhook(bench)
    now_ms = bench.clock.now_ms()
    subscriptions.change(webhook.account_id, webhook.id, Changes(url=ELSEWHERE), now_ms)
    assert subscriptions.disable(webhook, DisabledReason.GONE, now_ms + 1, now_ms + 2) is None
    assert subscriptions.get(webhook.account_id, webhook.id).enabled


def a_webhook_is_deleted_once(bench: Bench) -> None:
    subscriptions, webhook = subscriptions_of(bench), a_webhook(bench)
    subscriptions.delete(webhook)
    with pytest.raises(NotFound):
        subscriptions.delete(webhook)


def a_delivery_is_opened_once(bench: Bench) -> None:
    first, second = a_delivery(bench), a_delivery(bench)
    failed = deliveries_of(bench).fail(first, attempt(), 2_000, 3_000)
    deliveries_of(bench).open([second, first])
    assert stored(bench, first) == failed


def a_success_is_listed_once(bench: Bench) -> None:
    delivery, success = a_delivery(bench), replace(attempt(), status_code=200, error=None)
    for _ in range(2):
        deliveries_of(bench).succeed(delivery, success)
    assert stored(bench, delivery).attempts == (success,)


def an_attempt_is_recorded_once(bench: Bench) -> None:
    deliveries, delivery = deliveries_of(bench), a_delivery(bench)
    assert deliveries.fail(delivery, attempt(1), 2_000, 3_000)
    assert deliveries.fail(delivery, attempt(2), 2_001, 3_001) is None


def a_missed_delivery_does_not_fail(bench: Bench) -> None:
    deliveries, delivery = deliveries_of(bench), a_delivery(bench)
    deliveries.miss(delivery)
    assert deliveries.fail(delivery, attempt(), 2_000, 3_000) is None


def a_late_attempt_is_not_of_the_new_run(bench: Bench) -> None:
    deliveries, delivery = deliveries_of(bench), a_delivery(bench)
    assert deliveries.restart(delivery, 2_000)
    assert deliveries.fail(delivery, attempt(), 2_001, 3_000) is None


def a_delivered_delivery_is_not_missed(bench: Bench) -> None:
    deliveries, delivery = deliveries_of(bench), a_delivery(bench)
    deliveries.succeed(delivery, replace(attempt(), error=None))
    deliveries.miss(delivery)
    assert stored(bench, delivery).status is DeliveryStatus.DELIVERED


def a_run_that_was_begun_is_not_missed_for_the_one_before(bench: Bench) -> None:
    deliveries, delivery = deliveries_of(bench), a_delivery(bench)
    assert deliveries.restart(delivery, 2_000)
    deliveries.miss(delivery)
    assert stored(bench, delivery).status is DeliveryStatus.PENDING


def a_run_is_begun_once(bench: Bench) -> None:
    deliveries, delivery = deliveries_of(bench), a_delivery(bench)
    assert deliveries.restart(delivery, 2_000)
    assert deliveries.restart(delivery, 2_001) is None


def a_run_is_begun_from_the_status_that_was_seen(bench: Bench) -> None:
    deliveries, delivery = deliveries_of(bench), a_delivery(bench)
    deliveries.miss(delivery)
    assert deliveries.restart(delivery, 2_000) is None


def a_run_is_begun_from_the_attempts_that_were_seen(bench: Bench) -> None:
    deliveries, delivery = deliveries_of(bench), a_delivery(bench)
    assert deliveries.fail(delivery, attempt(), 2_000, 3_000)
    assert deliveries.restart(delivery, 2_001) is None


def a_record(text: str) -> IdempotencyRecord:
    key = IdempotencyKey.of("acc_of_the_test", "POST /test", text, {})
    return IdempotencyRecord(key, "dlv_of_the_test", 202, {}, 90_000_000, done=False)


def a_run_is_begun_once_with_a_key(bench: Bench) -> None:
    deliveries, delivery = deliveries_of(bench), a_delivery(bench)
    assert deliveries.restart(delivery, 2_000, a_record("one"))
    assert deliveries.restart(delivery, 2_001, a_record("another")) is None
    with pytest.raises(IdempotencyInFlight):
        deliveries.restart(stored(bench, delivery), 2_002, a_record("one"))


def a_run_is_begun_with_a_key_from_the_status_that_was_seen(bench: Bench) -> None:
    deliveries, delivery = deliveries_of(bench), a_delivery(bench)
    deliveries.miss(delivery)
    assert deliveries.restart(delivery, 2_000, a_record("one")) is None


def a_run_is_begun_with_a_key_from_the_attempts_that_were_seen(bench: Bench) -> None:
    deliveries, delivery = deliveries_of(bench), a_delivery(bench)
    assert deliveries.fail(delivery, attempt(), 2_000, 3_000)
    assert deliveries.restart(delivery, 2_001, a_record("one")) is None


def an_answer_makes_no_record(bench: Bench) -> None:
    records, record = DynamoDbIdempotencyRecords(bench.table), a_record("one")
    records.finish(record)
    assert records.find_record(record.key, 0) is None
    assert records.add(record, 0) is None
    begun = records.add(record, 0)
    assert begun is not None
    assert not begun.done
    records.finish(replace(record, status=200))
    answered = records.find_record(record.key, 0)
    assert answered is not None
    assert (answered.status, answered.done) == (200, True)


def a_slot_is_held_by_one(bench: Bench) -> None:
    slots = DynamoDbSlots(bench.table)
    late = DynamoDbSlots(surprised(bench, lambda: slots.take(ENDPOINT, 2, 1_000)))
    taken = late.take(ENDPOINT, 2, 1_000)
    assert taken is not None
    assert taken.number == 1


def a_slot_that_ran_out_is_free(bench: Bench) -> None:
    slots = DynamoDbSlots(bench.table)
    assert slots.take(ENDPOINT, 1, 1_000)
    assert slots.take(ENDPOINT, 1, 1_000 + LEASE_MS)


def a_slot_that_ran_out_is_not_freed_for_its_next_holder(bench: Bench) -> None:
    slots = DynamoDbSlots(bench.table)
    first = slots.take(ENDPOINT, 1, 1_000)
    assert first is not None
    assert slots.take(ENDPOINT, 1, 1_000 + LEASE_MS)
    slots.free(first)
    assert slots.take(ENDPOINT, 1, 1_001 + LEASE_MS) is None


def a_host_gets_so_much_in_a_minute_and_no_more(bench: Bench) -> None:
    counts = DynamoDbHostCounts(bench.table)
    assert [counts.take("acc_x", "a.example", 2, at_ms) for at_ms in (0, 1, 59_999)] == [True, True, False]
    assert counts.take("acc_x", "b.example", 2, 1)
    assert counts.take("acc_y", "a.example", 2, 1)
    assert counts.take("acc_x", "a.example", 2, 60_000)
