"""Cancel: stop the work, give the hold back."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.api_key import Caller
from shoal.domain.errors import JobAlreadyTerminal, JobCanceled, JobClosed
from shoal.domain.job import Closer, Job
from shoal.use_cases.jobs.close_job import CloseJob
from shoal.use_cases.jobs.read_job import ReadJob


@dataclass(frozen=True, slots=True)
class CancelJob:
    read_job: ReadJob
    close_job: CloseJob

    def __call__(self, caller: Caller, job_id: str) -> Job:
        """The canceled job. Raises `NotFound` as `ReadJob` does, `JobAlreadyTerminal`."""
        job = self.read_job(caller, job_id)
        if job.status.terminal:
            raise JobAlreadyTerminal()
        try:
            return self.close_job(job, JobCanceled("Canceled by request."), Closer.CANCEL)
        except JobClosed:
            raise JobAlreadyTerminal() from None
