"""Poll: ask a provider that had not answered yet, or whoever was too busy to begin."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.job import Job, JobStatus
from shoal.domain.ports import Jobs
from shoal.domain.routing_ports import Providers
from shoal.use_cases.resolve_answer import ResolveAnswer


@dataclass(frozen=True, slots=True)
class PollProvider:
    jobs: Jobs
    providers: Providers
    resolve: ResolveAnswer

    def __call__(self, account_id: str, job_id: str, index: int, *, once: bool) -> tuple[Job, str]:
        """The job and what came of asking. Raises `NotFound`, `JobClosed` (it ended while we asked)."""
        job = self.jobs.get(account_id, job_id)
        if job.status.terminal:
            self._abandon(job, index)
            return job, "closed"
        return job, self.resolve(job, index, once=once)

    def _abandon(self, job: Job, index: int) -> None:
        call, ref = job.calls.get(index), job.provider_refs.get(index)
        if call and ref and job.status is not JobStatus.COMPLETED:
            self.providers.get(call.provider).cancel(ref)
