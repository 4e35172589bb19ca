"""Sweep: nothing is ever left waiting, held or unannounced."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass

from shoal.domain.brief import Kind
from shoal.domain.errors import (
    JobClosed,
    JobError,
    JobExpired,
    ProviderFailed,
    ProviderTimeout,
)
from shoal.domain.job import QUEUE_LIMIT_MS, START_GRACE_MS, Closer, Job, JobStatus
from shoal.domain.video import paid_clips
from shoal.ports.jobs import ExecutionState, Jobs, Outputs, Workflow
from shoal.ports.system import Clock
from shoal.ports.videos import VideoFiles
from shoal.use_cases.jobs.close_job import CloseJob

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SweepJobs:
    jobs: Jobs
    workflow: Workflow
    outputs: Outputs
    video_files: VideoFiles
    close_job: CloseJob
    clock: Clock

    def __call__(self) -> Counter[str]:
        """Handle every overdue job. Returns how many were started, closed, announced and so on."""
        done: Counter[str] = Counter()
        for job in self.jobs.overdue(self.clock.now_ms()):
            # Claiming moves the deadline, so of two sweepers only one acts, and a crash costs one minute.
            if self.jobs.claim(job, self.clock.now_ms() + START_GRACE_MS):
                done[self._see_to(job)] += 1
        return done

    def _see_to(self, job: Job) -> str:
        try:
            if job.status.terminal:
                return self._finish(job)
            return self._start(job) if job.status is JobStatus.QUEUED else self._close(job, _timeout(job))
        except JobClosed:
            return "left"
        except Exception:
            # One job that fails must not keep the others waiting.
            logger.warning("job deferred to the next sweep", extra={"job_id": job.id}, exc_info=True)
            return "deferred"

    def _finish(self, job: Job) -> str:
        if job.awaiting:
            self.close_job.finish(job)
            return "closed"
        if not job.announced:
            self.close_job.announce(job)
            return "announced"
        if job.kind is Kind.VIDEO:
            kept = () if job.outputs_expired(self.clock.now_ms()) else paid_clips(job)
            self.video_files.delete_of(job, keep=kept)
        elif job.outputs:
            self.outputs.delete([output.key for output in job.outputs])
        else:
            # What was stored before it ended was never announced, but a caller could guess its address.
            self.outputs.delete_leftovers(job)
        self.jobs.mark_files_deleted(job)
        return "deleted"

    def _start(self, job: Job) -> str:
        if self.clock.now_ms() - job.created_at_ms > QUEUE_LIMIT_MS:
            return self._close(
                job,
                JobExpired("The job could not be started in time. No charge was applied."),
            )
        if self.workflow.start(job):
            return "started"
        if self.workflow.state(job) is ExecutionState.RUNNING:
            return "left"
        return self._close(job, interruption())

    def _close(self, job: Job, why: JobError) -> str:
        self.close_job(job, why, Closer.SWEEP)
        return "closed"


def interruption() -> ProviderFailed:
    """The reason given for a job whose execution ended without closing it."""
    return ProviderFailed("Generation was interrupted. No charge was applied.")


def _timeout(job: Job) -> JobError:
    return ProviderTimeout(job.provider_deadline_s)
