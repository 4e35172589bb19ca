"""Signed callbacks after the Standard Webhooks specification, standardwebhooks.com: several providers' way.

`webhook-signature: v1,<base64>` is HMAC-SHA256 of `{id}.{timestamp}.{body}`; a header may list several.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Any

from shoal.domain.errors import CallbackRefused
from shoal.domain.webhook_signature import key_of, standard_signature

TOLERANCE_S = 300


def signed_headers(secret: bytes, message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """The three headers that sign a body."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": standard_signature(secret, message_id, str(timestamp_s), body),
    }


def verify(secret: bytes, headers: Mapping[str, str], body: bytes, now_ms: int) -> None:
    """Raises `CallbackRefused` unless the signature holds and the timestamp is within ±300 s."""
    message_id, timestamp = (
        headers.get("webhook-id", ""),
        headers.get("webhook-timestamp", ""),
    )
    if not message_id or not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        raise CallbackRefused("the signature headers are missing or malformed")
    if abs(now_ms // 1000 - int(timestamp)) > TOLERANCE_S:
        raise CallbackRefused("the callback is too old or too new")
    expected = standard_signature(secret, message_id, timestamp, body).encode()
    offered = headers.get("webhook-signature", "").split(" ")
    if not any(hmac.compare_digest(expected, _bytes(signature)) for signature in offered):
        raise CallbackRefused("the signature does not hold")


def key(secret: str) -> bytes:
    """The key in a `whsec_…` secret. Raises `CallbackRefused` where there is none: no key proves nothing."""
    try:
        found = key_of(secret)
    except ValueError:
        found = b""
    if not found:
        raise CallbackRefused("no usable webhook secret is set")
    return found


def event(body: bytes) -> Any:
    """What a verified body says. Raises `CallbackRefused` unless it is JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise CallbackRefused("the body is not an event") from None


def _bytes(text: str) -> bytes:
    """A header as bytes, whatever its sender put into it."""
    return text.encode("utf-8", "surrogatepass")
