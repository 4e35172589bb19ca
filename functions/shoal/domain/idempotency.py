"""Idempotency records: one per account, route and key, written in the transaction of what they protect."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shoal.domain.errors import IdempotencyKeyReused, ValidationFailed

KEY_LENGTH_MAX = 255
LIFETIME_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A caller's `Idempotency-Key` with the scope it counts in and the body it came with."""

    account_id: str
    route: str
    key: str
    fingerprint: str

    @classmethod
    def of(cls, account_id: str, route: str, key: str, body: Mapping[str, Any]) -> IdempotencyKey:
        """Raises `ValidationFailed` on an empty, over-long or unprintable key."""
        if not 1 <= len(key) <= KEY_LENGTH_MAX or not key.isprintable():
            raise ValidationFailed(
                f"Idempotency-Key must be 1 to {KEY_LENGTH_MAX} printable characters.",
                details={
                    "fields": [
                        {
                            "field": "Idempotency-Key",
                            "message": "wrong length or characters",
                        }
                    ]
                },
            )
        return cls(account_id, route, key, fingerprint(body))


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """A key that was used, and the answer it got. `expires_at_ms` is Unix time in milliseconds."""

    key: IdempotencyKey
    job_id: str
    status: int
    body: Mapping[str, Any]
    expires_at_ms: int

    def replay(self, again: IdempotencyKey) -> IdempotencyRecord:
        """This record, if the request is the same. Raises `IdempotencyKeyReused` if its body differs."""
        if again.fingerprint != self.key.fingerprint:
            raise IdempotencyKeyReused()
        return self


def fingerprint(body: Mapping[str, Any]) -> str:
    """SHA-256 of a body's canonical JSON: the order of its fields and its white space do not matter."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
