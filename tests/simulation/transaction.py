"""TransactWriteItems in two phases, as "Distributed Transactions at Scale in Amazon DynamoDB" tells it.

A coordinator writes the transaction down and asks the leader of each item to prepare it. A leader that
finds its item prepared by another transaction refuses: nothing waits, so nothing deadlocks, and the caller
tries again. Once all have prepared, the transaction is decided; each leader applies its item and frees it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from tests.simulation.assumptions import (
    COMMIT,
    COMMIT_TOLD,
    COORDINATOR,
    HOP,
    PREPARE,
    TO_LEADER,
)
from tests.simulation.attributes import Item
from tests.simulation.kernel import Kernel
from tests.simulation.table import Refused, SimulatedTable, Write

_numbers = count(1)


class Canceled(Exception):
    """Nothing was written; `reasons` are those of the writes in their order, None for one that would have
    passed."""

    def __init__(self, reasons: Sequence[Refused | None]) -> None:
        self.reasons = reasons
        super().__init__(", ".join(reason.reason if reason else "None" for reason in reasons))


@dataclass
class Transaction:
    """One attempt. `run` takes as long as it takes, and raises `Canceled`."""

    kernel: Kernel
    table: SimulatedTable
    writes: Sequence[Write]
    number: int = field(default_factory=lambda: next(_numbers))
    _prepared: dict[int, tuple[Item | None, float]] = field(default_factory=dict)
    """By the place of a write: what its item becomes, and when it was locked."""

    def run(self) -> None:
        began_s = self.kernel.now_s
        self.table.measures.counts["transactions"] += 1
        self._sleep(HOP.draw_s(self.kernel.random) + COORDINATOR.draw_s(self.kernel.random))
        reasons = self._prepare()
        if any(reasons):
            self._cancel(reasons)
        self._commit()
        self._sleep(COMMIT_TOLD.draw_s(self.kernel.random) + HOP.draw_s(self.kernel.random))
        self.table.measures.transactions_s.append(self.kernel.now_s - began_s)

    def _prepare(self) -> list[Refused | None]:
        """Each leader looks when it is reached; the coordinator goes on when the last has answered."""
        reasons: list[Refused | None] = [None] * len(self.writes)
        answered_s = began_s = self.kernel.now_s
        for place in self._in_turn(began_s, lambda: TO_LEADER.draw_s(self.kernel.random)):
            reasons[place] = self._lock(place)
            answer_s = (TO_LEADER if reasons[place] else PREPARE).draw_s(self.kernel.random)
            answered_s = max(answered_s, self.kernel.now_s + answer_s)
        self._sleep(answered_s - self.kernel.now_s)
        return reasons

    def _lock(self, place: int) -> Refused | None:
        write = self.writes[place]
        try:
            new = self.table.evaluate(write)
        except Refused as refused:
            return refused
        self.table.locks[write.key] = self.number
        self._prepared[place] = new, self.kernel.now_s
        return None

    def _cancel(self, reasons: Sequence[Refused | None]) -> None:
        self._sleep(TO_LEADER.draw_s(self.kernel.random))
        for place in self._prepared:
            self._unlock(place)
        counts = self.table.measures.counts
        counts["transactions canceled"] += 1
        counts["transactions in conflict"] += any(
            r is not None and r.reason == "TransactionConflict" for r in reasons
        )
        self._sleep(HOP.draw_s(self.kernel.random))
        raise Canceled(reasons)

    def _commit(self) -> None:
        def apply_s() -> float:
            return TO_LEADER.draw_s(self.kernel.random) + COMMIT.draw_s(self.kernel.random)

        for place in self._in_turn(self.kernel.now_s, apply_s):
            self.table.commit(self.writes[place].key, self._prepared[place][0])
            self._unlock(place)

    def _unlock(self, place: int) -> None:
        del self.table.locks[self.writes[place].key]
        self.table.measures.locked_s.append(self.kernel.now_s - self._prepared[place][1])

    def _in_turn(self, began_s: float, after_s: Callable[[], float]) -> Iterator[int]:
        """The places of the writes, each at a moment of its own after the beginning."""
        turns: Iterable[tuple[float, int]] = sorted((after_s(), place) for place in range(len(self.writes)))
        for turn_s, place in turns:
            self._sleep(began_s + turn_s - self.kernel.now_s)
            yield place

    def _sleep(self, seconds: float) -> None:
        self.kernel.sleep(seconds)
