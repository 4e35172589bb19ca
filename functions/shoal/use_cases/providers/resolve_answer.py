"""Turn what became of an output into the end of the task that waits for it, or into another look."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from shoal.domain.errors import JobClosed, JobError
from shoal.domain.job import Job
from shoal.ports.jobs import PollQueue, TaskTokens
from shoal.use_cases.providers.ask_provider import AskProvider
from shoal.use_cases.providers.stage_output import Delivered

logger = logging.getLogger(__name__)

POLL_SECONDS_MAX = 60


@dataclass(frozen=True, slots=True)
class ResolveAnswer:
    ask: AskProvider
    tokens: TaskTokens
    poll_queue: PollQueue

    def __call__(self, job: Job, index: int, *, once: bool = False) -> str:
        """Ask, and act on the answer. Returns what came of it: done, pending or the error's class name.

        `once`: somebody else looks again if it is still pending. Raises `JobClosed`.
        """
        try:
            progress = self.ask(job, index)
        except JobError as error:
            self._report(job, self.tokens.fail(_token(job, index), type(error).__name__, str(error)))
            return type(error).__name__
        if isinstance(progress, Delivered):
            output = {"key": progress.key}
            self._report(job, self.tokens.succeed(_token(job, index), {"output": output}))
            return "done"
        if not once:
            delay_seconds = min(progress.poll_after_seconds, POLL_SECONDS_MAX)
            self.poll_queue.send(job.account_id, job.id, index, delay_seconds=delay_seconds)
        return "pending"

    def _report(self, job: Job, resolved: bool) -> None:
        if not resolved:
            logger.info("another answer came first", extra={"job_id": job.id})


def _token(job: Job, index: int) -> str:
    if index not in job.task_tokens:
        raise JobClosed(job.id)
    return job.task_tokens[index]
