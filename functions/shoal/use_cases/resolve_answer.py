"""Turn a provider's answer into the end of the workflow's task that asked it, or into another poll."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shoal.domain.errors import JobClosed, JobError, ProviderBusy
from shoal.domain.job import Job
from shoal.domain.ports import Jobs, PollQueue, Staging, TaskTokens
from shoal.domain.provider import Answer, Done, Pending, ProviderOutput, ProviderRequest

logger = logging.getLogger(__name__)

POLL_SECONDS_MAX = 60


@dataclass(frozen=True, slots=True)
class ResolveAnswer:
    jobs: Jobs
    staging: Staging
    tokens: TaskTokens
    poll_queue: PollQueue
    request_of: Callable[[Job, int], ProviderRequest]

    def __call__(
        self, job: Job, index: int, ask: Callable[[ProviderRequest], Answer], *, once: bool = False
    ) -> str:
        """Ask, and act on the answer. Returns what came of it: done, pending or the error's class name."""
        try:
            answer = ask(self.request_of(job, index))
        except ProviderBusy as busy:
            answer = Pending(job.provider_refs.get(index), busy.retry_after_seconds)
        except JobError as error:
            self._report(job, self.tokens.fail(_token(job, index), type(error).__name__, str(error)))
            return type(error).__name__
        if isinstance(answer, Done):
            staged = self._staged(job, index, answer.output)
            self._report(job, self.tokens.succeed(_token(job, index), {"output": staged}))
            return "done"
        self._ask_again(job, index, answer, once=once)
        return "pending"

    def _ask_again(self, job: Job, index: int, answer: Pending, *, once: bool) -> None:
        if answer.ref and answer.ref != job.provider_refs.get(index):
            self.jobs.note_provider_ref(job, index, answer.ref)
        if not once:
            delay_seconds = min(answer.poll_after_seconds, POLL_SECONDS_MAX)
            self.poll_queue.send(job, index, delay_seconds=delay_seconds)

    def _staged(self, job: Job, index: int, output: ProviderOutput) -> dict[str, Any]:
        if output.data is None:
            return {"url": output.url}
        return {"key": self.staging.put(job, index, output.data)}

    def _report(self, job: Job, resolved: bool) -> None:
        if not resolved:
            logger.info("another answer came first", extra={"job_id": job.id})


def _token(job: Job, index: int) -> str:
    if index not in job.task_tokens:
        raise JobClosed(job.id)
    return job.task_tokens[index]
