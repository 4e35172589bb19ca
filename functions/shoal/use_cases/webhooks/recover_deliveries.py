"""RecoverDeliveries: go through deliveries, newest first, and send again what did not arrive."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shoal.domain.delivery import RUNS_MAX, Delivery, DeliveryStatus, Order
from shoal.ports.system import Clock
from shoal.ports.webhooks import Deliveries, DeliveryFilter, DeliveryQueue, Lane, RecoverOrder, RecoverQueue

PAGE = 100
"""Deliveries one order to recover looks at before it passes the rest on."""

OVERDUE_MS = 3_600_000
"""A pending delivery this late has been lost on the way, not delayed."""


@dataclass(frozen=True, slots=True)
class RecoverDeliveries:
    deliveries: Deliveries
    queue: DeliveryQueue
    recover_queue: RecoverQueue
    clock: Clock

    def __call__(self, order: RecoverOrder) -> int:
        """How many are sent again. Run again it orders again what has not been tried since, and no more."""
        which = DeliveryFilter(from_ms=order.since_ms, to_ms=order.until_ms)
        limit = min(PAGE, order.left)
        page = self.deliveries.page(
            order.account_id, order.webhook_id, which, limit=limit, cursor=order.cursor
        )
        again = [found for delivery in page.deliveries if (found := self._again(delivery, order))]
        self.queue.send(Lane.CAREFUL, again)
        left = order.left - len(page.deliveries)
        if page.next_cursor and left > 0:
            self.recover_queue.send(replace(order, cursor=page.next_cursor, left=left))
        return len(again)

    def _again(self, delivery: Delivery, order: RecoverOrder) -> Order | None:
        """A new run, in which orders of the run before are stale: recovering again multiplies none."""
        now_ms, pending = self.clock.now_ms(), delivery.status is DeliveryStatus.PENDING
        due_ms = delivery.next_attempt_at_ms or delivery.event_at_ms
        if pending and not delivery.attempts_in_run and due_ms >= order.until_ms:
            return delivery.order()  # begun by this very order, which may have died before it was sent
        lost = pending and due_ms < now_ms - OVERDUE_MS
        missing = lost or delivery.status is DeliveryStatus.FAILED
        if missing and not delivery.once and delivery.run < RUNS_MAX:
            # Not before `until_ms` though clocks differ: that is how this order knows its own again.
            restarted = self.deliveries.restart(delivery, max(now_ms, order.until_ms))
            return restarted.order() if restarted else None
        return None
