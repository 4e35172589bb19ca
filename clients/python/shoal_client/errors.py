"""Everything the client raises, in one tree.

ShoalError
├── ApiError               the API refused: `status`, `code`, `message`, `details`, `request_id`
│   ├── InvalidRequest     400, 405, 413, 415, 422 and any other 4xx
│   ├── Unauthorized       401
│   ├── PaymentRequired    402
│   ├── Forbidden          403
│   ├── NotFound           404
│   ├── Conflict           409
│   ├── RateLimited        429, with `retry_after_s`
│   └── ServerError        5xx and whatever else is no success, with `retry_after_s`
├── ConnectionFailed       no answer came, or none of the API's
├── JobFailed              what was waited for ended without an output; it cost nothing
├── WaitTimedOut           it has not ended yet; waiting again is fine
└── SignatureInvalid       a webhook that the secret did not sign, or not recently
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any


class ShoalError(Exception):
    """Base of every error of this client."""


@dataclass
class ApiError(ShoalError):
    """An answer that is no success. `code` is stable, in lower case; `retry_after_s` is in seconds."""

    status: int
    code: str
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)
    request_id: str | None = None
    docs_url: str | None = None
    retry_after_s: int | None = None

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.message} (request {self.request_id})"


class InvalidRequest(ApiError):
    """The request itself is wrong; `details["fields"]` names what is."""


class Unauthorized(ApiError):
    """No key, or one that is unknown or revoked."""


class PaymentRequired(ApiError):
    """Too little money or credits, or more than `max_cost`. Nothing was held."""


class Forbidden(ApiError):
    """The key lacks a scope."""


class NotFound(ApiError):
    """Nothing there, or nothing of yours."""


class Conflict(ApiError):
    """The thing is not in a state that permits this."""


class RateLimited(ApiError):
    """Too many requests, and the retries did not help."""


class ServerError(ApiError):
    """Something went wrong on the other side, and the retries did not help."""


class ConnectionFailed(ShoalError):
    """No answer came, or one that is not the API's, as from a proxy on the way.

    A call that spends may be repeated with its idempotency key.
    """


class JobFailed(ShoalError):
    """`job` is what was read last."""

    def __init__(self, message: str, job: Mapping[str, Any]) -> None:
        self.job = job
        super().__init__(message)


class WaitTimedOut(JobFailed):
    """The job goes on: its hold stays, and waiting again is fine."""


class SignatureInvalid(ShoalError):
    """Not from Shoal, changed on the way, or too old."""


DELAY_S_MAX = 2**31
DELAY_DIGITS_MAX = 11
"""Longer numbers mean no other delay (RFC 9111, section 1.2.2: 2³¹ stands for infinity)."""

_BY_STATUS: dict[int, type[ApiError]] = {
    401: Unauthorized,
    402: PaymentRequired,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    429: RateLimited,
}


def api_error(status: int, headers: Mapping[str, str], body: Any) -> ApiError:
    """The error an answer tells of, in whichever dialect. `body` is None where it is no JSON."""
    told = body if isinstance(body, dict) else {}
    fields = told["error"] if isinstance(told.get("error"), dict) else told
    kind = _BY_STATUS.get(status, InvalidRequest if 400 <= status < 500 else ServerError)
    details = fields.get("details")
    return kind(
        status=status,
        code=str(fields.get("code", "unknown")).lower(),
        message=str(fields.get("message", "The answer says no more.")),
        details=details if isinstance(details, dict) else {},
        request_id=headers.get("X-Request-Id"),
        docs_url=fields.get("docs_url"),
        retry_after_s=_retry_after_s(headers),
    )


def _retry_after_s(headers: Mapping[str, str]) -> int | None:
    """Seconds from now: the field holds a number of them or a date (RFC 9110, section 10.2.3).

    A date counts from the answer's own, since clocks differ.
    """
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdecimal():
        return min(int(value[:DELAY_DIGITS_MAX]), DELAY_S_MAX)
    until, now = _moment_s(value), _moment_s(headers.get("Date", ""))
    if until is None:
        return None
    return max(0, math.ceil(until - (time.time() if now is None else now)))


def _moment_s(date: str) -> float | None:
    """Unix time of an HTTP date, which is in UTC whether it says so or not."""
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
