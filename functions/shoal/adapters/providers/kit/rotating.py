"""Signing keys that a provider publishes and may rotate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from shoal.domain.errors import CallbackRefused, ProviderBusy, ProviderFailed, ProviderUnusable, Unavailable

T = TypeVar("T")

LIFETIME_MS = 60 * 60_000
"""How long fetched keys are used without asking again."""

REFETCH_MS = 60_000
"""A callback that no key fits may be signed with a new one; forged ones cause one request in this time."""


class Rotating(Generic[T]):
    """A key, or several, fetched from the provider when first needed."""

    def __init__(self, fetch: Callable[[], T], *, lifetime_ms: int = LIFETIME_MS) -> None:
        self._fetch = fetch
        self._lifetime_ms = lifetime_ms
        self._fetched: tuple[int, T] | None = None

    def verify(self, check: Callable[[T], None], now_ms: int) -> None:
        """Run `check`, once more with new keys if it refuses. Raises its `CallbackRefused`, `Unavailable`."""
        at_ms, key = self._fetched or self._renew(now_ms)
        if now_ms - at_ms >= self._lifetime_ms:
            at_ms, key = self._renew(now_ms)
        try:
            check(key)
        except CallbackRefused:
            if now_ms - at_ms < REFETCH_MS:
                raise
            check(self._renew(now_ms)[1])

    def _renew(self, now_ms: int) -> tuple[int, T]:
        """Raises `Unavailable`, so that the provider calls again, where the keys cannot be had."""
        try:
            self._fetched = (now_ms, self._fetch())
        except (ProviderBusy, ProviderUnusable, ProviderFailed) as error:
            raise Unavailable from error
        return self._fetched
