"""The HTTP API: crashes tell the caller nothing, cookies have a place of their own, OPTIONS has a route."""

from __future__ import annotations

import json
from typing import Any

from ministack.services import apigateway, lambda_svc  # type: ignore[import-untyped]

ERROR_STATUS = 500
ERROR_BODY = json.dumps({"message": "Internal Server Error"})

_execute = apigateway._handle_execute_in_scope
_invoke = apigateway.run_reentrant
_to_response = lambda_svc.lambda_execute_result_to_api_proxy_response


def _response_of(outcome: dict[str, Any]) -> Any:
    """AWS: a function that raises, or times out, behind an HTTP API answers 500 `Internal Server Error`.

    MiniStack answers 502 with the exception's class, message and stack.
    """
    if outcome.get("error") and not outcome.get("throttle"):
        headers = {"Content-Type": "application/json"}
        return {"statusCode": ERROR_STATUS, "headers": headers, "body": ERROR_BODY}, None
    return _to_response(outcome)


async def _invoke_with_cookies(call: Any, record: Any, event: Any = None, *more: Any, **named: Any) -> Any:
    """AWS: an event of payload format 2.0 has its cookies in the list `cookies`, not among the headers.

    MiniStack leaves them in the header.
    """
    if isinstance(event, dict) and event.get("version") == "2.0" and "cookie" in event.get("headers", {}):
        event["cookies"] = event["headers"].pop("cookie").split("; ")
    return await _invoke(call, record, event, *more, **named)


class _Unknown(str):
    """A method that equals none, and so is passed on."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return False


async def _execute_options(api_id: str, stage: str, path: str, method: str, *more: Any) -> Any:
    """AWS: without CORS `OPTIONS` is a method like any other, which routes with `ANY` and `$default` take.

    MiniStack answers it by itself with 403, before it looks for a route.
    """
    if method == "OPTIONS" and not apigateway._apis[api_id].get("corsConfiguration"):
        method = _Unknown(method)
    return await _execute(api_id, stage, path, method, *more)


def apply() -> None:
    """Put the patches in place."""
    apigateway._handle_execute_in_scope = _execute_options
    apigateway.run_reentrant = _invoke_with_cookies
    lambda_svc.lambda_execute_result_to_api_proxy_response = _response_of
