"""JSON Web Tokens signed with RS256 (RFC 7515, RFC 7518 3.3), verified by keys that a provider publishes.

RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2.2): the signature, raised to the public exponent, must be the
one encoding of the message's hash, all of it. Only public numbers are involved: plain arithmetic will do.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from shoal.domain.errors import CallbackRefused

KEY_BITS_MIN, KEY_BITS_MAX = 2048, 8192
TOKEN_CHARS_MAX = 16_384

_SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""DigestInfo of SHA-256, RFC 8017, 9.2, note 1."""

Keys = Mapping[str, tuple[int, int]]
"""Modulus and exponent by key id."""


def key_set(document: Mapping[str, Any]) -> Keys:
    """The RSA keys of a JSON Web Key Set (RFC 7517), by key id."""
    found = [_numbers(key) for key in document.get("keys") or ()]
    return dict(key for key in found if key)


def claims(token: str, keys: Keys) -> dict[str, Any]:
    """The claims of a genuine token, of whatever age. Raises `CallbackRefused`."""
    if len(token) > TOKEN_CHARS_MAX or not token.isascii() or token.count(".") != 2:
        raise CallbackRefused("the signature is no token")
    signed, _, signature = token.rpartition(".")
    header, _, payload = signed.partition(".")
    head = _object(header)
    if head.get("alg") != "RS256":
        raise CallbackRefused("the token is not signed with RS256")
    key = keys.get(str(head.get("kid")))
    if key is None or not _holds(signed.encode(), _bytes(signature), *key):
        raise CallbackRefused("the signature does not hold")
    return _object(payload)


def _holds(message: bytes, signature: bytes, modulus: int, exponent: int) -> bool:
    size = (modulus.bit_length() + 7) // 8
    number = int.from_bytes(signature, "big")
    if len(signature) != size or number >= modulus:
        return False
    tail = _SHA256_INFO + hashlib.sha256(message).digest()
    expected = b"\x00\x01" + b"\xff" * (size - len(tail) - 3) + b"\x00" + tail
    return hmac.compare_digest(pow(number, exponent, modulus).to_bytes(size, "big"), expected)


def _numbers(key: Any) -> tuple[str, tuple[int, int]] | None:
    """Key id, modulus and exponent (RFC 7518, 6.3.1); None for a key of another kind or strength."""
    match key:
        case {"kty": "RSA", "kid": str(key_id), "n": str(n), "e": str(e)}:
            modulus, exponent = (int.from_bytes(_bytes(number), "big") for number in (n, e))
            if KEY_BITS_MIN <= modulus.bit_length() <= KEY_BITS_MAX and exponent >= 3:
                return key_id, (modulus, exponent)
    return None


def _object(part: str) -> dict[str, Any]:
    try:
        value = json.loads(_bytes(part))
    except (ValueError, RecursionError):
        raise CallbackRefused("the signature is no token") from None
    if not isinstance(value, dict):
        raise CallbackRefused("the signature is no token")
    return value


def _bytes(part: str) -> bytes:
    """Base64 in the URL alphabet without padding (RFC 7515, 2)."""
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise CallbackRefused("the signature is no token") from None
