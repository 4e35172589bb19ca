"""What an operator does about providers: their keys, a test call, and how each route is doing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from shoal.domain.breaker import Breaker
from shoal.domain.errors import NotFound, ShoalError, ValidationFailed
from shoal.domain.provider import is_worker
from shoal.domain.routing import Route, key_name
from shoal.ports.routing import ADDRESS, Breakers, KeyStore, RouteBoard, RouteStats, Statistics, Testable
from shoal.ports.system import Clock

KEY_LENGTH_MAX = 1_000


@dataclass(frozen=True, slots=True)
class RouteStatus:
    """A route, whether the stage can ask it, and how it did."""

    route: Route
    ready: bool
    breaker: Breaker
    stats: RouteStats


@dataclass(frozen=True, slots=True)
class Tested:
    """What came of a test call: `said` is the provider's word or the error's."""

    provider: str
    good: bool
    duration_ms: int
    said: str


@dataclass(frozen=True, slots=True)
class ManageProviders:
    """`testable` make the adapters by name. `keyed` take a key; `keyless` need none on this stage."""

    keys: KeyStore
    board: RouteBoard
    breakers: Breakers
    statistics: Statistics
    routes: Sequence[Route]
    testable: Mapping[str, Callable[[], Testable]]
    keyed: frozenset[str]
    keyless: frozenset[str]
    clock: Clock

    def set_key(self, provider: str, field: str, value: str) -> None:
        """Keep a key: functions use it within minutes, and the provider's routes at once.

        Raises `NotFound` for a provider that takes no key, `ValidationFailed` for what can be none.
        """
        self._check(provider)
        key = value.strip()
        if not key or len(key) > KEY_LENGTH_MAX or not key.isascii() or not key.isprintable():
            raise ValidationFailed("A key is one line of printable ASCII characters.")
        self._keep(provider, field, key)

    def set_address(self, provider: str, address: str) -> None:
        """Keep where a worker is: functions use it within minutes.

        Raises `NotFound` for what is no worker, `ValidationFailed` for what is no https address.
        """
        if not is_worker(provider):
            raise NotFound(f"{provider!r} has an address of its own: only workers (`http-…`) are given one.")
        try:
            parts = urlsplit(address)
            usable = parts.scheme == "https" and parts.hostname and not parts.username and not parts.fragment
        except ValueError:
            usable = False
        if not usable or len(address) > KEY_LENGTH_MAX or not address.isascii() or not address.isprintable():
            raise ValidationFailed("An address begins with https:// and has no user, password or fragment.")
        self._keep(provider, ADDRESS, address)

    def _keep(self, provider: str, field: str, value: str) -> None:
        self.keys.put(provider, field, value)
        self.board.note_key(provider, there=self.keys.has(provider))
        for route in self.routes:
            if route.key_name == key_name(provider):
                self.breakers.close(route)

    def remove_key(self, provider: str) -> None:
        """Forget a key: the provider's routes are passed over. Raises `NotFound`."""
        self._check(provider)
        self.board.note_key(provider, there=False)
        self.keys.delete(provider)

    def status(self) -> list[RouteStatus]:
        """Every route in the catalog, by name."""
        breakers, routes = self.board.breakers(), sorted(self.routes, key=lambda route: route.name)
        stats = self.statistics.of([route.name for route in routes], self.clock.now_ms())
        return [
            RouteStatus(
                route,
                route.provider in self.keyless or self.keys.has(route.provider),
                breakers.get(route.name, Breaker()),
                stats.get(route.name, RouteStats()),
            )
            for route in routes
        ]

    def test(self, provider: str) -> Tested:
        """One cheap call. Raises `NotFound` for an unknown provider."""
        if provider not in self.testable:
            raise NotFound(f"There is no provider {provider!r}: choose one of {', '.join(self.testable)}.")
        began_ms = self.clock.now_ms()
        try:
            good, said = True, self.testable[provider]().test()
        except ShoalError as error:
            good, said = False, str(error)
        return Tested(provider, good, self.clock.now_ms() - began_ms, said)

    def test_all(self) -> Iterable[Tested]:
        """Every provider that is ready, one after the other."""
        workers = {route.provider: None for route in self.routes if is_worker(route.provider)}
        for provider in (*self.testable, *workers):
            if provider in self.keyless or self.keys.has(provider):
                yield self.test(provider)

    def _check(self, provider: str) -> None:
        if provider not in self.keyed and not is_worker(provider):
            raise NotFound(
                f"There is no key to set for {provider!r}: only for {', '.join(sorted(self.keyed))}."
            )
