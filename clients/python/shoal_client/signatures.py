"""Is this webhook from Shoal? By the headers of Standard Webhooks (standardwebhooks.com)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping

from shoal_client.errors import SignatureInvalid
from shoal_client.resources import Event

TOLERANCE_S = 300


def verify(secret: str, headers: Mapping[str, str], body: bytes, *, now_s: float | None = None) -> Event:
    """The event, if its body was signed with the `whsec_…` secret within five minutes of now.

    `body` is as it was received: JSON that was parsed and written again has other bytes. `now_s` is Unix
    time, for tests. Raises `SignatureInvalid`.
    """
    given = {name.lower(): value for name, value in headers.items()}
    event_id, timestamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        raise SignatureInvalid("There is no webhook-timestamp.")
    if abs((time.time() if now_s is None else now_s) - int(timestamp)) > TOLERANCE_S:
        raise SignatureInvalid("The webhook was signed more than five minutes from now.")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{event_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    expected = b"v1," + base64.b64encode(digest)
    # While a secret is being rotated there are several signatures: any of them will do.
    offered = given.get("webhook-signature", "").split(" ")
    if not any(hmac.compare_digest(expected, each.encode("utf-8", "replace")) for each in offered):
        raise SignatureInvalid("The signature is not that of the secret.")
    event: Event = json.loads(body)
    return event
