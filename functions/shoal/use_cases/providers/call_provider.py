"""CallProvider: keep the task token, announce that the job began, ask the provider."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.events import opening_events
from shoal.domain.job import Job
from shoal.ports.system import Bus
from shoal.use_cases.providers.resolve_answer import ResolveAnswer


@dataclass(frozen=True, slots=True)
class CallProvider:
    bus: Bus
    resolve: ResolveAnswer

    def __call__(self, account_id: str, job_id: str, index: int, task_token: str) -> tuple[Job, str]:
        """The job and what came of asking for one output. Raises `JobClosed` if it ended before it began."""
        announce = (self._announce,) if index == 0 else ()
        return self.resolve.begin(account_id, job_id, index, task_token, *announce)

    def _announce(self, job: Job) -> None:
        self.bus.publish(opening_events(job))
