"""GCRA, the leaky bucket as a meter (ITU-T I.371), in milliseconds.

A key's `tat` (theoretical arrival time) is when its bucket is empty again. One request costs `emission_ms`;
a burst may run the bucket up to `tolerance_ms` ahead of now. The adapter turns the two ways in into one
conditional write each; this module has only the arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass

REQUESTS_PER_MINUTE = 60
BURST = 20
REQUESTS_PER_MINUTE_MAX = 60_000
OPEN_REQUESTS_PER_MINUTE = 600
"""Of one source address, where no key tells who asks: unless the stage says otherwise."""
POLLS_PER_REQUEST = 10
"""Reads of one job by its id, which the documents ask for, count apart: at ten times the key's rate."""
SHORT_HOLD_S = 2
"""Holding a request for as long draws on no budget of the key's."""
HELD_S_PER_MINUTE = 120
"""What a key's requests may be held in a minute, all together."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`requests_per_minute` sustained, `burst` at once."""

    requests_per_minute: int = REQUESTS_PER_MINUTE
    burst: int = BURST

    @classmethod
    def of_rate(cls, requests_per_minute: int, burst: int | None = None) -> RateLimit:
        """A rate with, unless told, a burst of max(20, rate / 3). Raises ValueError out of bounds."""
        if not 1 <= requests_per_minute <= REQUESTS_PER_MINUTE_MAX:
            raise ValueError(f"requests per minute must be from 1 to {REQUESTS_PER_MINUTE_MAX}")
        chosen = max(BURST, requests_per_minute // 3) if burst is None else burst
        if not 1 <= chosen <= REQUESTS_PER_MINUTE_MAX:
            raise ValueError(f"burst must be from 1 to {REQUESTS_PER_MINUTE_MAX}")
        return cls(requests_per_minute, chosen)

    @property
    def of_polls(self) -> RateLimit:
        """Of reads of one job, task or video by its id."""
        return RateLimit(self.requests_per_minute * POLLS_PER_REQUEST, self.burst * POLLS_PER_REQUEST)

    @property
    def emission_ms(self) -> int:
        """What one request costs, rounded up so that the rate is never exceeded."""
        return -(-60_000 // self.requests_per_minute)

    @property
    def tolerance_ms(self) -> int:
        return (self.burst - 1) * self.emission_ms

    def count_remaining(self, tat_ms: int, now_ms: int) -> int:
        """How many more requests would pass right now."""
        return max(0, (now_ms + self.tolerance_ms - tat_ms) // self.emission_ms + 1)

    def retry_after_s(self, tat_ms: int, now_ms: int) -> int:
        """Seconds until the next request passes, at least 1."""
        return max(1, -(-(tat_ms - self.tolerance_ms - now_ms) // 1000))


@dataclass(frozen=True, slots=True)
class Ask:
    """What a request asks of its key's limits: a poll counts apart, `hold_s` is how long it is held."""

    polls: bool = False
    hold_s: int = 0

    @property
    def drawn_s(self) -> int:
        """Of the key's budget of held seconds."""
        return self.hold_s if self.hold_s > SHORT_HOLD_S else 0


ONE_REQUEST = Ask()


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller is told of its limit after a request."""

    limit: RateLimit
    tat_ms: int
    now_ms: int

    def headers(self) -> dict[str, str]:
        """Header fields of draft-ietf-httpapi-ratelimit-headers."""
        reset_s = max(0, -(-(self.tat_ms - self.now_ms) // 1000))
        remaining = self.limit.count_remaining(self.tat_ms, self.now_ms)
        return {
            "RateLimit-Policy": f'"key";q={self.limit.requests_per_minute};w=60',
            "RateLimit": f'"key";r={remaining};t={reset_s}',
        }
