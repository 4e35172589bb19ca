"""Every error of Shoal, in one tree.

ShoalError
├── ApiError                  answered to the caller, rendered by the dialect it spoke
│   ├── InvalidJson           400
│   ├── Unauthorized          401
│   ├── InsufficientBalance   402
│   │   └── InsufficientCredits   in the words of the video dialect
│   ├── MaxCostExceeded       402
│   ├── Forbidden             403
│   ├── NotFound              404
│   ├── MethodNotAllowed      405
│   ├── JobAlreadyTerminal    409
│   ├── KeyExists             409
│   ├── TooManyKeys           409
│   ├── TooManyWebhooks       409
│   ├── TooManyFiles          409
│   ├── WebhookDisabled       409
│   ├── ResentTooOften        409
│   ├── PublishedMeanwhile    409
│   ├── IdempotencyInFlight   409
│   ├── PayloadTooLarge       413
│   ├── UnsupportedMediaType  415
│   ├── ValidationFailed      422
│   ├── IdempotencyKeyReused  422
│   ├── RateLimited           429
│   ├── InternalError         500
│   ├── PaymentsOff           503
│   └── Unavailable           503, retryable
├── JobError                  ends a job; the state machines name each class, and try again after any other
│   ├── ProviderRejected      the provider refused the request itself (moderation, a bad parameter)
│   ├── ProviderFailed        the provider could not do it
│   ├── ProviderTimeout       a provider was asked, and its deadline passed
│   ├── OutputInvalid         what the provider delivered is not a usable output
│   ├── JobExpired            its time was over before a provider was asked
│   └── JobCanceled           the caller asked for it
├── ExchangeError             speaking to an address that a caller chose did not work
│   ├── AddressRefused        the URL, or an address behind its name, is none Shoal speaks to
│   ├── NameNotResolved       nothing is known under the URL's host name
│   ├── ConnectionFailed      nobody there, or the connection broke
│   ├── TlsFailed             no TLS connection, or a certificate that does not hold
│   ├── ExchangeTimedOut      the wall clock ran out before the whole answer was there
│   ├── ResponseInvalid       the answer is not HTTP, or ends early
│   └── ResponseTooLarge      the answer is longer than the limit
├── ConfirmationNeeded        a grant above its asset's cap was noted: another operator has to confirm it
├── SignInRefused             a person was not let in, or not registered; `str(error)` is shown to them
│   └── SessionEnded          they have to sign in again
├── ProviderBusy              try the provider again after `retry_after_seconds`
├── ProviderUnusable          the operator must act (a bad key, no quota, no such model): take another route
├── OutcomeUnknown            a submit was sent and its answer lost: it may be under way, do not send it again
├── CallTaken                 somebody else asks a provider for the same output at this moment
├── JobClosed                 somebody else closed the job first: stop, write nothing
└── CallbackRefused           a callback that does not prove where it comes from
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class ShoalError(Exception):
    """Base of every error Shoal raises on purpose."""


class ApiError(ShoalError):
    """An error answered to the caller. `message` is public: no internal name may appear in it."""

    status: ClassVar[int]
    code: ClassVar[str]
    message: str = "The request could not be processed."

    def __init__(
        self,
        message: str | None = None,
        *,
        details: Mapping[str, Any] | None = None,
        retry_after_seconds: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.message = message or self.message
        self.details = dict(details or {})
        self.headers = dict(headers or {})
        if retry_after_seconds is not None:
            self.headers["Retry-After"] = str(retry_after_seconds)
        super().__init__(self.message)


class InvalidJson(ApiError):
    status, code, message = 400, "invalid_json", "The request body is not valid JSON."


class Unauthorized(ApiError):
    """`WWW-Authenticate` is what a 401 must have (RFC 9110, section 15.5.2)."""

    status, code, message = 401, "unauthorized", "Missing or invalid API key."

    def __init__(self, message: str | None = None, *, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message, details=details, headers={"WWW-Authenticate": "Bearer"})


class InsufficientBalance(ApiError):
    """`available` is what the wallet had left, in its asset's unit."""

    status, code = 402, "insufficient_balance"
    message = "Your wallet balance is too low to process this request."

    def __init__(
        self, message: str | None = None, *, available: int = 0, details: Mapping[str, Any] | None = None
    ) -> None:
        self.available = available
        super().__init__(message, details=details)


