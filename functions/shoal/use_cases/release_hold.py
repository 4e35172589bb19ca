"""ReleaseHold: close the job without charge, once."""

from __future__ import annotations

import json
from dataclasses import dataclass

from shoal.domain.errors import (
    JobClosed,
    OutputInvalid,
    ProviderFailed,
    ProviderRejected,
    ProviderTimeout,
)
from shoal.domain.events import Event, closing_events
from shoal.domain.job import Closer, Job, JobFailure
from shoal.domain.ports import Clock, Jobs, Ledger

_TIMEOUTS = ("States.Timeout", ProviderTimeout.__name__)
_SPOKEN = {error.__name__: error.code for error in (ProviderRejected, ProviderFailed, OutputInvalid)}
_INTERNAL = JobFailure("internal_error", "The image could not be generated. No charge was applied.")


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    jobs: Jobs
    ledger: Ledger
    clock: Clock
    public_url: str

    def __call__(self, account_id: str, job_id: str, error: str, cause: str) -> tuple[Job, list[Event]]:
        """The closed job and the events to publish; the same again when run again.

        `error` and `cause` are what the state machine caught. A job the workflow had already completed
        stays completed. Raises `JobClosed` when somebody else closed it, who then announces it.
        """
        job = self.jobs.get(account_id, job_id)
        if not job.status.terminal:
            job = self._release(job, failure_of(error, cause, job.provider_deadline_s))
        if job.closed_by is not Closer.WORKFLOW:
            raise JobClosed(job.id)
        return job, closing_events(job, self.public_url)

    def _release(self, job: Job, failure: JobFailure) -> Job:
        try:
            return self.ledger.release(job, failure, Closer.WORKFLOW, self.clock.now_ms())
        except JobClosed:
            return self.jobs.get(job.account_id, job.id)


def failure_of(error: str, cause: str, provider_deadline_s: int) -> JobFailure:
    """What the caller is told of an error the state machine caught: never an internal name."""
    if error in _TIMEOUTS:
        timeout = ProviderTimeout(provider_deadline_s)
        return JobFailure(timeout.code, str(timeout))
    if error in _SPOKEN:
        return JobFailure(_SPOKEN[error], _message(cause))
    return _INTERNAL


def _message(cause: str) -> str:
    """The message of a cause: a task's own, or the one in the JSON that Lambda makes of a raised error."""
    try:
        return str(json.loads(cause)["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return cause
