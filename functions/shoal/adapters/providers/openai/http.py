"""OpenAI's API: how it is spoken to, and its errors in the words of the ports.

The API has no idempotency keys: a POST whose answer is lost is `OutcomeUnknown`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from shoal.adapters.providers.kit import http
from shoal.adapters.providers.kit.fields import objects
from shoal.domain import errors

BASE_URL = "https://api.openai.com/v1"
IMAGE_READ_SECONDS = 170.0
"""Synchronous pictures take 14 to 90 s; the workflow's task ends after 180 s."""

MODERATION_CODES = frozenset(
    {
        "moderation_blocked",
        "content_policy_violation",
        "image_content_policy_violation",
        "content_filter",
        "bio_policy",
        "misalignment_policy_violation",
    }
)
ADVICE = "x-should-retry"
QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class OpenAiHttp:
    """`key` is called for every request."""

    def __init__(self, key: Callable[[], str], base_url: str = BASE_URL) -> None:
        self._http = http.ProviderHttp("openai", base_url, headers=http.bearer(key))

    def post(self, path: str, **how: Any) -> http.Reply:
        """As `ProviderHttp.send` takes it. Any status but 2xx raises."""
        reply = self._http.send("POST", path, **how)
        check(reply)
        return reply

    def test(self) -> str:
        """One cheap call with the key, in words for the operator. Raises as `post` does."""
        reply = self.try_send("GET", "/models")
        check(reply)
        return f"{sum(1 for _ in objects(reply.json().get('data')))} models"

    def try_send(self, method: str, path: str) -> http.Reply:
        """What may be repeated, its reply unchecked."""
        return self._http.send(method, path, repeatable=True)


def check(reply: http.Reply) -> None:
    """Raise what a reply other than 2xx means."""
    if 200 <= reply.status < 300:
        return
    error = reply.error_json().get("error")
    told: dict[str, Any] = error if isinstance(error, dict) else {}
    code, message = str(told.get("code") or told.get("type") or ""), str(told.get("message") or "")
    if refused := _known_error(code, reply.detail(message)):
        raise refused
    if told.get("param") == "model":
        raise errors.ProviderUnusable(reply.detail(message))
    known = bool(code) or ADVICE in reply.headers
    if not http.tells_no_outcome(reply.status, known=known):
        _follow_advice(reply, message)
    reply.raise_for_status(message, known=known)


def failure(error: Mapping[str, Any]) -> errors.ShoalError:
    """The error of work that was taken and then failed: it will not come back by asking again."""
    code = str(error.get("code") or "")
    said = f"openai failed with {code}: {str(error.get('message') or '')[:300]}"
    if code == "invalid_prompt":
        return errors.ProviderRejected(errors.REFUSED_BY_MODERATION)
    return _known_error(code, said) or errors.ProviderFailed("The provider failed to generate the output.")


def _known_error(code: str, said: str) -> errors.ShoalError | None:
    """Codes that mean the same wherever they appear."""
    if code in MODERATION_CODES:
        return errors.ProviderRejected(errors.REFUSED_BY_MODERATION)
    if code in QUOTA_CODES or code in ("model_not_found", "invalid_api_key"):
        return errors.ProviderUnusable(said)
    return None


def _follow_advice(reply: http.Reply, message: str) -> None:
    """`x-should-retry` beats the status; a rate limit that says no wait says when it is over."""
    advice = reply.headers.get(ADVICE)
    if advice == "false" and (reply.status in (408, 409, 429) or reply.status >= 500):
        raise errors.ProviderFailed("The provider failed to generate the output.")
    wait = None if "Retry-After" in reply.headers else _reset_seconds(reply.headers)
    if reply.status == 429 and wait:
        raise errors.ProviderBusy(reply.detail(message), retry_after_seconds=wait)
    if advice == "true" and reply.status < 500:
        raise errors.ProviderBusy(reply.detail(message))


def _reset_seconds(headers: Mapping[str, str]) -> int | None:
    """When the limits that are used up start again; durations are such as `12ms`, `1s` and `6m0s`."""
    waits = [
        sum(float(count) * _UNIT_SECONDS[unit] for count, unit in re.findall(r"([\d.]+)(ms|h|m|s)", reset))
        for what in ("requests", "tokens")
        if headers.get(f"x-ratelimit-remaining-{what}") == "0"
        and (reset := headers.get(f"x-ratelimit-reset-{what}", ""))
    ]
    return max(1, math.ceil(max(waits))) if waits else None
