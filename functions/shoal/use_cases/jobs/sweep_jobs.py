"""Sweep: nothing is ever left waiting, held or unannounced."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from shoal.domain.errors import JobClosed
from shoal.domain.job import START_GRACE_MS
from shoal.ports.jobs import Due, Jobs
from shoal.ports.system import AtOnce, Clock, TimeLeft, unlimited
from shoal.use_cases.jobs.see_to_job import SeeToJob

logger = logging.getLogger(__name__)

RESERVE_S = 5.0
"""With less time left no job is begun. One takes tens of milliseconds, and seconds when it is throttled."""
PART = 200
"""Jobs between two reports: one or two seconds' work."""

Report = Callable[[Counter[str]], None]
"""Is told how much was done of what."""


@dataclass(frozen=True, slots=True)
class SweepJobs:
    jobs: Jobs
    see_to_job: SeeToJob
    clock: Clock
    at_once: AtOnce

    def __call__(self, time_left: TimeLeft = unlimited, report: Report = lambda _: None) -> Counter[str]:
        """Handle overdue jobs of all shards, the longest due first, until none is left or the time runs out.

        Returns how many were started, closed, announced and so on; `report` is told of each part of them.
        What waits for want of time, the next sweep sees to. Several sweeps at once share the work.
        """
        total: Counter[str] = Counter()
        shards = self.jobs.due(self.clock.now_ms())
        while shards and time_left() > RESERVE_S:
            pages = self.at_once(_next_page, shards)
            shards = [shard for shard, page in zip(shards, pages, strict=True) if page]
            total["unread"] += pages.count(None)
            due = sorted(each for page in pages for each in page or ())
            for start in range(0, len(due), PART):
                outcomes = self.at_once(partial(self._take, time_left), due[start : start + PART])
                done = Counter(outcome for outcome in outcomes if outcome)
                report(done)
                total += done
        return +total

    def _take(self, time_left: TimeLeft, due: Due) -> str | None:
        """What was done with the job; None if another sweep has it."""
        if time_left() <= RESERVE_S:
            return "waiting"
        try:
            # Claiming moves the deadline, so of two sweepers only one acts, and a crash costs one minute.
            job = self.jobs.claim(due, self.clock.now_ms() + START_GRACE_MS)
            return self.see_to_job(job) if job else None
        except JobClosed:
            return "left"
        except Exception:
            # One job that fails must not keep the others waiting.
            logger.warning("job deferred to the next sweep", extra={"job_ulid": due.ulid}, exc_info=True)
            return "deferred"


def _next_page(shard: Iterator[Sequence[Due]]) -> Sequence[Due] | None:
    """Empty at the end, None if it cannot be read: the other shards do not wait for it."""
    try:
        return next(shard, ())
    except Exception:
        logger.warning("shard left to the next sweep", exc_info=True)
        return None
