"""CallProvider: keep the task token, tell the world the job began, ask the provider."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.events import opening_events
from shoal.domain.job import Job
from shoal.domain.ports import Bus, CallbackUrls, Clock, Jobs, Providers
from shoal.use_cases.resolve_answer import ResolveAnswer, provider_request


@dataclass(frozen=True, slots=True)
class CallProvider:
    jobs: Jobs
    bus: Bus
    providers: Providers
    callback_urls: CallbackUrls
    resolve: ResolveAnswer
    clock: Clock

    def __call__(self, account_id: str, job_id: str, task_token: str) -> tuple[Job, str]:
        """The job and what came of asking. Raises `JobClosed` if it ended before it began.

        The token is stored before the provider hears of the job: a callback may come before `start` returns.
        """
        job = self.jobs.begin(account_id, job_id, task_token, self.clock.now_ms())
        self.bus.publish(opening_events(job))
        provider = self.providers.get(job.provider)
        request = provider_request(job, self.callback_urls)
        return job, self.resolve(job, lambda: provider.start(request))
