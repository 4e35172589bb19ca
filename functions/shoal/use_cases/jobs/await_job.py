"""Wait a little for a job to end: one read a second, no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shoal.domain.job import Job
from shoal.ports.jobs import Jobs
from shoal.ports.system import Clock

WAIT_SECONDS_MAX = 25
READ_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class AwaitJob:
    """`sleep` takes seconds; tests bring their own."""

    jobs: Jobs
    clock: Clock
    sleep: Callable[[float], None]

    def __call__(self, account_id: str, job_id: str, wait_s: int) -> Job:
        """The job as soon as it is terminal, or as it is after `wait_s`. Raises `NotFound`."""
        until_ms = self.clock.now_ms() + min(wait_s, WAIT_SECONDS_MAX) * 1000
        job = self.jobs.get(account_id, job_id)
        while not job.status.terminal and (left_ms := until_ms - self.clock.now_ms()) > 0:
            self.sleep(min(READ_EVERY_S, left_ms / 1000))
            job = self.jobs.get(account_id, job_id)
        return job
