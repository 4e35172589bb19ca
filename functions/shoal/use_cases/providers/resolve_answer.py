"""Turn what became of an output into the end of the task that waits for it, or into another look."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from shoal.domain.errors import JobClosed, JobError
from shoal.domain.job import Job
from shoal.ports.jobs import Look, PollQueue, TaskTokens
from shoal.use_cases.providers.ask_provider import AskProvider
from shoal.use_cases.providers.stage_output import Delivered

logger = logging.getLogger(__name__)

POLL_SECONDS_MAX = 60

LOOKS_A_STEP = 4
BACK_OFF_SECONDS_MAX = 30
"""What a provider asks for is kept for so many looks, then doubled, up to this: 25 looks in three minutes."""


@dataclass(frozen=True, slots=True)
class ResolveAnswer:
    ask: AskProvider
    tokens: TaskTokens
    poll_queue: PollQueue

    def __call__(self, job: Job, index: int, *, once: bool = False, looks: int = 0) -> str:
        """Ask, and act on the answer. Returns what came of it: done, pending or the error's class name.

        `once`: somebody else looks again if it is still pending. `looks` were made before.
        Raises `JobClosed`.
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
            look = Look(job.account_id, job.id, index, looks=looks + 1, simulated=job.simulated)
            self.poll_queue.send(look, delay_seconds=next_look_s(progress.poll_after_seconds, looks))
        return "pending"

    def _report(self, job: Job, resolved: bool) -> None:
        if not resolved:
            logger.info("another answer came first", extra={"job_id": job.id})


def next_look_s(hint_s: int, looks: int) -> int:
    """When to look again after so many looks that found nothing: never before the provider's own hint."""
    backed_off_s = min(max(1, hint_s) << looks // LOOKS_A_STEP, BACK_OFF_SECONDS_MAX)
    return min(max(hint_s, backed_off_s), POLL_SECONDS_MAX)


def _token(job: Job, index: int) -> str:
    if index not in job.task_tokens:
        raise JobClosed(job.id)
    return job.task_tokens[index]
