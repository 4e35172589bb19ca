"""How a delivery is signed, in both families, by every secret that signs at the time.

`VidShark-Signature: t=<unix>,v1=<hex>` is HMAC-SHA256 of `{t}.{body}` under the whole secret as UTF-8.
Standard Webhooks (standardwebhooks.com) is HMAC-SHA256 of `{id}.{t}.{body}` under the bytes that the secret
is the base64 of.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

from shoal.domain.webhook import SECRET_PREFIX


def signed_headers(secrets: Sequence[str], event_id: str, at_s: int, body: bytes) -> dict[str, str]:
    """The headers of both families. `secrets` in plain, the current one first; `at_s` is Unix time."""
    return {
        "VidShark-Signature": vidshark_signature(secrets, at_s, body),
        "webhook-id": event_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(
            standard_signature(key_of(secret), event_id, str(at_s), body) for secret in secrets
        ),
    }


def vidshark_signature(secrets: Sequence[str], at_s: int, body: bytes) -> str:
    """The current secret's `v1` comes last: the published verifier keeps the last one it reads."""
    message = f"{at_s}.".encode() + body
    signatures = [hmac.new(secret.encode(), message, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={at_s}", *(f"v1={signature}" for signature in reversed(signatures))])


def standard_signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """`v1,<base64>` of one key."""
    # What a sender put into a header may be no text at all; it must be hashed, not refused.
    message = f"{message_id}.{timestamp}.".encode("utf-8", "surrogatepass") + body
    return "v1," + base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


def key_of(secret: str) -> bytes:
    """The bytes that a `whsec_` secret is the base64 of. Raises ValueError for no such secret."""
    return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
