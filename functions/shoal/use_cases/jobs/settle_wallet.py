"""SettleWallet: complete the job and capture its hold, once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from shoal.domain.brief import Kind
from shoal.domain.errors import JobClosed, Unavailable
from shoal.domain.events import Event, UrlOf, closing_events
from shoal.domain.job import Closer, Job, JobStatus, Output
from shoal.ports.jobs import Jobs, Runs
from shoal.ports.money import Ledger
from shoal.ports.system import Beside, Clock, in_turn
from shoal.use_cases.jobs.finish_canceled import FinishCanceled
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
    finish_canceled: FinishCanceled
    clock: Clock
    url_of: UrlOf
    videos_bucket: str
    retention_s: int | None = None
    beside: Beside = in_turn

    def __call__(self, account_id: str, job_id: str, outputs: Sequence[Output]) -> tuple[Job, list[Event]]:
        """The completed job and the events to publish; the same again when run again.

        Only what was delivered is charged; the rest of the hold is released with it. What a cancel captured
        and awaits is delivered, too. Raises `JobClosed` when the job ended otherwise: the late output is
        recorded, never charged.
        """
        found = self.jobs.get(account_id, job_id)
        near = self.beside(partial(self.note_low_balance.is_near, found))
        noted = [self.beside(note) for note in self._notes(found, outputs)]
        try:
            job = self._finish(found, outputs) if found.status.terminal else self._capture(found, outputs)
        finally:
            for wait in (*noted, near):
                wait()
        delivered = job.captured and job.closed_by is Closer.WORKFLOW
        if job.status is not JobStatus.COMPLETED and not delivered:
            self.jobs.note_late_output(job, self.clock.now_ms())
            raise JobClosed(job.id)
        low = self.note_low_balance(job) if near() else []
        return job, closing_events(job, self.url_of, self.videos_bucket) + low

    def _notes(self, found: Job, outputs: Sequence[Output]) -> list[Callable[[], None]]:
        """What is counted beside the capture, as if it succeeded: limits and estimates, never money.

        An output that is stored is captured sooner or later, even of a job that is canceled meanwhile.
        """
        if found.status.terminal:
            return [partial(self.note_closed, found)]
        job = replace(found, cost=found.cost_of(outputs), closed_at_ms=self.clock.now_ms())
        return [partial(self.note_closed, job), partial(self._note_run, job)]

    def _capture(self, job: Job, outputs: Sequence[Output]) -> Job:
        now_ms = self.clock.now_ms()
        expire_at_ms = job.expiry_ms(now_ms, self.retention_s)
        try:
            return self.ledger.capture(job, outputs, expire_at_ms, Closer.WORKFLOW, now_ms)
        except JobClosed:
            return self._finish(self.jobs.get(job.account_id, job.id), outputs)

    def _finish(self, job: Job, outputs: Sequence[Output]) -> Job:
        """The pictures of a canceled job that waits for them are its own: they are paid for."""
        if not job.awaiting or job.kind is Kind.VIDEO:
            return job
        try:
            expire_at_ms = job.expiry_ms(self.clock.now_ms(), self.retention_s)
            return self.finish_canceled(job, Closer.WORKFLOW, outputs, expire_at_ms)
        except JobClosed:
            return self.jobs.get(job.account_id, job.id)

    def _note_run(self, job: Job) -> None:
        try:
            self.runs.note(job)
        except Unavailable:
            # Only an estimate lives on it: the next run is noted again.
            logger.warning("run not noted", extra={"job_id": job.id})
