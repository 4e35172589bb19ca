"""What both lanes of deliveries do with a batch of orders: all at once, for each of them mostly waits.

An endpoint may take ten seconds to answer. A batch that waits for such ones goes on taking orders from the
queue, or a few slow endpoints would keep every function waiting, and so everybody else's events.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSEvent

from shoal.domain.delivery import ORDERS_AT_ONCE_MAX, Order
from shoal.domain.errors import Unavailable
from shoal.observability import count_attempt, count_disabled, flush_metrics, log_failure, logger
from shoal.ports.webhooks import OrderQueue, TakenOrder
from shoal.use_cases.webhooks.deliver_webhook import Done

if TYPE_CHECKING:
    from shoal.composition.webhooks import Delivering

THREADS = 32
LAST_ORDER_MS = 15_000
"""What must be left of the function's time to begin another attempt: more than the longest takes."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """A Lambda handler around the use case. An order that fails is tried again, then is a dead letter."""

    build: Callable[[], Delivering]
    threads: ThreadPoolExecutor = field(
        default_factory=partial(ThreadPoolExecutor, THREADS, thread_name_prefix="attempt")
    )
    patience_s: float = 1.0
    """After this long what is still under way is waiting for a slow endpoint."""

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        using = self.build()
        bodies = {record.message_id: record.body for record in SQSEvent(event).records}
        given = {id_: order for id_, body in bodies.items() if (order := _order(body))}
        failures: list[str] = [id_ for id_ in bodies if id_ not in given]
        under_way: dict[Future[Done], TakenOrder] = {}

        def begin(orders: Iterable[TakenOrder]) -> set[Future[Done]]:
            begun = {self.threads.submit(using.deliver_webhook, taken.order): taken for taken in orders}
            under_way.update(begun)
            return set(begun)

        fresh = begin(TakenOrder(order, message_id) for message_id, order in given.items())
        while under_way:
            wait(fresh, timeout=self.patience_s)
            ended = [(under_way.pop(doing), doing) for doing in list(under_way) if doing.done()]
            seen_to = [taken for taken, doing in ended if _complete(taken.order, doing)]
            failures += [taken.message_id for taken, _ in ended if taken not in seen_to]
            _finish(using.queue, [taken for taken in seen_to if taken.receipt])
            room = min(ORDERS_AT_ONCE_MAX, THREADS - len(under_way))
            if under_way and room and context.get_remaining_time_in_millis() > LAST_ORDER_MS:
                fresh = begin(_take(using.queue, room))
            else:
                fresh = set(under_way)
        flush_metrics()
        return {"batchItemFailures": [{"itemIdentifier": id_} for id_ in failures if id_ in bodies]}


def _order(body: str) -> Order | None:
    """None for what cannot be read: alone it becomes a dead letter."""
    try:
        return Order(**json.loads(body))
    except (TypeError, ValueError):
        logger.exception("order unreadable")
        return None


def _take(queue: OrderQueue, orders_max: int) -> list[TakenOrder]:
    try:
        return queue.take(orders_max)
    except Unavailable:
        logger.warning("no further orders taken", exc_info=True)
        return []


def _finish(queue: OrderQueue, seen_to: list[TakenOrder]) -> None:
    try:
        queue.finish(seen_to)
    except Unavailable:
        # The queue delivers them again, and they are found to be done.
        logger.warning("orders not finished", exc_info=True)


def _complete(order: Order, doing: Future[Done]) -> bool:
    try:
        done = doing.result()
    except Exception as error:  # noqa: BLE001 - the queue hands it out again
        log_failure(error, "order failed", delivery_id=order.delivery_id)
        return False
    _report(order, done)
    return True


def _report(order: Order, done: Done) -> None:
    """One line per order. The address is not in it: it may carry a secret of its owner."""
    attempt = done.attempt
    logger.info(
        "order seen to",
        extra={
            "account_id": order.account_id,
            "webhook_id": order.webhook_id,
            "delivery_id": order.delivery_id,
            "event_type": done.event_type,
            "attempt": order.attempt,
            "outcome": done.outcome,
            "status_code": attempt and attempt.status_code,
            "error": attempt and attempt.error,
            "duration_ms": attempt and attempt.duration_ms,
        },
    )
    if attempt:
        count_attempt(attempt.succeeded, done.age_ms, done.disabled)
    elif done.disabled:
        count_disabled()
