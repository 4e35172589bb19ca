"""What the state machine caught, turned back into the error it was and into what a caller is told."""

from __future__ import annotations

import json
from typing import Any

from shoal.domain.brief import Kind
from shoal.domain.errors import (
    JobError,
    JobExpired,
    OutputInvalid,
    ProviderFailed,
    ProviderRejected,
    ProviderTimeout,
)
from shoal.domain.job import Job, JobFailure

_SPOKEN = {error.__name__: error for error in (ProviderRejected, ProviderFailed, OutputInvalid, JobExpired)}


class GenerationInterrupted(JobError):
    """Something of our own failed: the caller learns that, and no internal name."""

    code = "internal_error"

    def __init__(self, what: str = "image") -> None:
        super().__init__(f"The {what} could not be generated. No charge was applied.")


def job_failure(error: str, cause: str, job: Job) -> JobFailure:
    """Why a job failed by an `Error` and a `Cause` of Step Functions, and its scene if that is told."""
    told = _cause_document(cause)
    scene = told.get("scene")
    if scene is not None:
        cause = str(told.get("cause"))
    why = job_error(error, cause, job)
    return JobFailure(why.code, str(why), scene)


def job_error(error: str, cause: str, job: Job) -> JobError:
    """The job's error behind an `Error` and a `Cause` of Step Functions."""
    if error in ("States.Timeout", ProviderTimeout.__name__):
        return timed_out(job, asked=job.asked_a_provider)
    if error in _SPOKEN:
        return _SPOKEN[error](str(_cause_document(cause).get("errorMessage", cause)))
    return GenerationInterrupted("video" if job.kind is Kind.VIDEO else job.kind.noun)


def timed_out(job: Job, *, asked: bool) -> JobError:
    """Why there is nothing by a deadline: a provider is blamed only if it was asked."""
    if asked:
        return ProviderTimeout(job.provider_deadline_s)
    return JobExpired("No provider could be asked in time. No charge was applied.")


def _cause_document(cause: str) -> dict[str, Any]:
    """The cause as a document: what Lambda makes of a raised error, or a scene of its own; else nothing."""
    try:
        document = json.loads(cause)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
