"""RenderScene: keep the task token, ask the provider for the clip of one scene."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.job import Job
from shoal.use_cases.providers.resolve_answer import ResolveAnswer


@dataclass(frozen=True, slots=True)
class RenderScene:
    resolve: ResolveAnswer

    def __call__(self, account_id: str, job_id: str, index: int, task_token: str) -> tuple[Job, str]:
        """The job and what came of asking for the clip. Raises `JobClosed` if the job ended meanwhile."""
        return self.resolve.begin(account_id, job_id, index, task_token)
