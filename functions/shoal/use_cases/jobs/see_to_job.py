"""See to one job whose next step is overdue: bring it to an end, without giving away what is finished.

queued ─────┬─ its time to start is over ───────────► expired
            ├─ no execution yet ────────────────────► started
            └─ else as processing
processing ─┬─ its providers still have time ───────► left to them, and looked at again; started again where
            │                                         the execution that took over ended, too
            ├─ nothing staged by the deadline ──────► timed out
            ├─ its execution runs ──────────────────► left to it, its waiting tasks answered
            └─ its execution ended ─────────────────► start_again.py
ended ──────┬─ a cancel's outputs may still come ───► likewise, but given back instead of timed out
            ├─ not announced ───────────────────────► announced
            └─ its files are due ───────────────────► deleted

An execution that runs ends by itself. A task of it that still waits for an output is answered here, or its
provider is looked at once more: the poller that should have done so may be gone, or the message of its look.
Such a look orders no other one: beside one that is only late it changes nothing. An execution that takes over
finds what was staged, stores it and settles.
"""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.brief import Kind
from shoal.domain.errors import JobError, JobExpired
from shoal.domain.failures import timed_out
from shoal.domain.job import Closer, Job, JobStatus
from shoal.domain.routing import Phase
from shoal.domain.video import paid_clips
from shoal.ports.jobs import ExecutionState, Jobs, Look, Outputs, PollQueue, Staging, TaskTokens, Workflow
from shoal.ports.system import Clock
from shoal.ports.videos import VideoFiles
from shoal.use_cases.jobs.close_job import CloseJob
from shoal.use_cases.jobs.start_again import StartAgain


@dataclass(frozen=True, slots=True)
class SeeToJob:
    jobs: Jobs
    workflow: Workflow
    tokens: TaskTokens
    poll_queue: PollQueue
    staging: Staging
    outputs: Outputs
    video_files: VideoFiles
    close_job: CloseJob
    start_again: StartAgain
    clock: Clock

    def __call__(self, job: Job) -> str:
        """What was done: started, left, closed, announced or deleted. Raises `JobClosed` if it ended."""
        if job.status.terminal and not job.awaiting:
            return self._end(job)
        if job.status is JobStatus.QUEUED:
            if self.clock.now_ms() >= job.start_by_ms:
                return self._close(
                    job, JobExpired("The job could not be started in time. No charge was applied.")
                )
            if self.workflow.start(job):
                return "started"
        elif self.clock.now_ms() < job.waits_until_ms:
            # Of its first execution's end a queue tells; whether a later one ended is seen here alone.
            return self.start_again(job) if job.restarts and not self._runs(job) else self._leave(job)
        elif not job.awaiting and not self._staged(job):
            return self._close(job, timed_out(job, asked=job.asked_a_provider))
        if self._runs(job):
            return self._leave(job)
        if job.awaiting and not self._staged(job):
            self.close_job.finish(job)
            return "closed"
        return self.start_again(job)

    def _runs(self, job: Job) -> bool:
        return self.workflow.state(job) is ExecutionState.RUNNING

    def _staged(self, job: Job) -> dict[int, str]:
        """The keys of what its providers delivered, by output."""
        found = {index: self.staging.find_staged(job, index) for index in job.calls}
        return {index: key for index, key in found.items() if key}

    def _leave(self, job: Job) -> str:
        """To its execution, whose tasks get what is staged, or hear that their time is over."""
        staged, now_ms = self._staged(job), self.clock.now_ms()
        for index, call in job.calls.items():
            token = job.task_tokens.get(index)
            if token is None:
                continue
            if index in staged:
                self.tokens.succeed(token, {"output": {"key": staged[index]}})
            elif now_ms >= job.output_by_ms(call):
                late = timed_out(job, asked=call.number > 0)
                self.tokens.fail(token, type(late).__name__, str(late))
            elif index in job.provider_refs or call.phase is Phase.DUE:
                look = Look(job.account_id, job.id, index, once=True, simulated=job.simulated)
                self.poll_queue.send(look, delay_seconds=0)
        return "left"

    def _close(self, job: Job, why: JobError) -> str:
        self.close_job(job, why, Closer.SWEEP)
        return "closed"

    def _end(self, job: Job) -> str:
        if not job.announced:
            self.close_job.announce(job)
            return "announced"
        if job.kind is Kind.VIDEO:
            kept = () if job.outputs_expired(self.clock.now_ms()) else paid_clips(job)
            self.video_files.delete_of(job, keep=kept)
        elif job.outputs:
            self.outputs.delete([key for output in job.outputs for key in output.keys])
        else:
            # What was stored before it ended was never announced, but a caller could guess its address.
            self.outputs.delete_leftovers(job)
        self.jobs.mark_files_deleted(job)
        return "deleted"
