"""Calls of AWS's model services, their failures in the words of the `Provider` port."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    SSLError,
)
from botocore.parsers import ResponseParserError
from botocore.session import Session
from requests.structures import CaseInsensitiveDict

from shoal.adapters.aws.client import error_code
from shoal.adapters.providers.kit import http
from shoal.adapters.providers.kit.fields import storable
from shoal.adapters.providers.kit.refusals import is_content_refusal
from shoal.domain import errors

logger = logging.getLogger(__name__)

CALL = Config(
    connect_timeout=5,
    read_timeout=90,
    # One attempt: the caller decides whether asking again makes, and costs, a second output.
    retries={"mode": "standard", "total_max_attempts": 1},
    parameter_validation=False,
)

_BUSY = frozenset(
    {
        "ConflictException",  # only where a call is repeated under its token
        "InternalFailure",
        "InternalServerException",
        "ModelNotReadyException",
        "ModelTimeoutException",
        "ServiceFailureException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "ThrottlingException",  # HTTP 400 at Polly
        "TooManyRequestsException",
    }
)
_CALLERS_FAULT = frozenset({"InvalidSsmlException", "TextLengthExceededException", "ValidationException"})
_OPERATORS_FAULT = re.compile(
    r"model identifier|on-demand throughput|end of its life|operation not allowed|access|s3|bucket|"
    r"guardrail|credentials|marketplace|legacy",
    re.IGNORECASE,
)
"""Validation errors that no prompt causes: they speak of the account, its models and its buckets."""

_BROKEN = (
    HTTPClientError,
    IncompleteReadError,
    ResponseParserError,
    SSLError,
    # What botocore makes of a body that is no text, or whose parts are of other kinds than its model says.
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


def client(service: str, *, region: str | None = None, endpoint_url: str | None = None) -> Any:
    """A client that asks once and waits as long as a model takes. None is what the environment says."""
    return Session().create_client(service, region_name=region, endpoint_url=endpoint_url, config=CALL)


@contextmanager
def port_errors(provider: str, *, repeatable: bool) -> Iterator[None]:
    """What goes wrong inside becomes an error of the port.

    `repeatable`: asking again is harmless, so a lost answer is `ProviderBusy` and not `OutcomeUnknown`.
    """
    try:
        yield
    except ClientError as error:
        raise _refusal(provider, error, repeatable=repeatable) from error
    except (ConnectTimeoutError, EndpointConnectionError) as error:
        raise lost_answer(provider, type(error).__name__, repeatable=True) from error
    except _BROKEN as error:
        raise lost_answer(provider, type(error).__name__, repeatable=repeatable) from error
    except BotoCoreError as error:  # no credentials, no region
        raise errors.ProviderUnusable(f"{provider}: {error}") from error


def lost_answer(provider: str, reason: str, *, repeatable: bool) -> errors.ShoalError:
    """The error for an answer that did not come, or cannot be used although the request was taken."""
    said = f"{provider} did not answer: {reason}"
    logger.warning("provider did not answer", extra={"provider": provider, "detail": reason})
    return (
        errors.ProviderBusy(said, retry_after_seconds=http.RETRY_SECONDS)
        if repeatable
        else errors.OutcomeUnknown(said)
    )


def _refusal(provider: str, error: ClientError, *, repeatable: bool) -> errors.ShoalError:
    answer = error.response.get("ResponseMetadata", {})
    status = answer.get("HTTPStatusCode", 0)
    code = error_code(error)
    said = storable(str(error.response.get("Error", {}).get("Message", ""))[: http.DETAIL_CHARS_MAX])
    detail = f"{provider} answered {status} {code}: {said}"
    logger.warning("provider refused", extra={"provider": provider, "detail": detail})
    if not repeatable and http.tells_no_outcome(status, known=code in _BUSY):
        return errors.OutcomeUnknown(detail)
    if code in _BUSY or status in (408, 429) or status >= 500:
        headers = CaseInsensitiveDict(answer.get("HTTPHeaders", {}))
        wait_seconds = http.retry_after_seconds(headers) or http.RETRY_SECONDS
        return errors.ProviderBusy(detail, retry_after_seconds=wait_seconds)
    if code == "ModelErrorException":
        return errors.ProviderFailed("The provider failed to generate the output.")
    if code in _CALLERS_FAULT and not _OPERATORS_FAULT.search(said):
        return errors.ProviderRejected(
            errors.REFUSED_BY_MODERATION if is_content_refusal(said) else http.REFUSED_PARAMETERS
        )
    return errors.ProviderUnusable(detail)
