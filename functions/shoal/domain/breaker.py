"""Circuit breakers: a route that fails too often is left alone for a while, then tried by one job at a time.

Nygard, "Release It!", chapter "Stability Patterns". Calls are counted in windows that follow each other; at
the end of a cool-down one probe is let through, and its outcome closes the breaker or opens it for longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

WINDOW_MS = 60_000
CALLS_MIN = 5
"""Fewer calls in a window say nothing."""

FAILURE_SHARE = 0.5
COOL_DOWN_MS = 30_000
COOL_DOWN_MS_MAX = 10 * 60_000
"""The cool-down doubles with every probe that fails, up to this."""

UNUSABLE_COOL_DOWN_MS = 5 * 60_000
"""Nobody repairs a bad key or an empty account within seconds."""

PROBE_LEASE_MS = 3 * 60_000
"""How long a probe without an outcome keeps others away: as long as the slowest provider takes."""

SAMPLE = 10
"""While all goes well, one success in so many is written, and counts for all of them."""


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Outcome(StrEnum):
    """What an exchange says about a route. A request the provider refused is a success of the route's."""

    SUCCESS = "success"
    FAILURE = "failure"
    UNUSABLE = "unusable"
    """The operator has to act: the breaker opens at once."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is stored of a route. Moments are Unix time in ms.

    `calls` and `failures` are of the window that began at `window_at_ms`; successes are an estimate.
    `open_until_ms` is None while closed. `probe` names the probe under way, `trips` counts openings in a
    row, `reason` is the error that opened it, for operators.
    """

    window_at_ms: int = 0
    calls: int = 0
    failures: int = 0
    open_until_ms: int | None = None
    probe: str | None = None
    trips: int = 0
    reason: str = ""

    def state(self, now_ms: int) -> BreakerState:
        """Half-open: the cool-down is over, or a probe is under way."""
        if self.open_until_ms is None:
            return BreakerState.CLOSED
        probing = self.probe is not None or self.open_until_ms <= now_ms
        return BreakerState.HALF_OPEN if probing else BreakerState.OPEN

    @property
    def failing(self) -> bool:
        """Whether what was counted is enough to open it."""
        return self.calls >= CALLS_MIN and self.failures >= FAILURE_SHARE * self.calls

    def has_failures(self, now_ms: int) -> bool:
        """Whether there were failures in the current window: then every success counts."""
        return self.failures > 0 and self.window_at_ms == window_of(now_ms)


def window_of(now_ms: int) -> int:
    """When the window of this moment began."""
    return now_ms - now_ms % WINDOW_MS


def cool_down_ms(outcome: Outcome, trips: int) -> int:
    """How long a route is left alone that opens for the `trips`-th time in a row."""
    first_ms = UNUSABLE_COOL_DOWN_MS if outcome is Outcome.UNUSABLE else COOL_DOWN_MS
    return min(COOL_DOWN_MS_MAX, first_ms << min(10, max(0, trips - 1)))
