"""Cancel: stop the work, give back what has cost nothing."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.api_key import Caller
from shoal.domain.errors import CallTaken, JobAlreadyTerminal, JobClosed, Unavailable
from shoal.domain.job import Job
from shoal.use_cases.jobs.close_job import CloseJob
from shoal.use_cases.jobs.read_job import ReadJob

LOOKS_MAX = 6
"""How often a job is looked at again because an output was asked for or answered meanwhile."""


@dataclass(frozen=True, slots=True)
class CancelJob:
    """`retention_s` is how long the stage keeps outputs, None for ever."""

    read_job: ReadJob
    close_job: CloseJob
    retention_s: int | None = None

    def __call__(self, caller: Caller, job_id: str) -> Job:
        """The canceled job, whose `cost` is what was captured. Raises `NotFound` as `ReadJob` does,
        `JobAlreadyTerminal`, and `Unavailable` if the job changes with every look."""
        for _ in range(LOOKS_MAX):
            job = self.read_job(caller, job_id)
            if job.status.terminal:
                raise JobAlreadyTerminal()
            try:
                return self.close_job.cancel(job, self.retention_s)
            except CallTaken:
                continue
            except JobClosed:
                raise JobAlreadyTerminal() from None
        raise Unavailable(retry_after_seconds=1)
