"""Virtual time: synchronous code runs unchanged as processes, and every wait is an event.

A process is a greenlet. It runs until it sleeps, then the one that is due next runs: one at a time, in an
order that only the seed decides. Nothing here waits for the wall clock.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable, Iterable
from itertools import count
from random import Random
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

Given = TypeVar("Given")
Result = TypeVar("Result")

EPOCH_MS = 1_800_000_000_000
"""Unix time, in milliseconds, at which every simulation begins."""


class Kernel:
    """The time, the randomness and the processes of one simulated world.

    It belongs to the greenlet that made it: that one runs it, and no process does.
    """

    def __init__(self, seed: int) -> None:
        self.now_s = 0.0
        self.random = Random(seed)  # noqa: S311 - nothing here is secret
        self._hub = getcurrent()
        self._order = count()
        self._due: list[tuple[float, int, Any]] = []

    def now_ms(self) -> int:
        """Unix time in milliseconds: this is a `Clock` as the product knows it."""
        return EPOCH_MS + int(self.now_s * 1000)

    def spawn(self, process: Callable[[], object], after_s: float = 0.0) -> None:
        """Have a process begin. Whatever it raises comes out of `step` and `run`."""
        self._wake(greenlet(process, parent=self._hub), after_s)

    def sleep(self, seconds: float) -> None:
        """Let that much time pass for the calling process. Raises RuntimeError outside of one."""
        process = getcurrent()
        if process is self._hub:
            raise RuntimeError("only a process can sleep")
        self._wake(process, seconds)
        self._hub.switch()

    def step(self) -> None:
        """Run the process that is due next until it sleeps or ends. Raises RuntimeError if there is none."""
        if not self._due:
            raise RuntimeError("no process is left")
        self.now_s, _, process = heapq.heappop(self._due)
        process.switch()

    def run(self, until_s: float = math.inf) -> None:
        """Run everything that is due up to a moment; without one, until nothing is left to do."""
        while self._due and self._due[0][0] <= until_s:
            self.step()
        if until_s < math.inf:
            self.now_s = until_s

    def result_of(self, process: Callable[[], Result]) -> Result:
        """Run all processes until this one has ended. Returns what it returned, raises what any process
        raised."""
        results: list[Result] = []
        self.spawn(lambda: results.append(process()))
        while not results:
            self.step()
        return results[0]

    def at_once(
        self, work: Callable[[Given], Result], each: Iterable[Given], *, processes: int
    ) -> list[Result]:
        """Have so many processes do the work on each, while the calling process waits."""
        waiting, results = deque(enumerate(each)), dict[int, Result]()
        caller, working = getcurrent(), min(processes, len(waiting))

        def worker() -> None:
            nonlocal working
            while waiting:
                number, given = waiting.popleft()
                results[number] = work(given)
            working -= 1
            if not working:
                self._wake(caller, 0.0)

        for _ in range(working):
            self.spawn(worker)
        if working:
            self._hub.switch()
        return [results[number] for number in sorted(results)]

    def _wake(self, process: Any, after_s: float) -> None:
        heapq.heappush(self._due, (self.now_s + max(0.0, after_s), next(self._order), process))
