"""Turn a provider's answer into the end of the workflow's CallProvider task, or into another poll."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shoal.domain.catalog import load_catalog, size_px
from shoal.domain.errors import JobClosed, JobError, ProviderBusy
from shoal.domain.job import Job
from shoal.domain.ports import CallbackUrls, Jobs, PollQueue, Staging, TaskTokens
from shoal.domain.provider import Answer, Done, Pending, ProviderOutput, ProviderRequest

logger = logging.getLogger(__name__)

POLL_SECONDS_MAX = 60


def provider_request(job: Job, callback_urls: CallbackUrls) -> ProviderRequest:
    """What to ask the provider for: the same for every attempt at the same job."""
    mode = load_catalog().modes[job.mode or load_catalog().default_mode]
    width_px, height_px = size_px(mode.long_side_px, job.request["aspect_ratio"])
    return ProviderRequest(
        idempotency_key=job.id,
        model=job.model,
        prompt=job.request["prompt"],
        width_px=width_px,
        height_px=height_px,
        seed=job.request.get("seed"),
        submitted_at_ms=job.created_at_ms,
        callback_url=callback_urls.url(job),
    )


@dataclass(frozen=True, slots=True)
class ResolveAnswer:
    jobs: Jobs
    staging: Staging
    tokens: TaskTokens
    poll_queue: PollQueue

    def __call__(self, job: Job, ask: Callable[[], Answer], *, once: bool = False) -> str:
        """Ask, and act on the answer. Returns what came of it: done, pending or the error's class name."""
        try:
            answer = ask()
        except ProviderBusy as busy:
            answer = Pending(job.provider_ref, busy.retry_after_seconds)
        except JobError as error:
            self._report(
                job,
                self.tokens.fail(self._token(job), type(error).__name__, str(error)),
            )
            return type(error).__name__
        if isinstance(answer, Done):
            outputs = [self._staged(job, index, output) for index, output in enumerate(answer.outputs)]
            self._report(job, self.tokens.succeed(self._token(job), {"outputs": outputs}))
            return "done"
        self._ask_again(job, answer, once=once)
        return "pending"

    def _ask_again(self, job: Job, answer: Pending, *, once: bool) -> None:
        if answer.ref and answer.ref != job.provider_ref:
            self.jobs.note_provider_ref(job, answer.ref)
        if not once:
            self.poll_queue.send(job, delay_seconds=min(answer.poll_after_seconds, POLL_SECONDS_MAX))

    def _staged(self, job: Job, index: int, output: ProviderOutput) -> dict[str, Any]:
        if output.data is None:
            return {"url": output.url}
        return {"key": self.staging.put(job, index, output.data)}

    def _token(self, job: Job) -> str:
        if job.task_token is None:
            raise JobClosed(job.id)
        return job.task_token

    def _report(self, job: Job, resolved: bool) -> None:
        if not resolved:
            logger.info("another answer came first", extra={"job_id": job.id})