class InsufficientCredits(InsufficientBalance):
    code, message = "insufficient_credits", "You have too few credits."

    @classmethod
    def of(cls, required: int, remaining: int) -> InsufficientCredits:
        """In whole credits."""
        return cls(
            f"Need {required} credit{'' if required == 1 else 's'}, you have {remaining}."
            " Top up or pick a shorter length.",
            available=remaining,
            details={"credits_required": required, "credits_remaining": remaining},
        )


class MaxCostExceeded(ApiError):
    status, code, message = 402, "max_cost_exceeded", "The request would cost more than its max_cost."


class Forbidden(ApiError):
    status, code, message = 403, "forbidden", "This API key does not have the scope this request needs."


class NotFound(ApiError):
    status, code, message = 404, "not_found", "There is nothing at this address."


class MethodNotAllowed(ApiError):
    status, code, message = 405, "method_not_allowed", "This address does not take this method."


class JobAlreadyTerminal(ApiError):
    status, code, message = 409, "conflict", "The job has already ended."

    @classmethod
    def of(cls, status: str) -> JobAlreadyTerminal:
        """Names how it ended: who asks again because an answer was lost can tell a cancel of their own."""
        return cls(f"{cls.message} It is {status}.", details={"status": status})


class KeyExists(ApiError):
    status, code = 409, "conflict"
    message = "This form already made a key: its secret is not shown again."

    @classmethod
    def of(cls, earlier: str, this: str) -> KeyExists:
        """Names the key it stands for, and the one it is asked for now, if that is another."""
        differs = f" It stands for {earlier}: it cannot stand for {this} too." if this != earlier else ""
        return cls(cls.message + differs, details={"earlier": earlier, "this": this})


class TooManyKeys(ApiError):
    status, code = 409, "conflict"
    message = "The account has as many keys as it may have: revoke one first."


class TooManyWebhooks(ApiError):
    status, code = 409, "conflict"
    message = "The account has reached its limit of webhooks: delete one first."


class TooManyFiles(ApiError):
    status, code = 409, "conflict"
    message = "The account keeps as many bytes of files as it may: delete some, or wait until some expire."


class WebhookDisabled(ApiError):
    status, code, message = 409, "conflict", "The webhook is disabled: enable it first."


class ResentTooOften(ApiError):
    status, code, message = 409, "conflict", "This delivery has been sent again as often as Shoal allows."


class PublishedMeanwhile(ApiError):
    status, code = 409, "conflict"
    message = "Another catalog was published meanwhile. Look at it, then publish again."


class IdempotencyInFlight(ApiError):
    status, code = 409, "idempotency_in_flight"
    message = "A request with this Idempotency-Key is still being processed."


class PayloadTooLarge(ApiError):
    status, code, message = 413, "payload_too_large", "The request body is larger than 1 MB."

    @classmethod
    def of(cls, bytes_max: int) -> PayloadTooLarge:
        """Names what the route takes."""
        return cls(f"The request body is larger than {bytes_max / 1_000_000:g} MB.")


class UnsupportedMediaType(ApiError):
    status, code, message = 415, "unsupported_media_type", "Send the body as application/json."


class ValidationFailed(ApiError):
    status, code, message = 422, "validation_error", "The request is not valid."


