"""boto3 clients, made once, with tight time-outs, and the two ways their errors are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from shoal.domain.errors import Unavailable

CLIENT = Config(
    connect_timeout=2,
    read_timeout=8,
    retries={"mode": "adaptive", "total_max_attempts": 4},
    # Our own types check the parameters; validating them again costs a sixth of a call.
    parameter_validation=False,
)

_OURS_TO_RETRY = frozenset(
    {
        "InternalServerError",
        "InternalFailure",
        "InternalServiceError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
        "KmsThrottlingException",
    }
)


@cache
def client(service: str) -> Any:
    """The process's one client of a service, configured by the environment."""
    return boto3.session.Session().client(service, config=CLIENT)  # type: ignore[call-overload]


def error_code(error: ClientError) -> str:
    """The service's name for the error, without a namespace."""
    return str(error.response.get("Error", {}).get("Code", "")).rpartition("#")[2]


@contextmanager
def unavailable_when_unreachable() -> Iterator[None]:
    """Time-outs, broken connections and throttling become `Unavailable`; other errors pass through."""
    try:
        yield
    except ClientError as error:
        if error_code(error) in _OURS_TO_RETRY:
            raise Unavailable(retry_after_seconds=1) from error
        raise
    except BotoCoreError as error:
        raise Unavailable(retry_after_seconds=1) from error
