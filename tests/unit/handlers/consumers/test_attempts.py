"""The handler of both lanes: a batch side by side, and more while something in it waits."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import cast

from shoal.composition.webhooks import Delivering
from shoal.domain.delivery import Order
from shoal.domain.errors import Unavailable
from shoal.handlers.consumers.attempts import LAST_ORDER_MS, Attempts
from shoal.ports.webhooks import TakenOrder
from shoal.use_cases.webhooks.deliver_webhook import DeliverWebhook, Done, Outcome

WAITS_SECONDS_MAX = 10.0


def order(name: str) -> Order:
    return Order("acc_x", "wh_x", name)


@dataclass
class Queue:
    """Hands out `waiting`, in pieces of one; remembers what was finished."""

    waiting: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    broken: bool = False
    asked: int = 0
    empty: threading.Event = field(default_factory=threading.Event)

    def take(self, orders_max: int) -> list[TakenOrder]:
        assert orders_max > 0
        self.asked += 1
        if self.broken:
            self.empty.set()
            raise Unavailable
        if not self.waiting:
            self.empty.set()
            return []
        name = self.waiting.pop(0)
        return [TakenOrder(order(name), f"message of {name}", f"receipt of {name}")]

    def finish(self, taken: Sequence[TakenOrder]) -> None:
        if self.broken and taken:
            raise Unavailable
        self.finished += [each.order.delivery_id for each in taken]


class Context:
    """What Lambda tells of the time that is left."""

    def __init__(self, remaining_ms: int = 60_000) -> None:
        self._remaining_ms = remaining_ms

    def get_remaining_time_in_millis(self) -> int:
        return self._remaining_ms


def run(
    see_to: Callable[[str], object], queue: Queue, *names: str, context: Context | None = None
) -> list[str]:
    """The names of the orders that are reported as failed."""

    def deliver(given: Order) -> Done:
        see_to(given.delivery_id)
        return Done(Outcome.DELIVERED)

    records = [{"messageId": name, "body": json.dumps(asdict(order(name)))} for name in names]
    using = Delivering(cast(DeliverWebhook, deliver), queue)
    handler = replace(Attempts(lambda: using), patience_s=0.01)
    answer = handler({"Records": records}, context or Context())
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_a_batch_is_seen_to_side_by_side() -> None:
    together = threading.Barrier(10)

    assert run(lambda _: together.wait(WAITS_SECONDS_MAX), Queue(), *"abcdefghij") == []


def test_only_what_failed_is_reported() -> None:
    def fail_b(name: str) -> None:
        if name == "b":
            raise Unavailable

    assert run(fail_b, Queue(), "a", "b", "c") == ["b"]


def test_while_one_waits_others_are_taken_and_finished() -> None:
    queue = Queue(waiting=["x", "y"])

    def wait_for_others(name: str) -> None:
        if name == "slow":
            assert queue.empty.wait(WAITS_SECONDS_MAX)

    assert run(wait_for_others, queue, "slow", "a") == []
    assert sorted(queue.finished) == ["x", "y"]


def test_a_batch_that_waits_for_nobody_takes_nothing_more() -> None:
    queue = Queue(waiting=["x"])

    assert run(lambda _: None, queue, "a", "b") == []
    assert queue.asked == 0


def test_what_was_taken_and_failed_is_left_to_the_queue() -> None:
    queue = Queue(waiting=["x", "y"])

    def fail_x(name: str) -> None:
        if name == "x":
            raise Unavailable
        if name == "slow":
            assert queue.empty.wait(WAITS_SECONDS_MAX)

    assert run(fail_x, queue, "slow") == []
    assert queue.finished == ["y"]


def test_nothing_is_begun_that_could_not_be_ended_in_time() -> None:
    queue = Queue(waiting=["x"])
    release = threading.Event()
    timer = threading.Timer(0.1, release.set)
    timer.start()

    assert run(lambda _: release.wait(WAITS_SECONDS_MAX), queue, "a", context=Context(LAST_ORDER_MS)) == []
    assert queue.asked == 0


def test_a_queue_that_cannot_be_reached_fails_no_order() -> None:
    queue = Queue(broken=True)

    assert run(lambda _: queue.empty.wait(WAITS_SECONDS_MAX), queue, "a") == []
