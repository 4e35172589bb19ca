"""Deliveries with their attempts, and the slots that bound how many are under way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from shoal.adapters.dynamodb import webhooks
from shoal.adapters.dynamodb.idempotency import write_with_record
from shoal.adapters.dynamodb.pages import Range, read_page
from shoal.adapters.dynamodb.table import ConditionFailed, Item, Put, Table, TransactionRefused, Update
from shoal.adapters.dynamodb.values import read
from shoal.domain.delivery import Attempt, Delivery, DeliveryStatus, Order
from shoal.domain.errors import IdempotencyInFlight, NotFound
from shoal.domain.idempotency import IdempotencyRecord
from shoal.domain.ids import ulid_of
from shoal.domain.webhook import REQUESTED, REQUESTED_IN_TEST, REQUESTS
from shoal.ports.webhooks import DeliveryFilter, DeliveryPage, Loaded

NEWS = "attribute_exists(pk) AND NOT contains(attempts, :this)"
THIS_ATTEMPT = "#status = :pending AND run = :run AND attempts_in_run = :made"
THIS_RUN = "#status = :pending AND run = :run"
AS_SEEN = "#status = :seen AND run = :run AND attempts_in_run = :made"

OPENED_AT_ONCE_MAX = 50
"""Deliveries in one transaction: half of what DynamoDB takes, for they may be 20 kB each (4 MB in all)."""

READ_MAX = 500
"""Deliveries one page may read while it looks for matches."""

PAGE_CHARACTERS_MAX = 1_000_000
ATTEMPT_CHARACTERS = 100
"""What an attempt adds to a page beside the endpoint's response."""

_STATUS = {"#status": "status"}
_PENDING = str(DeliveryStatus.PENDING)


def delivery_key(account_id: str, webhook_id: str, ulid: str) -> tuple[str, str]:
    """Deliveries to addresses of requests lie in partitions of their account, one for each mode."""
    of_requests = {REQUESTED: account_id, REQUESTED_IN_TEST: f"{account_id}#TEST"}
    return f"WEBHOOK#{of_requests.get(webhook_id, webhook_id)}", f"DELIVERY#{ulid}"


