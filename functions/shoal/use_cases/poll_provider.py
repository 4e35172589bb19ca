"""Poll: ask a provider that had not answered yet, or that was too busy to begin."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.job import Job, JobStatus
from shoal.domain.ports import CallbackUrls, Jobs, Provider, Providers
from shoal.domain.provider import Answer
from shoal.use_cases.resolve_answer import ResolveAnswer, provider_request


@dataclass(frozen=True, slots=True)
class PollProvider:
    jobs: Jobs
    providers: Providers
    callback_urls: CallbackUrls
    resolve: ResolveAnswer

    def __call__(self, account_id: str, job_id: str, *, once: bool) -> tuple[Job, str]:
        """The job and what came of asking. Raises `NotFound`, `JobClosed` (it ended while we asked)."""
        job = self.jobs.get(account_id, job_id)
        provider = self.providers.get(job.provider)
        if job.status.terminal:
            self._abandon(job, provider)
            return job, "closed"
        return job, self.resolve(job, lambda: self._ask(job, provider), once=once)

    def _ask(self, job: Job, provider: Provider) -> Answer:
        request = provider_request(job, self.callback_urls)
        return provider.check(job.provider_ref, request) if job.provider_ref else provider.start(request)

    def _abandon(self, job: Job, provider: Provider) -> None:
        if job.provider_ref and job.status is not JobStatus.COMPLETED:
            provider.cancel(job.provider_ref)
