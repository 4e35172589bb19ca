"""Google's Gemini API: how it is spoken to, and its errors in the words of the port.

https://ai.google.dev/api. There are no idempotency keys: a POST whose answer is lost is `OutcomeUnknown`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from shoal.adapters.providers.kit.fields import objects
from shoal.adapters.providers.kit.http import ProviderHttp, Reply, bearer
from shoal.domain.errors import ProviderBusy, ProviderUnusable

BASE_URL = "https://generativelanguage.googleapis.com/v1"
BLOCKED = frozenset(
    {
        "SAFETY",
        "IMAGE_SAFETY",
        "PROHIBITED_CONTENT",
        "IMAGE_PROHIBITED_CONTENT",
        "RECITATION",
        "IMAGE_RECITATION",
        "BLOCKLIST",
        "SPII",
    }
)
"""Finish reasons that lie in the request. IMAGE_OTHER, NO_IMAGE and the rest are the provider's own."""

_OPERATORS = re.compile(r"API key|only supports Interactions API|User location|billing", re.IGNORECASE)
"""What a 400 speaks of when nothing is wrong with the caller's request."""


def gemini_http(key: Callable[[], str], base_url: str = BASE_URL) -> ProviderHttp:
    return ProviderHttp("gemini", base_url, headers=bearer(key, "x-goog-api-key:"))


def test(http: ProviderHttp) -> str:
    """One cheap call with the key, in words for the operator. Raises as the ports do."""
    reply = http.send("GET", "/models", params={"pageSize": 1000})
    check(reply)
    return f"{sum(1 for _ in objects(reply.json().get('models')))} models"


def check(reply: Reply) -> None:
    """Raise what a reply other than 2xx means."""
    if 200 <= reply.status < 300:
        return
    error = reply.error_json().get("error")
    told: dict[str, Any] = error if isinstance(error, dict) else {}
    message = str(told.get("message") or "")
    said = reply.detail(message)
    details = list(objects(told.get("details")))
    if told.get("status") == "FAILED_PRECONDITION" or (reply.status == 400 and _OPERATORS.search(message)):
        raise ProviderUnusable(said)
    if reply.status == 429 and any(map(_is_for_today, details)):
        raise ProviderUnusable(said)
    if reply.status in (429, 503) and (wait := _retry_seconds(details)):
        raise ProviderBusy(said, retry_after_seconds=wait)
    reply.raise_for_status(message, known=bool(told.get("status")))


def _is_for_today(detail: Mapping[str, Any]) -> bool:
    """Whether a day's quota is used up: no wait within a job's deadline helps."""
    return any("PerDay" in str(violation) for violation in objects(detail.get("violations")))


def _retry_seconds(details: list[dict[str, Any]]) -> int | None:
    """`google.rpc.RetryInfo`: a duration such as `23s` or `1.5s`."""
    for detail in details:
        if found := re.fullmatch(r"(\d{1,6}(?:\.\d{1,9})?)s", str(detail.get("retryDelay"))):
            return max(1, math.ceil(float(found[1])))
    return None
