"""A thin, typed client of the Shoal API."""

from shoal_client.client import Shoal
from shoal_client.errors import (
    ApiError,
    Conflict,
    ConnectionFailed,
    Forbidden,
    InvalidRequest,
    JobFailed,
    NotFound,
    PaymentRequired,
    RateLimited,
    ServerError,
    ShoalError,
    SignatureInvalid,
    Unauthorized,
    WaitTimedOut,
)
from shoal_client.signatures import verify

__all__ = [
    "ApiError",
    "Conflict",
    "ConnectionFailed",
    "Forbidden",
    "InvalidRequest",
    "JobFailed",
    "NotFound",
    "PaymentRequired",
    "RateLimited",
    "ServerError",
    "Shoal",
    "ShoalError",
    "SignatureInvalid",
    "Unauthorized",
    "WaitTimedOut",
    "verify",
]
