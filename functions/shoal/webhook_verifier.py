"""Is this webhook from Shoal? Standard library only: import it, or copy this file into your own code.

    from shoal.webhook_verifier import verify

    if not verify(secret, request.headers, request.body):
        return 401

Hand over the body as it was received: JSON that was parsed and written again has other bytes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping

TOLERANCE_S = 300
"""A request signed longer ago, or further ahead, is refused: nobody can play an old one again."""


def verify(secret: str, headers: Mapping[str, str], body: bytes, *, now_s: float | None = None) -> bool:
    """Whether the body was signed with the `whsec_…` secret, within five minutes of now.

    Goes by the headers of Standard Webhooks (standardwebhooks.com), which every delivery carries. Names of
    `headers` may be in any case; `now_s` is Unix time, for tests.
    """
    given = {name.lower(): value for name, value in headers.items()}
    event_id, timestamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{event_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(digest).decode()
    # While a secret is being rotated there are several signatures: any of them will do.
    offered = given.get("webhook-signature", "").split(" ")
    return _recent(timestamp, now_s) and _any_equal(expected, offered)


def verify_vidshark(secret: str, header: str, body: bytes, *, now_s: float | None = None) -> bool:
    """The same by the `VidShark-Signature` header, `t=<unix>,v1=<hex>`."""
    fields = [field.partition("=") for field in header.split(",")]
    timestamp = next((value for name, _, value in fields if name == "t"), "")
    expected = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return _recent(timestamp, now_s) and _any_equal(
        expected, [value for name, _, value in fields if name == "v1"]
    )


def _recent(timestamp: str, now_s: float | None) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    return abs((time.time() if now_s is None else now_s) - int(timestamp)) <= TOLERANCE_S


def _any_equal(expected: str, offered: list[str]) -> bool:
    """In constant time, so that nobody can guess a signature byte by byte."""
    return any(hmac.compare_digest(expected.encode(), each.encode("utf-8", "replace")) for each in offered)
