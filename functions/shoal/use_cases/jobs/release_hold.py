"""ReleaseHold: close the job without charge, once."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.errors import JobClosed
from shoal.domain.events import Event, UrlOf, closing_events
from shoal.domain.failures import job_failure
from shoal.domain.job import Closer, Job, JobFailure
from shoal.ports.jobs import Jobs
from shoal.ports.money import Ledger
from shoal.ports.system import Clock
from shoal.use_cases.jobs.clean_up import CleanUp
from shoal.use_cases.jobs.finish_canceled import FinishCanceled
from shoal.use_cases.jobs.limit_jobs import NoteClosed


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    jobs: Jobs
    ledger: Ledger
    clean_up: CleanUp
    note_closed: NoteClosed
    finish_canceled: FinishCanceled
    clock: Clock
    url_of: UrlOf
    videos_bucket: str

    def __call__(self, account_id: str, job_id: str, error: str, cause: str) -> tuple[Job, list[Event]]:
        """The closed job and the events to publish; the same again when run again.

        `error` and `cause` are what the state machine caught. A job the workflow had already completed
        stays completed. Raises `JobClosed` when somebody else closed it, who then announces it.
        """
        job = self.jobs.get(account_id, job_id)
        if not job.status.terminal:
            job = self._release(job, job_failure(error, cause, job))
        if job.awaiting:
            job = self._finish(job)
        if job.closed_by is not Closer.WORKFLOW:
            raise JobClosed(job.id)
        self.clean_up(job)
        self.note_closed(job)
        return job, closing_events(job, self.url_of, self.videos_bucket)

    def _finish(self, job: Job) -> Job:
        """It was canceled, and no more of what was captured comes."""
        try:
            return self.finish_canceled(job, Closer.WORKFLOW)
        except JobClosed:
            return self.jobs.get(job.account_id, job.id)

    def _release(self, job: Job, failure: JobFailure) -> Job:
        try:
            return self.ledger.release(job, failure, Closer.WORKFLOW, self.clock.now_ms())
        except JobClosed:
            return self.jobs.get(job.account_id, job.id)
