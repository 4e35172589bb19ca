"""A provider calls back: prove it, then let it resolve the job's task."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from shoal.domain.errors import CallbackRefused, JobClosed
from shoal.domain.job import Job
from shoal.domain.ports import CallbackUrls, Clock, Jobs, PollQueue, Providers
from shoal.domain.provider import Answer, Pending


@dataclass(frozen=True, slots=True)
class ReceiveCallback:
    jobs: Jobs
    providers: Providers
    callback_urls: CallbackUrls
    poll_queue: PollQueue
    clock: Clock

    def __call__(
        self,
        provider: str,
        job_key: str,
        mac: str,
        headers: Mapping[str, str],
        body: bytes,
    ) -> Job:
        """Have the provider's result fetched now. Raises `CallbackRefused`, `NotFound`.

        A callback only ever says "look now": the result is read from the provider itself, so a forged or
        repeated one can at most cause a look. A callback for a terminal job changes nothing.
        """
        account_id, job_id, index = self.callback_urls.verify(provider, job_key, mac)
        job = self.jobs.get(account_id, job_id)
        if job.provider != provider:
            raise CallbackRefused("the job has another provider")
        answer = self.providers.get(provider).parse_callback(headers, body, self.clock.now_ms())
        if not job.status.terminal:
            with suppress(JobClosed):  # it ended while the callback was read: nothing is left to look at
                self._look_now(job, index, answer)
        return job

    def _look_now(self, job: Job, index: int, answer: Answer) -> None:
        if isinstance(answer, Pending) and answer.ref and index not in job.provider_refs:
            # The callback overtook the answer to `start`: the reference is news.
            self.jobs.note_provider_ref(job, index, answer.ref)
        self.poll_queue.send(job, index, delay_seconds=0, once=True)