class DynamoDbDeliveries:
    """Implements the `Deliveries` port."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def open(self, deliveries: Sequence[Delivery]) -> None:
        for first in range(0, len(deliveries), OPENED_AT_ONCE_MAX):
            puts = [Put(_item(delivery)) for delivery in deliveries[first : first + OPENED_AT_ONCE_MAX]]
            try:
                self._table.transact(puts)
            except TransactionRefused as refused:
                for put in (put for n, put in enumerate(puts) if not refused.failed(n)):
                    with suppress(TransactionRefused):  # it is there by now
                        self._table.transact([put])

    def begin(
        self, delivery: Delivery, record: IdempotencyRecord | None, now_ms: int
    ) -> IdempotencyRecord | None:
        return write_with_record(self._table, [Put(_item(delivery))], record, now_ms)

    def load(self, order: Order) -> Loaded:
        delivery_at = _key(order.account_id, order.webhook_id, order.delivery_id)
        secret_at = webhooks.account_secret_key(order.account_id, test=order.webhook_id == REQUESTED_IN_TEST)
        webhook_at = webhooks.subscription_key(order.account_id, ulid_of("wh", order.webhook_id) or "")
        other = secret_at if order.webhook_id in REQUESTS else webhook_at
        found = self._table.get_several([delivery_at, other])
        return Loaded(
            delivery=_delivery_of(found[delivery_at]) if delivery_at in found else None,
            subscription=webhooks.subscription_of(found[webhook_at]) if webhook_at in found else None,
            account_secret=webhooks.account_secret_of(found[secret_at]) if secret_at in found else None,
        )

    def get(self, account_id: str, webhook_id: str, delivery_id: str) -> Delivery:
        item = self._table.get(*_key(account_id, webhook_id, delivery_id))
        if item is None or item["account_id"] != account_id:
            raise _not_there()
        return _delivery_of(item)

    def page(
        self, account_id: str, webhook_id: str, which: DeliveryFilter, *, limit: int, cursor: str | None
    ) -> DeliveryPage:
        pk, _ = delivery_key(account_id, webhook_id, "")
        page = read_page(
            self._table,
            Range.of(pk, "DELIVERY#", which.from_ms, which.to_ms, cursor),
            _delivery_of,
            lambda delivery: _matches(delivery, which),
            limit=limit,
            read_max=READ_MAX,
        )
        return _cut(DeliveryPage(page.found, page.next_cursor, page.read))

    def succeed(self, delivery: Delivery, attempt: Attempt) -> None:
        values = {
            ":delivered": str(DeliveryStatus.DELIVERED),
            ":attempt": [asdict(attempt)],
            ":this": asdict(attempt),
            ":one": 1,
        }
        expression = (
            "SET #status = :delivered, attempts = list_append(attempts, :attempt),"
            " attempts_in_run = attempts_in_run + :one REMOVE next_attempt_at_ms"
        )
        with suppress(ConditionFailed):  # recorded before, or no longer kept: then nobody can look at it
            self._table.update(Update(_key_of(delivery), expression, NEWS, values, _STATUS))

    def fail(
        self, delivery: Delivery, attempt: Attempt, failed_at_ms: int, next_attempt_at_ms: int | None
    ) -> Delivery | None:
        status = DeliveryStatus.FAILED if next_attempt_at_ms is None else DeliveryStatus.PENDING
        values: dict[str, Any] = {
            ":status": str(status),
            ":attempt": [asdict(attempt)],
            ":one": 1,
            ":failed": failed_at_ms,
            **_counts(delivery),
        }
        expression = (
            "SET #status = :status, attempts = list_append(attempts, :attempt),"
            " attempts_in_run = attempts_in_run + :one,"
            " first_failed_at_ms = if_not_exists(first_failed_at_ms, :failed)"
        )
        if next_attempt_at_ms is None:
            expression += " REMOVE next_attempt_at_ms"
        else:
            expression += ", next_attempt_at_ms = :next"
            values[":next"] = next_attempt_at_ms
        return self._change(
            delivery,
            expression,
            THIS_ATTEMPT,
            values,
            lambda after: after.run == delivery.run and after.attempts[-1:] == (attempt,),
        )

    def miss(self, delivery: Delivery) -> None:
        values = {":failed": str(DeliveryStatus.FAILED), ":pending": _PENDING, ":run": delivery.run}
        expression = "SET #status = :failed REMOVE next_attempt_at_ms"
        self._change(delivery, expression, THIS_RUN, values, lambda _: False)

    def restart(
        self, delivery: Delivery, now_ms: int, record: IdempotencyRecord | None = None
    ) -> Delivery | None:
        expression = (
            "SET #status = :pending, run = run + :one, attempts_in_run = :none, next_attempt_at_ms = :now"
            " REMOVE first_failed_at_ms"
        )
        values = _counts(delivery) | {":seen": str(delivery.status), ":one": 1, ":none": 0, ":now": now_ms}
        if record:
            update = Update(_key_of(delivery), expression, AS_SEEN, values, _STATUS)
            return self.get(*_place(delivery)) if self._write(update, record, now_ms) else None
        begun = (delivery.run + 1, 0, now_ms)
        return self._change(
            delivery,
            expression,
            AS_SEEN,
            values,
            lambda after: (after.run, after.attempts_in_run, after.next_attempt_at_ms) == begun,
        )

    def _write(self, update: Update, record: IdempotencyRecord, now_ms: int) -> bool:
        """Whether the condition held. Raises `IdempotencyInFlight`, `IdempotencyKeyReused`."""
        try:
            earlier = write_with_record(self._table, [update], record, now_ms)
        except TransactionRefused:
            return False
        if earlier:
            raise IdempotencyInFlight(retry_after_seconds=1)
        return True

    def _change(
        self,
        delivery: Delivery,
        expression: str,
        condition: str,
        values: dict[str, Any],
        made_by_us: Callable[[Delivery], bool],
    ) -> Delivery | None:
        """The delivery after the change, None if the condition does not hold.

        A client that lost the answer to a change tries it again and meets what it made itself.
        """
        try:
            item = self._table.update(Update(_key_of(delivery), expression, condition, values, _STATUS))
        except ConditionFailed as failed:
            stored = _delivery_of(failed.item) if failed.item else None
            return stored if stored and made_by_us(stored) else None
        return _delivery_of(item)


def _cut(page: DeliveryPage) -> DeliveryPage:
    """The page, or as much of it as a Lambda can answer with (6 MB, in JSON within JSON)."""
    characters = 0
    for n, delivery in enumerate(page.deliveries):
        characters += sum(ATTEMPT_CHARACTERS + len(each.response or "") for each in delivery.attempts)
        if n and characters > PAGE_CHARACTERS_MAX:
            return DeliveryPage(page.deliveries[:n], ulid_of("dlv", page.deliveries[n - 1].id), page.read)
    return page


def _not_there() -> NotFound:
    return NotFound("There is no delivery with this id.")


def _key(account_id: str, webhook_id: str, delivery_id: str) -> tuple[str, str]:
    """Raises `NotFound` for what is no id of a delivery."""
    ulid = ulid_of("dlv", delivery_id)
    if ulid is None:
        raise _not_there()
    return delivery_key(account_id, webhook_id, ulid)


def _key_of(delivery: Delivery) -> tuple[str, str]:
    return _key(*_place(delivery))


def _place(delivery: Delivery) -> tuple[str, str, str]:
    return delivery.account_id, delivery.webhook_id, delivery.id


def _counts(delivery: Delivery) -> dict[str, Any]:
    return {":pending": _PENDING, ":run": delivery.run, ":made": delivery.attempts_in_run}


def _matches(delivery: Delivery, which: DeliveryFilter) -> bool:
    return which.status in (None, delivery.status) and which.event_type in (None, delivery.event_type)


def _item(delivery: Delivery) -> Item:
    pk, sk = _key_of(delivery)
    fields = asdict(delivery)
    fields |= {"status": str(delivery.status), "attempts": list(fields["attempts"])}
    return {"pk": pk, "sk": sk, "expires_at": delivery.expires_at_ms // 1000, **fields}


def _delivery_of(item: Item) -> Delivery:
    attempts = tuple(Attempt(**attempt) for attempt in item["attempts"])
    return read(Delivery, item, status=DeliveryStatus(item["status"]), attempts=attempts)
