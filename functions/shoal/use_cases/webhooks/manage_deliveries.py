"""What a caller does with deliveries: look at them, try an endpoint, send one or many again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shoal.domain.api_key import Caller
from shoal.domain.delivery import RUNS_MAX, Delivery, DeliveryStatus, delivery_of_test
from shoal.domain.errors import RateLimited, ResentTooOften, Unavailable, WebhookDisabled
from shoal.domain.webhook import REQUESTED
from shoal.domain.webhook_samples import sample_event
from shoal.ports.system import Clock, Ids
from shoal.ports.webhooks import (
    LEASE_MS,
    Deliveries,
    DeliveryFilter,
    DeliveryPage,
    DeliveryQueue,
    Lane,
    RecoverOrder,
    RecoverQueue,
    Slots,
    Subscriptions,
)

RECOVER_EVENTS_MAX = 10_000
RECOVERIES_MAX = 5
"""How many an account may begin within a slot's lease. They are not given back: most take about as long."""
TEST_PAUSE_S = 0.2


@dataclass(frozen=True, slots=True)
class ManageDeliveries:
    """`sleep` takes seconds. The webhook id `requested` stands for the `webhook_url`s of requests."""

    subscriptions: Subscriptions
    deliveries: Deliveries
    queue: DeliveryQueue
    recover_queue: RecoverQueue
    slots: Slots
    clock: Clock
    ids: Ids
    sleep: Callable[[float], None]

    def list(
        self, caller: Caller, webhook_id: str, which: DeliveryFilter, *, limit: int, cursor: str | None
    ) -> DeliveryPage:
        """Newest event first. Raises `NotFound`, `ValidationFailed` for an unknown cursor."""
        self._check(caller, webhook_id)
        return self.deliveries.page(caller.account_id, webhook_id, which, limit=limit, cursor=cursor)

    def test(
        self,
        caller: Caller,
        webhook_id: str,
        event_type: str | None,
        wait_s: float,
        *,
        ulid: str | None = None,
    ) -> Delivery:
        """Send a made-up event, also to a disabled subscription, and wait for the attempt.

        `event_type` None is one the subscription wants. Still pending after `wait_s` if others are before it.
        `ulid` makes the event's id, so that what is asked for twice is sent once. Raises `NotFound`.
        """
        subscription = self.subscriptions.get(caller.account_id, webhook_id)
        now_ms = self.clock.now_ms()
        event_id = f"evt_{ulid}" if ulid else self.ids.new("evt", now_ms)
        event = sample_event(event_type or subscription.sample_type, event_id, caller.account_id, now_ms)
        delivery = delivery_of_test(event, subscription)
        self.deliveries.open([delivery])
        self.queue.send(Lane.CAREFUL, [delivery.order()])
        while delivery.status is DeliveryStatus.PENDING and self.clock.now_ms() < now_ms + wait_s * 1000:
            self.sleep(TEST_PAUSE_S)
            delivery = self.deliveries.get(caller.account_id, webhook_id, delivery.id)
        return delivery

    def resend(
        self, caller: Caller, webhook_id: str, delivery_id: str, *, after_run: int | None = None
    ) -> Delivery:
        """Begin a delivery again, also one that was delivered. Not if it has begun since `after_run`.

        Raises `NotFound`, `WebhookDisabled`, `ResentTooOften`, `Unavailable` if it changed meanwhile.
        """
        self._check(caller, webhook_id, enabled=True)
        delivery = self.deliveries.get(caller.account_id, webhook_id, delivery_id)
        if after_run is not None and delivery.run != after_run:
            return delivery
        if delivery.run >= RUNS_MAX:
            raise ResentTooOften()
        again = self.deliveries.restart(delivery, self.clock.now_ms())
        if again is None:
            raise Unavailable(retry_after_seconds=1)
        self.queue.send(Lane.CAREFUL, [again.order()])
        return again

    def recover(self, caller: Caller, webhook_id: str, since_ms: int) -> RecoverOrder:
        """Have all that was not delivered since a moment sent again.

        Raises `NotFound`, `WebhookDisabled`, `RateLimited`: each may look at thousands of deliveries, in the
        queue of everybody's events, so an account begins only so many within a slot's lease.
        """
        self._check(caller, webhook_id, enabled=True)
        now_ms = self.clock.now_ms()
        if self.slots.take(f"{caller.account_id}#recover", RECOVERIES_MAX, now_ms) is None:
            raise RateLimited("Too many recoveries at a time.", retry_after_seconds=LEASE_MS // 1000)
        order = RecoverOrder(
            account_id=caller.account_id,
            webhook_id=webhook_id,
            since_ms=since_ms,
            until_ms=now_ms,
            left=RECOVER_EVENTS_MAX,
        )
        self.recover_queue.send(order)
        return order

    def _check(self, caller: Caller, webhook_id: str, *, enabled: bool = False) -> None:
        if webhook_id == REQUESTED:
            return
        subscription = self.subscriptions.get(caller.account_id, webhook_id)
        if enabled and not subscription.enabled:
            raise WebhookDisabled()
