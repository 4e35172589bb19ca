"""See to one job whose next step is overdue: bring it to an end, without giving away what is finished.

queued ─────┬─ its time to start is over ───────────► expired
            ├─ no execution yet ────────────────────► started
            └─ else as processing
processing ─┬─ nothing staged by the deadline ──────► timed out
            ├─ its execution runs ──────────────────► left to it, its waiting tasks answered
            └─ its execution ended ─────────────────► start_again.py
ended ──────┬─ a cancel's outputs may still come ───► likewise if an execution runs; else finished without
            ├─ not announced ───────────────────────► announced
            └─ its files are due ───────────────────► deleted

An execution that runs ends by itself. A task of it that still waits for an output is answered here: the
poller that should have done so may be gone. One that takes over finds what was staged, stores it and settles.
"""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.brief import Kind
from shoal.domain.errors import JobError, JobExpired
from shoal.domain.failures import timed_out
from shoal.domain.job import Closer, Job, JobStatus
from shoal.domain.video import paid_clips
from shoal.ports.jobs import ExecutionState, Jobs, Outputs, Staging, TaskTokens, Workflow
from shoal.ports.system import Clock
from shoal.ports.videos import VideoFiles
from shoal.use_cases.jobs.close_job import CloseJob
from shoal.use_cases.jobs.start_again import StartAgain


@dataclass(frozen=True, slots=True)
class SeeToJob:
    jobs: Jobs
    workflow: Workflow
    tokens: TaskTokens
    staging: Staging
    outputs: Outputs
    video_files: VideoFiles
    close_job: CloseJob
    start_again: StartAgain
    clock: Clock

    def __call__(self, job: Job) -> str:
        """What was done: started, left, closed, announced or deleted. Raises `JobClosed` if it ended."""
        if job.status.terminal:
            return self._finish(job)
        if job.status is JobStatus.QUEUED:
            if self.clock.now_ms() >= job.start_by_ms:
                return self._close(
                    job, JobExpired("The job could not be started in time. No charge was applied.")
                )
            if self.workflow.start(job):
                return "started"
        elif not self._staged(job):
            return self._close(job, timed_out(job, asked=bool(job.calls)))
        return "left" if self._answered_while_running(job) else self.start_again(job)

    def _staged(self, job: Job) -> dict[int, str]:
        """The keys of what its providers delivered, by output."""
        found = {index: self.staging.find_staged(job, index) for index in job.calls}
        return {index: key for index, key in found.items() if key}

    def _answered_while_running(self, job: Job) -> bool:
        """Whether an execution runs. Its tasks get what is staged, or hear that their time is over."""
        if self.workflow.state(job) is not ExecutionState.RUNNING:
            return False
        staged, now_ms, late = self._staged(job), self.clock.now_ms(), timed_out(job, asked=True)
        for index, token in job.task_tokens.items():
            if index in staged:
                self.tokens.succeed(token, {"output": {"key": staged[index]}})
            elif index in job.calls and now_ms >= job.calls[index].answer_by_ms:
                self.tokens.fail(token, type(late).__name__, str(late))
        return True

    def _close(self, job: Job, why: JobError) -> str:
        self.close_job(job, why, Closer.SWEEP)
        return "closed"

    def _finish(self, job: Job) -> str:
        if job.awaiting:
            if self._answered_while_running(job):
                return "left"
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
