"""What goes on beside the orders: workers die, workers stand still, AWS fails."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.faults import LOG, PERSISTS, PLAN
from tests.chaos.workers import workers

KILLED_SHARE = 0.7
"""Of the workers that are disturbed; the others are paused."""
PAUSE_SECONDS_MAX = 5.0


@dataclass
class Disturbance:
    """Disturbs a worker of a function drawn at random every so many seconds, while it is under way.

    `spared` are functions that are left alone.
    """

    cloud_folder: Path
    chance: random.Random
    every_s: float
    spared: frozenset[str]
    kills: Counter[str] = field(default_factory=Counter)
    pauses: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def under_way(self, *, seed: int, rate: float) -> Iterator[None]:
        """Until the context ends. `rate` is the share of calls that fail."""
        plan, over = self.cloud_folder / PLAN, threading.Event()
        thread = threading.Thread(target=self._disturb, args=(over,))
        plan.write_text(json.dumps({"seed": seed, "rate": rate, "persists": PERSISTS}))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            plan.unlink()

    def _disturb(self, over: threading.Event) -> None:
        while not over.wait(self.chance.uniform(0.5, 1.5) * self.every_s):
            there = [each for each in workers(self.cloud_folder) if each.function not in self.spared]
            functions = sorted({worker.function for worker in there})
            if not functions:
                continue
            function = self.chance.choice(functions)
            worker = self.chance.choice([each for each in there if each.function == function])
            if self.chance.random() < KILLED_SHARE:
                worker.kill()
                self.kills[function] += 1
            else:
                worker.pause(self.chance.uniform(0.2, PAUSE_SECONDS_MAX))
                self.pauses[function] += 1

    def faults(self) -> Counter[str]:
        """How many calls failed so far, by kind."""
        log = self.cloud_folder / LOG
        lines = log.read_text().splitlines() if log.exists() else []
        return Counter(line.partition("\t")[0] for line in lines)