class IdempotencyKeyReused(ApiError):
    status, code = 422, "idempotency_key_reused"
    message = "This Idempotency-Key was used with a different request body."

    @classmethod
    def of(cls, key: str, made: str, first: str, again: str) -> IdempotencyKeyReused:
        """Names what the key made, and the fingerprints of the body that made it and of this one."""
        return cls(
            f"{cls.message} It made {made}.",
            details={"idempotency_key": key, "made": made, "first_body": first, "this_body": again},
        )

    @classmethod
    def differs(cls, key: str, earlier: str, this: str) -> IdempotencyKeyReused:
        """Names what the key stands for, and what it is asked for now."""
        return cls(
            f"This key stands for {earlier}: it cannot stand for {this} too.",
            details={"idempotency_key": key, "earlier": earlier, "this": this},
        )


class RateLimited(ApiError):
    status, code, message = 429, "rate_limited", "Too many requests with this API key."


class InternalError(ApiError):
    status, code, message = 500, "internal_error", "Something went wrong on our side."


class PaymentsOff(ApiError):
    status, code = 503, "unavailable"
    message = "This stage takes no payments: ask its operator for a grant."


class Unavailable(ApiError):
    status, code, message = 503, "unavailable", "The service is briefly unavailable. Try again."


class JobError(ShoalError):
    """Ends a job without charge. `str(error)` is public: the caller reads it as the job's error."""

    code: ClassVar[str]


REFUSED_BY_MODERATION = "The request was refused by content moderation."
"""How a job tells the words at fault: whatever else a provider rejects is our doing, or costs it nothing."""


class ProviderRejected(JobError):
    code = "provider_rejected"


class ProviderFailed(JobError):
    code = "provider_failed"


class ProviderTimeout(JobError):
    code = "provider_timeout"

    def __init__(self, deadline_s: int) -> None:
        super().__init__(f"Provider request timed out after {deadline_s}s.")


class OutputInvalid(JobError):
    code = "output_invalid"


class JobExpired(JobError):
    code = "expired"


class JobCanceled(JobError):
    code = "canceled"


class ExchangeError(ShoalError):
    """An exchange with an address that a caller chose. `str(error)` is public and names no IP address."""

    code: ClassVar[str]


class AddressRefused(ExchangeError):
    code = "address_refused"


class NameNotResolved(ExchangeError):
    code = "name_not_resolved"


class ConnectionFailed(ExchangeError):
    code = "connection_failed"


class TlsFailed(ExchangeError):
    code = "tls_failed"


class ExchangeTimedOut(ExchangeError):
    code = "timed_out"

    def __init__(self, wall_clock_seconds: float) -> None:
        super().__init__(f"No complete answer within {wall_clock_seconds:g} s.")


class ResponseInvalid(ExchangeError):
    code = "response_invalid"


class ResponseTooLarge(ExchangeError):
    code = "response_too_large"

    def __init__(self, bytes_max: int) -> None:
        super().__init__(f"The answer is longer than {bytes_max:,} bytes.")


class ConfirmationNeeded(ShoalError):
    """`str(error)` tells the operator what waits."""


class SignInRefused(ShoalError):
    """`str(error)` is public: it is shown to the person."""


class SessionEnded(SignInRefused):
    pass


class ProviderBusy(ShoalError):
    """The provider asks to come back later; the job's own deadline bounds the trying."""

    def __init__(self, message: str, *, retry_after_seconds: int = 5) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class ProviderUnusable(ShoalError):
    """The provider serves nobody with this stage's key or settings until the operator acts.

    The reason is for operators: it may name accounts, models and limits, and is never shown to a caller.
    """


class OutcomeUnknown(ShoalError):
    """A submit was written out and no answer came back whole, at a provider without idempotency keys.

    The work may be under way and paid for: wait for a callback or the deadline, never submit again blindly.
    """


class CallTaken(ShoalError):
    """Another run has written down that it asks for this output: leave it to that one."""


class JobClosed(ShoalError):
    """The job is terminal, and the party that closed it announces it."""


class CallbackRefused(ShoalError):
    """The callback's MAC, signature or age does not hold."""
