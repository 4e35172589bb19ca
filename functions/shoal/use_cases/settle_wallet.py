"""SettleWallet: complete the job and capture its hold, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shoal.domain.errors import JobClosed
from shoal.domain.events import Event, closing_events
from shoal.domain.job import Closer, Job, JobStatus, Output
from shoal.domain.ports import Clock, Jobs, Ledger


@dataclass(frozen=True, slots=True)
class SettleWallet:
    jobs: Jobs
    ledger: Ledger
    clock: Clock
    public_url: str

    def __call__(self, account_id: str, job_id: str, outputs: Sequence[Output]) -> tuple[Job, list[Event]]:
        """The completed job and the events to publish; the same again when run again.

        Raises `JobClosed` when the job ended otherwise: the late output is recorded, never charged.
        """
        job = self.jobs.get(account_id, job_id)
        if not job.status.terminal:
            job = self._capture(job, outputs)
        if job.status is not JobStatus.COMPLETED:
            self.jobs.note_late_output(job, self.clock.now_ms())
            raise JobClosed(job.id)
        return job, closing_events(job, self.public_url)

    def _capture(self, job: Job, outputs: Sequence[Output]) -> Job:
        try:
            return self.ledger.capture(job, job.hold.amount, outputs, Closer.WORKFLOW, self.clock.now_ms())
        except JobClosed:
            return self.jobs.get(job.account_id, job.id)
