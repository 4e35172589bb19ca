"""What an account may have open at once, and may let come to nothing: asked at a submit, noted at a close."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from shoal.domain.errors import Forbidden, RateLimited
from shoal.domain.job import Job
from shoal.domain.spend import Spend, spend_of
from shoal.ports.catalogs import Catalogs
from shoal.ports.limits import OpenJobs
from shoal.ports.system import Clock

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NoteClosed:
    """Called once a job is closed. Safe to repeat."""

    open_jobs: OpenJobs
    catalogs: Catalogs
    clock: Clock

    def __call__(self, job: Job) -> None:
        """Count a closed job out, with what it cost for nothing."""
        try:
            self.open_jobs.leave(
                job, spend_of(job, self.catalogs.of(job.catalog_version)), self.clock.now_ms()
            )
        except Exception:
            # It is closed all the same: it is counted out when the account next reaches its limit.
            logger.warning("closed, not counted out", extra={"job_id": job.id}, exc_info=True)


@dataclass(frozen=True, slots=True)
class LimitJobs:
    """`jobs_max` may be open in each mode. `failures_multiple` of what was captured may come to nothing."""

    open_jobs: OpenJobs
    note_closed: NoteClosed
    clock: Clock
    jobs_max: int
    failures_multiple: int

    def enter(self, job: Job) -> None:
        """Count a new job in. Raises `RateLimited`, `Forbidden`: then it is not counted."""
        try:
            spend = self.open_jobs.enter(job, self.jobs_max, self.clock.now_ms())
        except RateLimited:
            ended = self.open_jobs.ended(job, self.clock.now_ms())
            if not ended:
                raise
            for each in ended:
                self.note_closed(each)
            spend = self.open_jobs.enter(job, self.jobs_max, self.clock.now_ms())
        if not job.test and spend.exceeds(self.failures_multiple):
            self.leave(job)
            raise Forbidden(
                "Too much of what this account asked for today was canceled or refused. Ask the operator.",
                details={"limit": "failures"},
            )

    def leave(self, job: Job, for_nothing: int = 0) -> None:
        """Count out a job that was not accepted, with what it cost all the same, in micro-dollars."""
        try:
            self.open_jobs.leave(job, Spend(for_nothing), self.clock.now_ms())
        except Exception:
            # Why it was refused matters more: it is counted out when the account next reaches its limit.
            logger.warning("refused, not counted out", extra={"job_id": job.id}, exc_info=True)
