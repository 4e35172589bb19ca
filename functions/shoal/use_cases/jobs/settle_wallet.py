"""SettleWallet: complete the job and capture its hold, once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from shoal.domain.errors import JobClosed, Unavailable
from shoal.domain.events import Event, UrlOf, closing_events
from shoal.domain.job import Closer, Job, JobStatus, Output
from shoal.ports.jobs import Jobs, Runs
from shoal.ports.money import Ledger
from shoal.ports.system import Clock
from shoal.use_cases.jobs.limit_jobs import NoteClosed
from shoal.use_cases.money.note_low_balance import NoteLowBalance

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SettleWallet:
    """`retention_s` is how long the stage keeps outputs, None for ever."""

    jobs: Jobs
    ledger: Ledger
    runs: Runs
    note_low_balance: NoteLowBalance
    note_closed: NoteClosed
    clock: Clock
    url_of: UrlOf
    retention_s: int | None = None

    def __call__(self, account_id: str, job_id: str, outputs: Sequence[Output]) -> tuple[Job, list[Event]]:
        """The completed job and the events to publish; the same again when run again.

        Only what was delivered is charged; the rest of the hold is released with it. Raises `JobClosed` when
        the job ended otherwise: the late output is recorded, never charged.
        """
        job = self.jobs.get(account_id, job_id)
        if not job.status.terminal:
            job = self._capture(job, outputs)
        if job.status is not JobStatus.COMPLETED:
            self.jobs.note_late_output(job, self.clock.now_ms())
            raise JobClosed(job.id)
        self.note_closed(job)
        return job, closing_events(job, self.url_of) + self.note_low_balance(job)

    def _capture(self, job: Job, outputs: Sequence[Output]) -> Job:
        now_ms = self.clock.now_ms()
        expire_at_ms = self._expire_at_ms(job, now_ms)
        try:
            closed = self.ledger.capture(job, outputs, expire_at_ms, Closer.WORKFLOW, now_ms)
        except JobClosed:
            return self.jobs.get(job.account_id, job.id)
        self._note_run(closed)
        return closed

    def _expire_at_ms(self, job: Job, now_ms: int) -> int | None:
        kept = [seconds for seconds in (job.submission.ttl_s, self.retention_s) if seconds is not None]
        return now_ms + min(kept) * 1000 if kept else None

    def _note_run(self, job: Job) -> None:
        try:
            self.runs.note(job)
        except Unavailable:
            # Only an estimate lives on it: the next run is noted again.
            logger.warning("run not noted", extra={"job_id": job.id})
