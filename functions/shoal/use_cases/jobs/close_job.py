"""Close a job from outside its workflow, and announce what the workflow could not.

The party whose transaction closes a job announces it. If it dies between the two, the job stays due and
not `announced`, so the sweeper announces it; the event ids are the same either way.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from shoal.domain.brief import Kind
from shoal.domain.canceling import canceled
from shoal.domain.errors import JobCanceled, JobError
from shoal.domain.events import UrlOf, closing_events
from shoal.domain.idempotency import IdempotencyRecord
from shoal.domain.job import Closer, Job, JobFailure
from shoal.ports.jobs import Jobs, Workflow
from shoal.ports.money import Ledger
from shoal.ports.system import Bus, Clock
from shoal.use_cases.jobs.clean_up import CleanUp
from shoal.use_cases.jobs.finish_canceled import FinishCanceled
from shoal.use_cases.jobs.limit_jobs import NoteClosed
from shoal.use_cases.money.note_low_balance import NoteLowBalance

logger = logging.getLogger(__name__)

RecordOf = Callable[[Job], IdempotencyRecord]


@dataclass(frozen=True, slots=True)
class CloseJob:
    jobs: Jobs
    ledger: Ledger
    bus: Bus
    workflow: Workflow
    note_low_balance: NoteLowBalance
    clean_up: CleanUp
    note_closed: NoteClosed
    finish_canceled: FinishCanceled
    clock: Clock
    url_of: UrlOf
    videos_bucket: str

    def __call__(self, job: Job, why: JobError, closer: Closer) -> Job:
        """Release the hold, announce, stop, clean up. Raises `JobClosed` if somebody was faster."""
        failure = JobFailure(why.code, str(why))
        return self._let_go(self.ledger.release(job, failure, closer, self.clock.now_ms()))

    def cancel(self, job: Job, retention_s: int | None, record_of: RecordOf | None = None) -> Job:
        """Capture what is billed by now, release the rest; as a close, but for what is still on the way.

        The execution of a job that waits for something goes on, and tells of its end. What `record_of`
        makes of the canceled job is written with it. Raises `JobClosed`, `CallTaken` if an output was asked
        for or answered since the job was read, `IdempotencyKeyReused`, `IdempotencyInFlight`.
        """
        why, now_ms = JobCanceled("Canceled by request."), self.clock.now_ms()
        there = self.finish_canceled.clips_of(job) if job.kind is Kind.VIDEO else frozenset()
        closed = canceled(
            job,
            JobFailure(why.code, str(why)),
            awaiting=not job.billed <= there,
            expire_at_ms=job.expiry_ms(now_ms, retention_s),
            now_ms=now_ms,
        )
        closed = self.ledger.cancel(closed, record_of(closed) if record_of else None, now_ms)
        return closed if closed.awaiting else self._let_go(closed)

    def finish(self, job: Job) -> Job:
        """End the waiting of a canceled job whose execution does not. Raises `JobClosed`."""
        return self._let_go(self.finish_canceled(job, Closer.SWEEP))

    def _let_go(self, closed: Job) -> Job:
        try:
            self.announce(closed)
        except Exception:
            # It is closed, whatever failed after that: it stays due, and the sweeper announces it.
            logger.warning("closed, not announced", extra={"job_id": closed.id}, exc_info=True)
        self.clean_up(closed)
        self.note_closed(closed)
        return closed

    def announce(self, job: Job) -> None:
        """Publish a terminal job's events and let go of it. Safe to repeat: the events keep their ids."""
        events = closing_events(job, self.url_of, self.videos_bucket)
        self.bus.publish(events + self.note_low_balance(job))
        self.jobs.mark_announced(job)
        if job.closed_by is not Closer.WORKFLOW:
            self.workflow.stop(job)
