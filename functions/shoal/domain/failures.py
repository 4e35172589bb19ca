"""What the state machine caught, turned back into the error it was and into what a caller is told."""

from __future__ import annotations

import json

from shoal.domain.errors import JobError, OutputInvalid, ProviderFailed, ProviderRejected, ProviderTimeout

_SPOKEN = {error.__name__: error for error in (ProviderRejected, ProviderFailed, OutputInvalid)}


class GenerationInterrupted(JobError):
    """Something of our own failed: the caller learns that, and no internal name."""

    code = "internal_error"

    def __init__(self) -> None:
        super().__init__("The image could not be generated. No charge was applied.")


def job_error(error: str, cause: str, provider_deadline_s: int) -> JobError:
    """The job's error behind an `Error` and a `Cause` of Step Functions."""
    if error in ("States.Timeout", ProviderTimeout.__name__):
        return ProviderTimeout(provider_deadline_s)
    if error in _SPOKEN:
        return _SPOKEN[error](_message(cause))
    return GenerationInterrupted()


def _message(cause: str) -> str:
    """The message of a cause: a task's own, or the one in the JSON that Lambda makes of a raised error."""
    try:
        return str(json.loads(cause)["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return cause
