"""The machine's own clock and randomness."""

from __future__ import annotations

import secrets
import string
import time

from shoal.domain.ids import ulid

_ALPHABET = string.ascii_letters + string.digits


class SystemClock:
    """Implements the `Clock` port."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class RandomIds:
    """Implements the `Ids` port."""

    def new(self, prefix: str, at_ms: int) -> str:
        return f"{prefix}_{ulid(at_ms, secrets.token_bytes(10))}"

    def secret(self, length: int) -> str:
        return "".join(secrets.choice(_ALPHABET) for _ in range(length))
