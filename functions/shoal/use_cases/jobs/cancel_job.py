"""Cancel: stop the work, give back what has cost nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from shoal.domain.api_key import Caller
from shoal.domain.errors import CallTaken, JobAlreadyTerminal, JobClosed, Unavailable
from shoal.domain.idempotency import LIFETIME_MS, IdempotencyKey, IdempotencyRecord
from shoal.domain.job import Job
from shoal.use_cases.jobs.close_job import CloseJob, RecordOf
from shoal.use_cases.jobs.read_job import ReadJob

LOOKS_MAX = 6
"""How often a job is looked at again because an output was asked for or answered meanwhile."""

OK = 200


@dataclass(frozen=True, slots=True)
class Canceled:
    """The answer to a cancel. `job` is None where an earlier request with the same key got this answer."""

    body: Mapping[str, Any]
    job: Job | None = None


@dataclass(frozen=True, slots=True)
class CancelJob:
    """`retention_s` is how long the stage keeps outputs, None for ever."""

    read_job: ReadJob
    close_job: CloseJob
    retention_s: int | None = None

    def __call__(self, caller: Caller, job_id: str, record_of: RecordOf | None = None) -> Job:
        """The canceled job, whose `cost` is what was captured. Raises `NotFound` as `ReadJob` does,
        `JobAlreadyTerminal`, and `Unavailable` if the job changes with every look.

        What `record_of` makes of the canceled job is written with it.
        """
        for _ in range(LOOKS_MAX):
            job = self.read_job(caller, job_id)
            if job.status.terminal:
                raise JobAlreadyTerminal.of(job.status)
            with suppress(CallTaken, JobClosed):
                return self.close_job.cancel(job, self.retention_s, record_of)
        raise Unavailable(retry_after_seconds=1)

    def answer(
        self,
        caller: Caller,
        job_id: str,
        key: IdempotencyKey | None,
        render: Callable[[Job], Mapping[str, Any]],
    ) -> Canceled:
        """Replay the answer that the key got before, or cancel the job and keep what `render` makes of it.

        Raises as a cancel does, `IdempotencyKeyReused`, `IdempotencyInFlight`.
        """
        if key is None:
            job = self(caller, job_id)
            return Canceled(render(job), job)
        find, now_ms = self.close_job.ledger.find_record, self.close_job.clock.now_ms()

        def record_of(job: Job) -> IdempotencyRecord:
            return IdempotencyRecord(key, job.id, OK, render(job), now_ms + LIFETIME_MS)

        if earlier := find(key, now_ms):
            return Canceled(earlier.body)
        try:
            job = self(caller, job_id, record_of)
        except JobAlreadyTerminal:
            # The same request may have been sent twice at once, and the other one was faster.
            if earlier := find(key, now_ms):
                return Canceled(earlier.body)
            raise
        return Canceled(render(job), job)
