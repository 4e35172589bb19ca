"""Poll: ask a provider that had not answered yet, or that was too busy to begin."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.job import Job, JobStatus
from shoal.domain.ports import Jobs, Provider, Providers
from shoal.domain.provider import Answer, ProviderRequest
from shoal.use_cases.resolve_answer import ResolveAnswer


@dataclass(frozen=True, slots=True)
class PollProvider:
    jobs: Jobs
    providers: Providers
    resolve: ResolveAnswer

    def __call__(self, account_id: str, job_id: str, index: int, *, once: bool) -> tuple[Job, str]:
        """The job and what came of asking. Raises `NotFound`, `JobClosed` (it ended while we asked)."""
        job = self.jobs.get(account_id, job_id)
        provider = self.providers.get(job.provider)
        ref = job.provider_refs.get(index)
        if job.status.terminal:
            self._abandon(job, ref, provider)
            return job, "closed"

        def ask(request: ProviderRequest) -> Answer:
            return provider.check(ref, request) if ref else provider.start(request)

        return job, self.resolve(job, index, ask, once=once)

    def _abandon(self, job: Job, ref: str | None, provider: Provider) -> None:
        if ref and job.status is not JobStatus.COMPLETED:
            provider.cancel(ref)
