"""API keys: only a SHA-256 is kept. The secret has 190 bits, so a plain hash cannot be searched backwards."""

from __future__ import annotations

import hashlib
import re
import string
from dataclasses import dataclass
from enum import StrEnum

from shoal.domain.money import Asset
from shoal.domain.rate_limit import Allowance, RateLimit

SECRET_LENGTH = 32
KEYS_MAX = 20
"""Of one account, where its stage does not say otherwise; revoked ones do not count."""
_KEY = re.compile(rf"(sk_live_|vsk_live_|sk_test_)[A-Za-z0-9]{{{SECRET_LENGTH}}}")
_LETTERS = string.digits + string.ascii_letters


class KeyPrefix(StrEnum):
    LIVE = "sk_live_"
    VIDEO = "vsk_live_"
    TEST = "sk_test_"


class Scope(StrEnum):
    GENERATE = "generate"
    READ = "read"
    WEBHOOKS = "webhooks"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A stored key. `digest` is the SHA-256 of the whole key, hexadecimal."""

    id: str
    account_id: str
    digest: str
    prefix: KeyPrefix
    last_four: str
    scopes: frozenset[Scope]
    limit: RateLimit
    created_at_ms: int
    revoked: bool = False
    name: str = ""

    @property
    def told(self) -> str:
        """What was asked for when it was made."""
        scopes = ", ".join(sorted(self.scopes))
        return f"{self.name or 'unnamed'} ({self.prefix}, {self.limit.requests_per_minute}/min, {scopes})"


@dataclass(frozen=True, slots=True)
class Once:
    """What makes a key the same when it is asked for twice: the ULID of its id, and 64 bytes nobody guesses.

    Its secret derives from `seed`, which is kept nowhere: the caller has to bring it again.
    """

    ulid: str
    seed: bytes

    def secret(self) -> str:
        """190 of the seed's 512 bits as letters and digits; what is left over hides the remainder's bias."""
        number, letters = int.from_bytes(self.seed, "big"), ""
        for _ in range(SECRET_LENGTH):
            number, digit = divmod(number, len(_LETTERS))
            letters += _LETTERS[digit]
        return letters


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking: an authenticated key that its rate limit let through.

    `may_hold`: the key's budget of held seconds let the request be held as long as it wishes.
    """

    account_id: str
    key_id: str
    scopes: frozenset[Scope]
    test: bool
    allowance: Allowance
    may_hold: bool = True

    def asset(self, asset: Asset) -> Asset:
        """The asset this caller spends: test keys spend play money."""
        return Asset(f"test_{asset}") if self.test else asset

    def counts_in(self, route: str) -> str:
        """Where the idempotency keys of submits count: no answer goes from one mode to the other."""
        return f"{route} with play money" if self.test else route


def digest_of(key: str) -> str | None:
    """SHA-256 of a well-formed key, else None."""
    return hashlib.sha256(key.encode()).hexdigest() if _KEY.fullmatch(key) else None
