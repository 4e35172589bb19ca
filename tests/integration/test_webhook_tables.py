"""The conditions of the webhooks' writes on a real table: one wins a race, a repeated write knows itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

import pytest

from shoal.adapters.dynamodb.deliveries import DynamoDbDeliveries
from shoal.adapters.dynamodb.hosts import DynamoDbFunds
from shoal.adapters.dynamodb.idempotency import DynamoDbIdempotencyRecords
from shoal.adapters.dynamodb.slots import DynamoDbSlots
from shoal.adapters.dynamodb.table import Put, Table
from shoal.adapters.dynamodb.webhooks import DynamoDbAccountSecrets, DynamoDbSubscriptions
from shoal.domain.delivery import Attempt, Delivery, DeliveryStatus, delivery_of
from shoal.domain.errors import TooManyWebhooks, Unavailable
from shoal.domain.idempotency import LIFETIME_MS, IdempotencyKey, IdempotencyRecord
from shoal.domain.ids import derived_id
from shoal.domain.webhook import AccountSecret, DisabledReason, Secrets, Subscription
from shoal.domain.webhook_samples import sample_event
from tests.integration.faults import faulty, timed_out
from tests.support.deployed import Deployed

T = TypeVar("T")
ACCOUNT = "acc_01JBQRSTVWXYZ0123456789ABC"
NOW_MS = 1_800_000_000_000
RACERS = 8


@pytest.fixture
def table(deployed: Deployed) -> Table:
    return deployed.fresh_table()


@pytest.fixture
def subscriptions(table: Table) -> DynamoDbSubscriptions:
    return DynamoDbSubscriptions(table)


@pytest.fixture
def deliveries(table: Table) -> DynamoDbDeliveries:
    return DynamoDbDeliveries(table)


def a_subscription(number: int = 0) -> Subscription:
    return Subscription(
        id=derived_id("wh", NOW_MS, str(number)),
        account_id=ACCOUNT,
        name="n8n production",
        url="https://hooks.example.com/",
        events=("*",),
        secrets=Secrets("sealed"),
        created_at_ms=NOW_MS,
        updated_at_ms=NOW_MS,
        cleared_at_ms=NOW_MS,
    )


def created(subscriptions: DynamoDbSubscriptions, subscription: Subscription) -> Subscription:
    subscriptions.create(subscription, None, subscriptions_max=20, now_ms=NOW_MS)
    return subscription


def opened(deliveries: DynamoDbDeliveries) -> Delivery:
    event = sample_event("image.completed", derived_id("evt", NOW_MS, "1"), ACCOUNT, NOW_MS)
    delivery = delivery_of(event, a_subscription())
    deliveries.open([delivery])
    return delivery


def a_failure(at_ms: int = NOW_MS + 1_000) -> Attempt:
    return Attempt(at_ms, 7, status_code=500, error="The endpoint answered 500.", response="oops")


def race(racers: Sequence[Callable[[], T]]) -> list[T]:
    with ThreadPoolExecutor(len(racers)) as pool:
        return [racing.result() for racing in [pool.submit(racer) for racer in racers]]


def test_of_many_failures_that_race_one_disables(subscriptions: DynamoDbSubscriptions) -> None:
    subscription = created(subscriptions, a_subscription())

    def disable_at(now_ms: int) -> Callable[[], Subscription | None]:
        return lambda: subscriptions.disable(subscription, DisabledReason.FAILING, NOW_MS + 1, now_ms)

    outcomes = race([disable_at(NOW_MS + 10 + number) for number in range(RACERS)])

    (winner,) = [outcome for outcome in outcomes if outcome]
    assert (winner.enabled, winner.announce_due) == (False, True)
    assert subscriptions.get(ACCOUNT, subscription.id) == winner


def test_a_success_since_the_first_failure_keeps_it_enabled(subscriptions: DynamoDbSubscriptions) -> None:
    subscription = created(subscriptions, a_subscription())
    subscriptions.note_success(subscription, good=True, now_ms=NOW_MS + 5)

    assert subscriptions.disable(subscription, DisabledReason.FAILING, NOW_MS + 5, NOW_MS + 9) is None
    assert subscriptions.disable(subscription, DisabledReason.FAILING, NOW_MS + 6, NOW_MS + 9) is not None


def test_however_many_are_created_at_once_there_are_20(subscriptions: DynamoDbSubscriptions) -> None:
    def create(number: int) -> Callable[[], bool]:
        def attempt() -> bool:
            try:
                created(subscriptions, a_subscription(number))
            except TooManyWebhooks:
                return False
            return True

        return attempt

    for number in range(16):
        created(subscriptions, a_subscription(number))

    outcomes = race([create(16 + number) for number in range(RACERS)])

    assert sum(outcomes) == 4
    assert len(subscriptions.of_account(ACCOUNT)) == 20


def test_a_write_repeated_after_a_lost_answer_knows_itself(
    subscriptions: DynamoDbSubscriptions, deliveries: DynamoDbDeliveries
) -> None:
    subscription, delivery = created(subscriptions, a_subscription()), opened(deliveries)

    failed = [deliveries.fail(delivery, a_failure(), NOW_MS + 2_000, NOW_MS + 60_000) for _ in range(2)]
    disabled = [
        subscriptions.disable(subscription, DisabledReason.FAILING, NOW_MS + 1, NOW_MS + 9) for _ in range(2)
    ]

    assert failed[0] == failed[1]
    assert failed[0] is not None
    assert (failed[0].attempts, failed[0].attempts_in_run) == ((a_failure(),), 1)
    begun = [deliveries.restart(failed[0], NOW_MS + 3_000) for _ in range(2)]
    assert begun[0] == begun[1]
    assert begun[0] is not None
    assert (begun[0].run, begun[0].attempts_in_run) == (2, 0)
    assert disabled[0] == disabled[1]
    assert disabled[0] is not None


def test_an_attempt_somebody_else_recorded_is_recorded_once(deliveries: DynamoDbDeliveries) -> None:
    delivery = opened(deliveries)

    def fail_at(at_ms: int) -> Callable[[], Delivery | None]:
        return lambda: deliveries.fail(delivery, a_failure(at_ms), at_ms, NOW_MS + 60_000)

    outcomes = race([fail_at(NOW_MS + number) for number in range(RACERS)])

    assert len([outcome for outcome in outcomes if outcome]) == 1
    assert len(deliveries.get(ACCOUNT, delivery.webhook_id, delivery.id).attempts) == 1


def test_an_event_fanned_out_again_leaves_its_delivery_as_it_is(deliveries: DynamoDbDeliveries) -> None:
    delivery = opened(deliveries)
    deliveries.succeed(delivery, replace(a_failure(), status_code=200, error=None))

    assert opened(deliveries) == delivery

    stored = deliveries.get(ACCOUNT, delivery.webhook_id, delivery.id)
    assert (stored.status, len(stored.attempts)) == (DeliveryStatus.DELIVERED, 1)


def test_slots_bound_what_is_under_way_and_run_out(table: Table) -> None:
    slots = DynamoDbSlots(table)

    taken = race([lambda: slots.take("wh_x", 5, NOW_MS)] * RACERS)

    held = [slot for slot in taken if slot]
    assert sorted(slot.number for slot in held) == [0, 1, 2, 3, 4]
    slots.free(held[0])
    again = slots.take("wh_x", 5, NOW_MS)
    assert again is not None
    assert again.number == held[0].number
    assert slots.take("wh_x", 5, NOW_MS) is None
    assert slots.take("wh_x", 5, again.until_ms) is not None


@pytest.mark.parametrize(("asset", "had"), [("usd", True), ("credit", True), ("test_usd", False)])
def test_money_that_came_once_is_remembered_when_it_is_spent(table: Table, asset: str, had: bool) -> None:
    """The entry of a top-up tells of it; a wallet of trials alone has none."""
    account_id = f"acc_{asset}"
    pk = f"WALLET#{account_id}#{asset}"
    table.transact([Put({"pk": pk, "sk": "WALLET", "balance": 0})])
    table.transact([Put({"pk": pk, "sk": "ENTRY#1#hold", "kind": "hold"})])
    assert not DynamoDbFunds(table).had_any(account_id)

    table.transact([Put({"pk": pk, "sk": "ENTRY#2#top_up", "kind": "top_up"})])

    assert DynamoDbFunds(table).had_any(account_id) is had


def test_money_that_is_there_was_had(table: Table) -> None:
    table.transact([Put({"pk": "WALLET#acc_x#usd", "sk": "WALLET", "balance": 1})])
    assert DynamoDbFunds(table).had_any("acc_x")


def a_record() -> IdempotencyRecord:
    key = IdempotencyKey(ACCOUNT, "POST /api/v1/webhooks", "key-1", "fingerprint")
    return IdempotencyRecord(key, "wh_1", 200, {"secret": "sealed"}, NOW_MS + LIFETIME_MS)


def create(table: Table, record: IdempotencyRecord | None) -> object:
    return DynamoDbSubscriptions(table).create(a_subscription(), record, subscriptions_max=20, now_ms=NOW_MS)


def rotate(table: Table, record: IdempotencyRecord | None) -> object:
    secrets = a_subscription().secrets.rotate("drawn for this request", NOW_MS + 1)
    return DynamoDbSubscriptions(table).rotate(a_subscription(), secrets, record, NOW_MS + 1)


def begin_test(table: Table, record: IdempotencyRecord | None) -> object:
    event = sample_event("image.completed", derived_id("evt", NOW_MS, "of the test"), ACCOUNT, NOW_MS)
    return DynamoDbDeliveries(table).begin(delivery_of(event, a_subscription()), record, NOW_MS)


def put_secret(table: Table, record: IdempotencyRecord | None) -> object:
    secret = AccountSecret(ACCOUNT, Secrets("drawn for this request"), NOW_MS, NOW_MS, False)
    return DynamoDbAccountSecrets(table).put(secret, None, record, NOW_MS)


@pytest.mark.parametrize("record", [None, a_record()], ids=["without a key", "with a key"])
@pytest.mark.parametrize("post", [create, rotate, begin_test, put_secret])
def test_what_was_written_and_never_confirmed_is_found(
    table: Table, post: Callable[[Table, IdempotencyRecord | None], object], record: IdempotencyRecord | None
) -> None:
    if post is rotate:
        create(table, None)
    with pytest.raises(Unavailable):
        post(faulty(table, "transact_write_items", timed_out), record)

    assert post(faulty(table, "transact_write_items", timed_out, after=True), record) is None


def test_an_answer_that_could_not_be_kept_is_given_all_the_same(table: Table) -> None:
    begun = replace(a_record(), done=False, body={})
    records = DynamoDbIdempotencyRecords(table)
    assert records.add(begun, NOW_MS) is None

    DynamoDbIdempotencyRecords(faulty(table, "update_item", timed_out)).finish(a_record())

    assert records.find_record(begun.key, NOW_MS) == begun, "a repeated request does it again"
