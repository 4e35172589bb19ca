"""botocore clients, made once, with tight time-outs, and the two ways their errors are read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from shoal.adapters.system import THREADS_MAX
from shoal.domain.errors import Unavailable

CLIENT = Config(
    connect_timeout=2,
    read_timeout=8,
    # Not "adaptive": after one throttle it slows every call of the process, those of other accounts too.
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=THREADS_MAX,
    # Our own types check the parameters; validating them again costs a sixth of a call.
    parameter_validation=False,
    # By itself botocore builds this again, twice for every call, at a tenth of the call's cost.
    user_agent="shoal",
)

_QUICK = Config(connect_timeout=1, read_timeout=3)
"""DynamoDB answers in tens of milliseconds. All tries of a write, and a look whether it was written though no
answer came, have to fit into the time of one request."""

_SIGNED_FOR_THE_REGION = Config(
    signature_version="s3v4",
    s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
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


_making = Lock()
"""Clients may be shared by threads; the session that makes them may not."""


@cache
def client(service: str) -> Any:
    """The process's one client of a service, configured by the environment."""
    with _making:
        return session().create_client(service, config=config_of(service))


@cache
def session() -> Session:
    """One for all clients: what it has read of botocore's data, the next one need not read."""
    return Session()


def config_of(service: str, endpoint_url: str | None = None) -> Config:
    """How a service is spoken to, on AWS or at the endpoint of a local cloud.

    Left to itself botocore signs addresses of S3 the old way, and names no region in them: S3 redirects such
    an address of a new bucket, and a signature holds for one host only. A local cloud's buckets have no
    host names of their own, and its one process answers when it can.
    """
    local = endpoint_url or "AWS_ENDPOINT_URL" in os.environ
    if service == "dynamodb" and not local:
        return CLIENT.merge(_QUICK)
    if service != "s3":
        return CLIENT
    return CLIENT.merge(Config(signature_version="s3v4") if local else _SIGNED_FOR_THE_REGION)


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
