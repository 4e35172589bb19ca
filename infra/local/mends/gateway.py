"""The HTTP API: a crashed function tells the caller nothing."""

from __future__ import annotations

import json
from typing import Any

from ministack.services import lambda_svc  # type: ignore[import-untyped]

ERROR_STATUS = 500
ERROR_BODY = json.dumps({"message": "Internal Server Error"})

_to_response = lambda_svc.lambda_execute_result_to_api_proxy_response


def _response_of(outcome: dict[str, Any]) -> Any:
    """AWS: a function that raises, or times out, behind an HTTP API answers 500 `Internal Server Error`.

    MiniStack answers 502 with the exception's class, message and stack.
    """
    if outcome.get("error") and not outcome.get("throttle"):
        headers = {"Content-Type": "application/json"}
        return {"statusCode": ERROR_STATUS, "headers": headers, "body": ERROR_BODY}, None
    return _to_response(outcome)


def apply() -> None:
    """Put the mends in place."""
    lambda_svc.lambda_execute_result_to_api_proxy_response = _response_of
