"""A provider calls back: prove it, then let it resolve the job's task."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from shoal.domain.errors import CallTaken, JobClosed
from shoal.domain.job import Job
from shoal.domain.provider import Answer, Pending
from shoal.ports.jobs import Jobs, Look, PollQueue
from shoal.ports.routing import CallbackUrls, Providers
from shoal.ports.system import Clock

DIGEST_LENGTH = 16


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

        A callback only ever says "look now": the result is read from the provider itself. One for a job that
        has ended, for a call that was given up, or that came before changes nothing.
        """
        about = self.callback_urls.verify(provider, job_key, mac)
        job = self.jobs.get(about.account_id, about.job_id)
        answer = self.providers.get(provider).parse_callback(headers, body, self.clock.now_ms())
        call = job.calls.get(about.index)
        digest = hashlib.sha256(job_key.encode() + b"\n" + body).hexdigest()[:DIGEST_LENGTH]
        ended = job.status.terminal and not job.awaits(about.index)
        late = ended or call is None or (call.number, call.provider) != (about.number, provider)
        if not late and digest not in job.callbacks:
            with suppress(JobClosed, CallTaken):  # it ended, or moved on, while the callback was read
                self._look_now(job, about.index, answer, digest)
        return job

    def _look_now(self, job: Job, index: int, answer: Answer, digest: str) -> None:
        if isinstance(answer, Pending) and answer.ref and index not in job.provider_refs:
            # The callback overtook the answer to `start`, or that answer was lost: the reference is news.
            self.jobs.note_provider_ref(job, index, answer.ref)
        look = Look(job.account_id, job.id, index, once=True, simulated=job.simulated)
        self.poll_queue.send(look, delay_seconds=0)
        # Noted last: a crash before this makes a repeated callback look again, and that does no harm.
        self.jobs.note_callback(job, digest)
