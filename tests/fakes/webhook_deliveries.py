"""Deliveries, slots and sealed secrets in memory, under the conditions of the adapters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shoal.domain.delivery import Attempt, Delivery, DeliveryStatus, Order
from shoal.domain.errors import IdempotencyInFlight, NotFound
from shoal.domain.idempotency import IdempotencyRecord
from shoal.domain.webhook import REQUESTED_IN_TEST, REQUESTS
from shoal.ports.webhooks import LEASE_MS, DeliveryFilter, DeliveryPage, Loaded, Slot
from tests.fakes.network import Network
from tests.fakes.webhooks import WebhookTables, reached


@dataclass
class FakeDeliveries:
    network: Network
    tables: WebhookTables
    port: str = "deliveries"

    @reached
    def open(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            self.tables.deliveries.setdefault(delivery.id, delivery)

    @reached
    def begin(
        self, delivery: Delivery, record: IdempotencyRecord | None, now_ms: int
    ) -> IdempotencyRecord | None:
        if record and (earlier := self.tables.find_record(record.key, now_ms)):
            return earlier
        self.tables.deliveries[delivery.id] = delivery
        self.tables.record(record)
        return None

    @reached
    def load(self, order: Order) -> Loaded:
        subscription = self.tables.subscriptions.get(order.webhook_id)
        test, requested = order.webhook_id == REQUESTED_IN_TEST, order.webhook_id in REQUESTS
        return Loaded(
            delivery=self.tables.deliveries.get(order.delivery_id),
            subscription=subscription,
            account_secret=self.tables.account_secrets.get((order.account_id, test)) if requested else None,
        )

    @reached
    def get(self, account_id: str, webhook_id: str, delivery_id: str) -> Delivery:
        found = self.tables.deliveries.get(delivery_id)
        if found is None or (found.account_id, found.webhook_id) != (account_id, webhook_id):
            raise NotFound("There is no delivery with this id.")
        return found

    @reached
    def page(
        self, account_id: str, webhook_id: str, which: DeliveryFilter, *, limit: int, cursor: str | None
    ) -> DeliveryPage:
        mine = sorted(
            (
                each
                for each in self.tables.deliveries.values()
                if (each.account_id, each.webhook_id) == (account_id, webhook_id)
                and (which.from_ms or 0) <= each.event_at_ms
                and (which.to_ms is None or each.event_at_ms < which.to_ms)
                and (cursor is None or each.id < cursor)
                and which.status in (None, each.status)
                and which.event_type in (None, each.event_type)
            ),
            key=lambda each: each.id,
            reverse=True,
        )
        more = len(mine) > limit
        return DeliveryPage(tuple(mine[:limit]), mine[limit - 1].id if more else None, len(mine))

    @reached
    def succeed(self, delivery: Delivery, attempt: Attempt) -> None:
        if stored := self.tables.deliveries.get(delivery.id):
            self._store(
                self._tried(stored, attempt), status=DeliveryStatus.DELIVERED, next_attempt_at_ms=None
            )

    @reached
    def fail(
        self, delivery: Delivery, attempt: Attempt, failed_at_ms: int, next_attempt_at_ms: int | None
    ) -> Delivery | None:
        stored = self.tables.deliveries[delivery.id]
        if stored.status is not DeliveryStatus.PENDING or self._place(stored) != self._place(delivery):
            ours = stored.run == delivery.run and stored.attempts[-1:] == (attempt,)
            return stored if ours else None
        return self._store(
            self._tried(stored, attempt),
            status=DeliveryStatus.FAILED if next_attempt_at_ms is None else DeliveryStatus.PENDING,
            next_attempt_at_ms=next_attempt_at_ms,
            first_failed_at_ms=stored.first_failed_at_ms or failed_at_ms,
        )

    @reached
    def miss(self, delivery: Delivery) -> None:
        stored = self.tables.deliveries[delivery.id]
        if stored.status is DeliveryStatus.PENDING and stored.run == delivery.run:
            self._store(stored, status=DeliveryStatus.FAILED, next_attempt_at_ms=None)

    @reached
    def restart(
        self, delivery: Delivery, now_ms: int, record: IdempotencyRecord | None = None
    ) -> Delivery | None:
        if record and self.tables.find_record(record.key, now_ms):
            raise IdempotencyInFlight(retry_after_seconds=1)
        stored = self.tables.deliveries[delivery.id]
        if stored.status is not delivery.status or self._place(stored) != self._place(delivery):
            begun = (*self._place(stored), stored.next_attempt_at_ms)
            return stored if begun == (delivery.run + 1, 0, now_ms) else None
        self.tables.record(record)
        return self._store(
            stored,
            status=DeliveryStatus.PENDING,
            run=stored.run + 1,
            attempts_in_run=0,
            next_attempt_at_ms=now_ms,
            first_failed_at_ms=None,
        )

    @staticmethod
    def _place(delivery: Delivery) -> tuple[int, int]:
        return delivery.run, delivery.attempts_in_run

    @staticmethod
    def _tried(stored: Delivery, attempt: Attempt) -> Delivery:
        attempts = (*stored.attempts, attempt)
        return replace(stored, attempts=attempts, attempts_in_run=stored.attempts_in_run + 1)

    def _store(self, delivery: Delivery, **changes: Any) -> Delivery:
        stored = self.tables.deliveries[delivery.id] = replace(delivery, **changes)
        return stored


@dataclass
class FakeSlots:
    network: Network
    ends: dict[tuple[str, int], int] = field(default_factory=dict)
    port: str = "slots"

    @reached
    def take(self, endpoint: str, slots_max: int, now_ms: int) -> Slot | None:
        for number in range(slots_max):
            if self.ends.get((endpoint, number), 0) <= now_ms:
                self.ends[endpoint, number] = now_ms + LEASE_MS
                return Slot(endpoint, number, now_ms + LEASE_MS)
        return None

    @reached
    def free(self, slot: Slot) -> None:
        if self.ends.get((slot.holder, slot.number)) == slot.until_ms:
            del self.ends[slot.holder, slot.number]


@dataclass
class FakeSecretBox:
    network: Network
    port: str = "secret_box"

    @reached
    def seal(self, secret: str, account_id: str, webhook_id: str) -> str:
        return f"{account_id}/{webhook_id}/{secret[::-1]}"

    @reached
    def open(self, sealed: str, account_id: str, webhook_id: str) -> str:
        context = f"{account_id}/{webhook_id}/"
        if not sealed.startswith(context):
            raise ValueError("sealed for somebody else")
        return sealed.removeprefix(context)[::-1]


@dataclass
class FakeHostCounts:
    """By account, host and minute."""

    network: Network
    sends: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    port: str = "host_counts"

    @reached
    def take(self, account_id: str, host: str, sends_max: int, now_ms: int) -> bool:
        place = (account_id, host, now_ms // 60_000)
        room = self.sends[place] < sends_max
        self.sends[place] += room
        return room


@dataclass
class FakeFunds:
    """`penniless` are the accounts that never had money."""

    network: Network
    penniless: set[str] = field(default_factory=set)
    port: str = "funds"

    @reached
    def had_any(self, account_id: str) -> bool:
        return account_id not in self.penniless
