"""Idempotency records: one per account, route and key, written in the transaction of what they protect."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shoal.domain.errors import IdempotencyKeyReused, ValidationFailed
from shoal.domain.text import is_blank, same_form

KEY_LENGTH_MAX = 255
LIFETIME_MS = 24 * 3_600_000
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
"""A string of RFC 9651, as the draft of the header spells keys."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A caller's `Idempotency-Key` with the scope it counts in and the body it came with.

    `sent` is the key letter by letter and `exact` the fingerprint of the body letter by letter: version 0.1
    kept those alone, and its records are good for a day.
    """

    account_id: str
    route: str
    key: str
    fingerprint: str
    sent: str = ""
    exact: str = ""

    @classmethod
    def of(cls, account_id: str, route: str, key: str, body: Mapping[str, Any]) -> IdempotencyKey:
        """`"k"` is the key `k`. Raises `ValidationFailed` on an empty, over-long or unprintable key."""
        sent, key = key, _unquoted(same_form(key))
        if is_blank(key) or len(key) > KEY_LENGTH_MAX or not key.isprintable():
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
        return cls(account_id, route, key, fingerprint(body), sent, _digest(body))

    @property
    def spellings(self) -> list[str]:
        """Under what its record may lie: version 0.1 took no key longer than the limit, quotes included."""
        older = self.sent if len(self.sent) <= KEY_LENGTH_MAX else ""
        return [text for text in dict.fromkeys((self.key, older)) if text]

    def said(self, stored: str) -> bool:
        """Whether a stored fingerprint is that of this request."""
        return stored in (self.fingerprint, self.exact)


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """A key that was used, and the answer it got. `expires_at_ms` is Unix time in milliseconds.

    `done`: the answer was given. Until then `body` is what it takes to go on where a crash left off.
    """

    key: IdempotencyKey
    job_id: str
    status: int
    body: Mapping[str, Any]
    expires_at_ms: int
    done: bool = True

    def replay(self, again: IdempotencyKey) -> IdempotencyRecord:
        """This record, if the request is the same. Raises `IdempotencyKeyReused` if its body differs."""
        if not again.said(self.key.fingerprint):
            raise IdempotencyKeyReused.of(again.key, self.job_id, self.key.fingerprint, again.fingerprint)
        return self


def fingerprint(body: Mapping[str, Any]) -> str:
    """SHA-256 of what a body says: 8, 8.0 and 8e0 are one number, and a field that is null is not there.

    The order of fields, white space and how Unicode spells an accent do not matter either.
    """
    return _digest(_meant({name: value for name, value in body.items() if value is not None}))


def _digest(value: Any) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _meant(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        return same_form(value)
    if isinstance(value, list):
        return [_meant(item) for item in value]
    if isinstance(value, Mapping):
        return {same_form(name): _meant(item) for name, item in value.items()}
    return value


def _unquoted(key: str) -> str:
    quoted = _QUOTED.fullmatch(key)
    return re.sub(r'\\(["\\])', r"\1", quoted[1]) if quoted else key
