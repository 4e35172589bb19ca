"""What the state machine caught, turned back into the error it was and into what a caller is told."""

from __future__ import annotations

import json
from typing import Any

from shoal.domain.brief import Kind
from shoal.domain.errors import JobError, OutputInvalid, ProviderFailed, ProviderRejected, ProviderTimeout
from shoal.domain.job import Job, JobFailure

_SPOKEN = {error.__name__: error for error in (ProviderRejected, ProviderFailed, OutputInvalid)}


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
    what = "video" if job.kind is Kind.VIDEO else "image"
    why = job_error(error, cause, job.provider_deadline_s, what)
    return JobFailure(why.code, str(why), scene)


def job_error(error: str, cause: str, provider_deadline_s: int, what: str = "image") -> JobError:
    """The job's error behind an `Error` and a `Cause` of Step Functions."""
    if error in ("States.Timeout", ProviderTimeout.__name__):
        return ProviderTimeout(provider_deadline_s)
    if error in _SPOKEN:
        return _SPOKEN[error](str(_cause_document(cause).get("errorMessage", cause)))
    return GenerationInterrupted(what)


def _cause_document(cause: str) -> dict[str, Any]:
    """The cause as a document: what Lambda makes of a raised error, or a scene of its own; else nothing."""
    try:
        document = json.loads(cause)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
