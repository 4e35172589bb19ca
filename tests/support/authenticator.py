"""What an authenticator app shows: codes by the time (RFC 6238, of six digits, every 30 seconds)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time


def code_of(secret: str) -> str:
    """The code of this moment for a secret in base 32."""
    counter = int(time.time() // 30).to_bytes(8, "big")
    mac = hmac.digest(base64.b32decode(secret.replace(" ", "")), counter, hashlib.sha1)
    start = mac[-1] & 0xF
    return f"{(int.from_bytes(mac[start : start + 4], 'big') & 0x7FFFFFFF) % 10**6:06d}"
