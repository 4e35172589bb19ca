"""What a caller does with deliveries: look at them, try an endpoint, send one or many again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from shoal.domain import errors
from shoal.domain.api_key import Caller
from shoal.domain.delivery import RUNS_MAX, Delivery, DeliveryStatus, delivery_of_test
from shoal.domain.idempotency import LIFETIME_MS, IdempotencyKey, IdempotencyRecord
from shoal.domain.webhook import REQUESTED, requested
from shoal.domain.webhook_samples import sample_event
from shoal.ports import webhooks
from shoal.ports.system import Clock, IdempotencyRecords, Ids
from shoal.use_cases.webhooks.manage_webhooks import OK, Answered, own

ACCEPTED = 202
RECOVER_EVENTS_MAX = 10_000
RECOVERIES_MAX = 5
"""How many an account may begin within a slot's lease. They are not given back: most take about as long."""
TEST_PAUSE_S = 0.2

Render = Callable[[Delivery], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ManageDeliveries:
    """`sleep` takes seconds. The webhook id `requested` stands for the `webhook_url`s of requests.

    What is asked for with an idempotency key is done once: its record is written with the delivery it
    begins, and finished once the queue has the order. Who asks again before that goes on from there.
    """

    subscriptions: webhooks.Subscriptions
    deliveries: webhooks.Deliveries
    queue: webhooks.DeliveryQueue
    recover_queue: webhooks.RecoverQueue
    slots: webhooks.Slots
    funds: webhooks.Funds
    records: IdempotencyRecords
    clock: Clock
    ids: Ids
    sleep: Callable[[float], None]

    def list(
        self,
        caller: Caller,
        webhook_id: str,
        which: webhooks.DeliveryFilter,
        *,
        limit: int,
        cursor: str | None,
    ) -> webhooks.DeliveryPage:
        """Newest event first. Raises `NotFound`, `ValidationFailed` for an unknown cursor."""
        found = self._find(caller, webhook_id)
        return self.deliveries.page(caller.account_id, found, which, limit=limit, cursor=cursor)

    def test(
        self,
        caller: Caller,
        webhook_id: str,
        event_type: str | None,
        wait_s: float,
        key: IdempotencyKey | None,
        render: Render,
    ) -> Answered:
        """Send a made-up event, also to a disabled subscription, and wait for the attempt.

        `event_type` None is one the subscription wants. Still pending after `wait_s` if others are before it.
        Raises `NotFound`, `IdempotencyKeyReused`, `IdempotencyInFlight`.
        """
        now_ms = self.clock.now_ms()
        earlier = self.records.find_record(key, now_ms) if key else None
        if earlier and earlier.done:
            return _replay(earlier)
        if earlier:
            delivery = self.deliveries.get(caller.account_id, webhook_id, earlier.job_id)
        else:
            delivery = self._begin_test(caller, webhook_id, event_type, key, now_ms)
        self.queue.send(webhooks.Lane.CAREFUL, [delivery.order()])
        answered = self._answer(key, delivery, render)
        while delivery.status is DeliveryStatus.PENDING and self.clock.now_ms() < now_ms + wait_s * 1000:
            self.sleep(TEST_PAUSE_S)
            delivery = self.deliveries.get(caller.account_id, webhook_id, delivery.id)
        return answered if delivery.status is DeliveryStatus.PENDING else self._answer(key, delivery, render)

    def resend(
        self,
        caller: Caller,
        webhook_id: str,
        delivery_id: str,
        key: IdempotencyKey | None,
        render: Render,
        *,
        after_run: int | None = None,
    ) -> Answered:
        """Begin a delivery again, also one that was delivered. Not if it has begun since `after_run`.

        Raises `NotFound`, `WebhookDisabled`, `ResentTooOften`, `Unavailable` if it changed meanwhile,
        `IdempotencyKeyReused`, `IdempotencyInFlight`.
        """
        now_ms = self.clock.now_ms()
        earlier = self.records.find_record(key, now_ms) if key else None
        if earlier and earlier.done:
            return _replay(earlier)
        found = self._find(caller, webhook_id, enabled=not earlier)
        delivery = self.deliveries.get(caller.account_id, found, delivery_id)
        if after_run is not None and delivery.run != after_run:
            return Answered(ACCEPTED, render(delivery), replayed=False)
        again = delivery if earlier else self._restart(delivery, key, now_ms)
        self.queue.send(webhooks.Lane.CAREFUL, [again.order()])
        return self._answer(key, again, render)

    def recover(
        self,
        caller: Caller,
        webhook_id: str,
        read: Callable[[], int],
        key: IdempotencyKey | None,
        render: Callable[[webhooks.RecoverOrder], Mapping[str, Any]],
    ) -> Answered:
        """Have all that was not delivered since a moment, which `read` finds in the request, sent again.

        Raises `NotFound`, `WebhookDisabled`, `RateLimited`: each may look at thousands of deliveries, in the
        queue of everybody's events, so an account begins only so many within a slot's lease. Raises also
        what `read` raises, `IdempotencyKeyReused`, `IdempotencyInFlight`.
        """
        now_ms = self.clock.now_ms()
        earlier = self.records.find_record(key, now_ms) if key else None
        if earlier and earlier.done:
            return _replay(earlier)
        begun = earlier.body if earlier else self._begin_recovery(caller, webhook_id, read(), key, now_ms)
        order = webhooks.RecoverOrder(
            account_id=caller.account_id,
            webhook_id=self._find(caller, webhook_id),
            left=RECOVER_EVENTS_MAX,
            **begun,
        )
        self.recover_queue.send(order)
        body = render(order)
        if key:
            self.records.finish(_record(key, webhook_id, body, order.until_ms))
        return Answered(ACCEPTED, body, replayed=False)

    def _begin_test(
        self, caller: Caller, webhook_id: str, event_type: str | None, key: IdempotencyKey | None, now_ms: int
    ) -> Delivery:
        subscription = own(self.subscriptions.get(caller.account_id, webhook_id), caller)
        event_id = self.ids.new("evt", now_ms)
        event = sample_event(event_type or subscription.sample_type, event_id, caller.account_id, now_ms)
        bounded = not self.funds.had_any(caller.account_id)
        delivery = replace(delivery_of_test(event, subscription), bounded=bounded)
        if self.deliveries.begin(delivery, _begun(key, delivery.id, {}, now_ms), now_ms):
            raise errors.IdempotencyInFlight(retry_after_seconds=1)
        return delivery

    def _restart(self, delivery: Delivery, key: IdempotencyKey | None, now_ms: int) -> Delivery:
        if delivery.run >= RUNS_MAX:
            raise errors.ResentTooOften()
        again = self.deliveries.restart(delivery, now_ms, _begun(key, delivery.id, {}, now_ms))
        if again is None:
            raise errors.Unavailable(retry_after_seconds=1)
        return again

    def _begin_recovery(
        self, caller: Caller, webhook_id: str, since_ms: int, key: IdempotencyKey | None, now_ms: int
    ) -> Mapping[str, int]:
        self._find(caller, webhook_id, enabled=True)
        if self.slots.take(f"{caller.account_id}#recover", RECOVERIES_MAX, now_ms) is None:
            raise errors.RateLimited(
                "Too many recoveries at a time.", retry_after_seconds=webhooks.LEASE_MS // 1000
            )
        begun = {"since_ms": since_ms, "until_ms": now_ms}
        record = _begun(key, webhook_id, begun, now_ms)
        if record and self.records.add(record, now_ms):
            raise errors.IdempotencyInFlight(retry_after_seconds=1)
        return begun

    def _answer(self, key: IdempotencyKey | None, delivery: Delivery, render: Render) -> Answered:
        status = ACCEPTED if delivery.status is DeliveryStatus.PENDING else OK
        body = render(delivery)
        if key:
            self.records.finish(_record(key, delivery.id, body, self.clock.now_ms(), status))
        return Answered(status, body, replayed=False)

    def _find(self, caller: Caller, webhook_id: str, *, enabled: bool = False) -> str:
        """Under which id its deliveries are kept. Raises `NotFound`, also for a webhook of the other mode."""
        if webhook_id == REQUESTED:
            return requested(test=caller.test)
        subscription = own(self.subscriptions.get(caller.account_id, webhook_id), caller)
        if enabled and not subscription.enabled:
            raise errors.WebhookDisabled()
        return subscription.id


def _record(
    key: IdempotencyKey, made: str, body: Mapping[str, Any], now_ms: int, status: int = ACCEPTED
) -> IdempotencyRecord:
    return IdempotencyRecord(key, made, status, body, now_ms + LIFETIME_MS)


def _begun(
    key: IdempotencyKey | None, made: str, body: Mapping[str, int], now_ms: int
) -> IdempotencyRecord | None:
    return replace(_record(key, made, body, now_ms), done=False) if key else None


def _replay(earlier: IdempotencyRecord) -> Answered:
    return Answered(earlier.status, earlier.body, replayed=True)
