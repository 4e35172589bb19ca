"""CallProvider: keep the task token, announce that the job began, ask the provider."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.events import opening_events
from shoal.domain.job import Job
from shoal.ports.jobs import Jobs
from shoal.ports.system import Bus, Clock
from shoal.use_cases.providers.resolve_answer import ResolveAnswer


@dataclass(frozen=True, slots=True)
class CallProvider:
    jobs: Jobs
    bus: Bus
    resolve: ResolveAnswer
    clock: Clock

    def __call__(self, account_id: str, job_id: str, index: int, task_token: str) -> tuple[Job, str]:
        """The job and what came of asking for one output. Raises `JobClosed` if it ended before it began.

        The token is stored before the provider gets the job: a callback may come before `start` returns.
        """
        job = self.jobs.begin(account_id, job_id, index, task_token, self.clock.now_ms())
        if index == 0:
            self.bus.publish(opening_events(job))
        return job, self.resolve(job, index)
