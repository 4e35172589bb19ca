"""Poll: ask a provider that had not answered yet, or that was too busy to begin."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from shoal.domain.errors import JobClosed, ProviderFailed, ProviderTimeout, Unavailable
from shoal.domain.job import Job, JobStatus
from shoal.domain.routing import find_route
from shoal.ports.jobs import Jobs, Look
from shoal.ports.routing import Providers
from shoal.use_cases.providers.call_off import call_off
from shoal.use_cases.providers.resolve_answer import ResolveAnswer

logger = logging.getLogger(__name__)

UNAVAILABLE_RETRY_S = 5

CHECK_S = 45
"""What a look at work that a provider has taken on may take: it answers within 35 s, and its file is fetched.
The queue itself hides a look for as long as the function may run: it might have to ask the next provider."""


@dataclass(frozen=True, slots=True)
class PollProvider:
    jobs: Jobs
    providers: Providers
    resolve: ResolveAnswer

    def __call__(self, look: Look, receipt: str) -> str:
        """What came of asking. Raises `NotFound`, `JobClosed` (it ended while we asked).

        The queue hides a look for longer than most jobs may take. One that needs little time is hidden for
        that alone, so that another function makes it soon if this one is killed; and where a service of ours
        did not answer, another message looks again.
        """
        try:
            job = self.jobs.get(look.account_id, look.job_id)
            if look.index in job.provider_refs:
                self.resolve.poll_queue.hide(look, receipt, CHECK_S)
            if not job.status.terminal or job.awaits(look.index):
                return self.resolve(job, look.index, once=look.once, looks=look.looks)
        except Unavailable:
            logger.warning("looking again", extra={"job_id": look.job_id}, exc_info=True)
            self.resolve.poll_queue.send(look, delay_seconds=UNAVAILABLE_RETRY_S)
            return "unavailable"
        self._abandon(job, look.index)
        return "closed"

    def _abandon(self, job: Job, index: int) -> None:
        """Have the work stopped, if the provider can, and the others go on that wait beside it."""
        if index in job.task_tokens:
            self.resolve.tokens.fail(job.task_tokens[index], JobClosed.__name__, job.id)
        call, ref = job.calls.get(index), job.provider_refs.get(index)
        if call and ref and job.status is not JobStatus.COMPLETED:
            if job.failure and job.failure.code == ProviderTimeout.code:
                # A route that takes work on and delivers nothing fails too, though it never says so.
                silence = ProviderFailed("nothing was delivered by the deadline")
                self.resolve.ask.place.judge(find_route((), call.route), None, silence)
            call_off(self.providers.get(call.provider), ref, job.id)
