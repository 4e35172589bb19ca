"""RenderScene: keep the task token, ask the provider for the clip of one scene."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.job import Job
from shoal.ports.jobs import Jobs
from shoal.ports.system import Clock
from shoal.use_cases.providers.resolve_answer import ResolveAnswer


@dataclass(frozen=True, slots=True)
class RenderScene:
    jobs: Jobs
    resolve: ResolveAnswer
    clock: Clock

    def __call__(self, account_id: str, job_id: str, index: int, task_token: str) -> tuple[Job, str]:
        """The job and what came of asking for the clip. Raises `JobClosed` if the job ended meanwhile.

        The token is stored before the provider is asked: a callback may come before `start` returns.
        """
        job = self.jobs.begin(account_id, job_id, index, task_token, self.clock.now_ms())
        return job, self.resolve(job, index)
