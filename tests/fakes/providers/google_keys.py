"""The key pair that the fake Google signs its tokens with; each run makes its own."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

KEY_ID = "key-1"
KEY = generate_private_key(public_exponent=65_537, key_size=2048)


def token(
    claims: Mapping[str, Any], *, key: RSAPrivateKey = KEY, key_id: str = KEY_ID, algorithm: str = "RS256"
) -> str:
    """A signed JSON Web Token."""
    head = {"alg": algorithm, "kid": key_id, "typ": "JWT"}
    signed = f"{unpadded(json.dumps(head).encode())}.{unpadded(json.dumps(claims).encode())}"
    return f"{signed}.{unpadded(key.sign(signed.encode(), PKCS1v15(), SHA256()))}"


def unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def public(key: RSAPrivateKey, key_id: str) -> dict[str, str]:
    """The public half as a JSON Web Key."""
    numbers = key.public_key().public_numbers()
    parts = {
        name: unpadded(number.to_bytes((number.bit_length() + 7) // 8, "big"))
        for name, number in (("n", numbers.n), ("e", numbers.e))
    }
    return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": key_id, **parts}


PUBLIC_KEYS = {"keys": [{"kty": "EC", "kid": "other"}, public(KEY, KEY_ID)]}
