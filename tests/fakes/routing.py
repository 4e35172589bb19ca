"""What routing needs, in memory: breakers by the domain's rules, a meter that remembers, a fetcher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from shoal.domain.breaker import PROBE_LEASE_MS, Breaker, BreakerState, Outcome, cool_down_ms, window_of
from shoal.domain.errors import ShoalError
from shoal.domain.job import Job
from shoal.domain.provider import ALWAYS_THERE
from shoal.domain.routing import Board, Route
from shoal.ports.routing import Pass, RouteStats
from tests.fakes.network import Network, reached


@dataclass
class FakeBreakers:
    """Breakers by the routes' names. `noted` is all that was said of them."""

    breakers: dict[str, Breaker] = field(default_factory=dict)
    noted: list[tuple[str, Outcome]] = field(default_factory=list)
    probes: int = 0

    def read_ahead(self) -> None:
        """Nothing is read."""

    def admit(self, route: Route, now_ms: int) -> Pass | None:
        breaker = self.breakers.get(route.name, Breaker())
        if breaker.state(now_ms) is BreakerState.CLOSED:
            return Pass()
        if (breaker.open_until_ms or 0) > now_ms:
            return None
        self.probes += 1
        probe = f"probe-{self.probes}"
        self.breakers[route.name] = replace(breaker, open_until_ms=now_ms + PROBE_LEASE_MS, probe=probe)
        return Pass(probe)

    def note(self, route: Route, outcome: Outcome, given: Pass, now_ms: int, *, reason: str = "") -> None:
        if route.provider in ALWAYS_THERE:
            return
        self.noted.append((route.name, outcome))
        breaker = self.breakers.get(route.name, Breaker())
        if given.probe is not None:
            if breaker.probe == given.probe:
                self.breakers[route.name] = (
                    Breaker()
                    if outcome is Outcome.SUCCESS
                    else _opened(replace(breaker, probe=None), outcome, now_ms, reason)
                )
            return
        failed = int(outcome is not Outcome.SUCCESS)
        same = breaker.window_at_ms == window_of(now_ms)
        counted = replace(
            breaker,
            window_at_ms=window_of(now_ms),
            calls=breaker.calls * same + 1,
            failures=breaker.failures * same + failed,
        )
        if counted.open_until_ms is None and (outcome is Outcome.UNUSABLE or (failed and counted.failing)):
            counted = _opened(counted, outcome, now_ms, reason)
        self.breakers[route.name] = counted

    def close(self, route: Route) -> None:
        self.breakers.pop(route.name, None)


def _opened(breaker: Breaker, outcome: Outcome, now_ms: int, reason: str) -> Breaker:
    trips = breaker.trips + 1
    return replace(breaker, open_until_ms=now_ms + cool_down_ms(outcome, trips), trips=trips, reason=reason)


@dataclass
class FakeBoard:
    """What is told of routes: everybody has a key unless said otherwise."""

    board: Board = field(default_factory=Board)
    broken: dict[str, Breaker] = field(default_factory=dict)

    def __call__(self) -> Board:
        return self.board

    def breakers(self) -> dict[str, Breaker]:
        return self.broken

    def read_ahead(self) -> None:
        """There is nothing to wait for."""


SIMULATED_STAGE = FakeBoard(Board(simulator_allowed=True))
"""A stage without keys: everything is simulated."""


@dataclass
class FakeMeter:
    """`exchanges` are route and outcome, `delivery` what each delivered output cost."""

    exchanges: list[tuple[str, str]] = field(default_factory=list)
    deliveries: list[tuple[str, int | None]] = field(default_factory=list)

    def count_exchange(self, route: str, outcome: str, duration_ms: int) -> None:
        assert duration_ms >= 0
        self.exchanges.append((route, outcome))

    def count_output(self, route: str, cost_micros: int | None) -> None:
        self.deliveries.append((route, cost_micros))


@dataclass
class FakeFetcher:
    """Gives its `script` of errors away, then stages whatever the address is."""

    network: Network
    script: list[Exception] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    extras: int = 0
    port: str = "fetcher"

    @reached
    def fetch(self, job: Job, index: int, url: str, *, extra: int = 0, extras: int = 0) -> str:
        self.fetched.append(url)
        if self.script:
            raise self.script.pop(0)
        self.extras = extras
        return f"{job.account_id}/{job.id}/{index}" + (f"-{extra}" if extra else "")


@dataclass
class FakeKeyStore:
    """Secrets by provider: their fields."""

    secrets: dict[str, dict[str, str]] = field(default_factory=dict)

    def has(self, provider: str) -> bool:
        return "key" in self.secrets.get(provider, {})

    def put(self, provider: str, field: str, value: str) -> None:
        self.secrets.setdefault(provider, {})[field] = value

    def delete(self, provider: str) -> None:
        self.secrets.pop(provider, None)


@dataclass
class FakeRouteBoard:
    """What the stage is told of keys, and the breakers it has."""

    routes: FakeBreakers
    keys: set[str] = field(default_factory=set)

    def note_key(self, name: str, *, there: bool) -> None:
        (self.keys.add if there else self.keys.discard)(name)

    def breakers(self) -> Mapping[str, Breaker]:
        return self.routes.breakers


@dataclass
class FakeStatistics:
    stats: dict[str, RouteStats] = field(default_factory=dict)

    def of(self, routes: Sequence[str], now_ms: int) -> Mapping[str, RouteStats]:
        assert now_ms > 0
        return {route: self.stats[route] for route in routes if route in self.stats}


@dataclass
class FakeTestable:
    """A provider that says `42 models`, or fails."""

    trouble: ShoalError | None = None

    def test(self) -> str:
        if self.trouble:
            raise self.trouble
        return "42 models"
