"""Callbacks signed the way of fal: Ed25519 over four lines, keys as a JSON Web Key Set.

https://docs.fal.ai/model-endpoints/webhooks: the lines are request id, user id, timestamp and the SHA-256
of the body in hex, joined by newlines; the signature is in hex.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from shoal.domain.errors import CallbackRefused

TOLERANCE_S = 300
KEY_BYTES = 32
SIGNATURE_BYTES = 64


def public_keys(key_set: Mapping[str, Any]) -> tuple[bytes, ...]:
    """The Ed25519 keys of a key set (RFC 8037); keys of other kinds are passed over."""
    listed = key_set.get("keys")
    found = (_public_key(entry) for entry in listed) if isinstance(listed, list) else ()
    return tuple(key for key in found if len(key) == KEY_BYTES)


def message(request_id: str, user_id: str, timestamp: str, body: bytes) -> bytes:
    """What is signed."""
    lines = (request_id, user_id, timestamp, hashlib.sha256(body).hexdigest())
    # What a sender put into a header may be no text at all; it must be checked, not crash.
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def verify(keys: Iterable[bytes], headers: Mapping[str, str], body: bytes, now_ms: int) -> None:
    """Raises `CallbackRefused` unless a key made the signature and the timestamp is within ±300 s."""
    request_id, user_id, timestamp, signature = (
        headers.get(f"x-fal-webhook-{name}", "")
        for name in ("request-id", "user-id", "timestamp", "signature")
    )
    if not request_id or not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        raise CallbackRefused("the signature headers are missing or malformed")
    if abs(now_ms // 1000 - int(timestamp)) > TOLERANCE_S:
        raise CallbackRefused("the callback is too old or too new")
    signed = message(request_id, user_id, timestamp, body)
    if not any(_is_made_by(key, signed, _signature(signature)) for key in keys):
        raise CallbackRefused("the signature does not hold")


def _is_made_by(key: bytes, signed: bytes, signature: bytes) -> bool:
    # Imported here: it takes 40 ms, and of all functions only the one that receives callbacks needs it.
    from nacl.exceptions import CryptoError
    from nacl.signing import VerifyKey

    with suppress(CryptoError):
        VerifyKey(key).verify(signed, signature)
        return True
    return False


def _signature(text: str) -> bytes:
    try:
        signature = bytes.fromhex(text)
    except ValueError:
        signature = b""
    if len(signature) != SIGNATURE_BYTES:
        raise CallbackRefused("the signature headers are missing or malformed")
    return signature


def _public_key(entry: Any) -> bytes:
    """Empty if the entry is no Ed25519 key."""
    if not isinstance(entry, dict) or (entry.get("kty"), entry.get("crv")) != ("OKP", "Ed25519"):
        return b""
    try:
        text = str(entry.get("x"))
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""
