"""Providers: asked, called back, checked, measured, and left alone while they fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Protocol

from shoal.domain.breaker import Breaker, Outcome
from shoal.domain.job import Job
from shoal.domain.provider import Answer, ProviderRequest
from shoal.domain.routing import Board, ProviderCall, Route


class Provider(Protocol):
    """An upstream that makes outputs. `ProviderBusy`, `ProviderUnusable` and any `JobError` may be raised.

    `idempotent`: asking it to start under the same key again makes no second output.
    """

    idempotent: bool

    def start(self, request: ProviderRequest) -> Answer:
        """Raises `OutcomeUnknown` where the answer was lost and asking again could make a second output."""

    def check(self, ref: str, request: ProviderRequest) -> Answer:
        """How the work called `ref` is doing."""

    def parse_callback(self, headers: Mapping[str, str], body: bytes, now_ms: int) -> Answer:
        """Read a callback. Raises `CallbackRefused` unless its signature and age hold."""

    def bills_called_off(self, request: ProviderRequest) -> bool:
        """Whether work on the request is billed though it is called off. True where that is not known."""

    def cancel(self, ref: str) -> None:
        """Ask for the work to stop. Best effort: what was delivered anyway is not used."""


class Providers(Protocol):
    def get(self, name: str) -> Provider:
        """Raises `NotFound` for an unknown provider."""

    def has(self, name: str) -> bool:
        """Whether this stage can ask it: it needs no key, or there is one."""


@dataclass(frozen=True, slots=True)
class CalledBack:
    """What a callback's address says: one call of one output of a job."""

    account_id: str
    job_id: str
    index: int
    number: int


class CallbackUrls(Protocol):
    """Addresses only Shoal can make: a MAC binds provider, job, output and call."""

    def url(self, job: Job, index: int, call: ProviderCall) -> str: ...

    def verify(self, provider: str, job_key: str, mac: str) -> CalledBack:
        """What a genuine address is about. Raises `CallbackRefused`."""


class LookAtBoard(Protocol):
    def __call__(self) -> Board:
        """What is known of all routes. Never raises: what cannot be read is taken to be usable."""


class LookAtRoutes(LookAtBoard, Protocol):
    def breakers(self) -> Mapping[str, Breaker]:
        """By the routes' names; none for those that never failed. Never raises."""


@dataclass(frozen=True, slots=True)
class Pass:
    """Leave to ask a route. `probe` names the one call that is let through a breaker that is half open."""

    probe: str | None = None


class Breakers(Protocol):
    def read_ahead(self) -> None:
        """Begin to read what `admit` looks at, beside something else that waits for the network."""

    def admit(self, route: Route, now_ms: int) -> Pass | None:
        """None while the route is left alone."""

    def note(self, route: Route, outcome: Outcome, given: Pass, now_ms: int, *, reason: str = "") -> None:
        """Count an exchange, open or close the breaker if that is due. Never raises: it is an estimate."""

    def close(self, route: Route) -> None:
        """An operator repaired the route: it is asked again at once."""


class Meter(Protocol):
    def count_exchange(self, route: str, outcome: str, duration_ms: int) -> None:
        """One exchange with a provider. `outcome` is done, pending or an error's class name."""

    def count_output(self, route: str, cost_micros: int | None) -> None:
        """A route made an output, which costs us that much, if it is known."""


class CheckOutput(Protocol):
    def __call__(self, job: Job, file: IO[bytes]) -> None:
        """A first, cheap look. Raises `OutputInvalid` for what is no output of the job, or not all of it."""


class OutputFetcher(Protocol):
    def fetch(self, job: Job, index: int, url: str, *, extra: int = 0, extras: int = 0) -> str:
        """Bring what a provider delivered to the staging place, as `Staging.put` keeps it. Returns its key.

        Raises `ExchangeError` if it is not there (any more), `OutputInvalid` if it is no output of the job,
        not all of it, or too large.
        """


KEY, WEBHOOK_SECRET, ADDRESS = "key", "webhook_secret", "address"
"""What is kept of a provider: the API key, what it signs its callbacks with if that is another, and of a
worker of the platform team's own where it is."""


class KeyStore(Protocol):
    def has(self, provider: str) -> bool:
        """Whether the provider's key is set."""

    def put(self, provider: str, field: str, value: str) -> None:
        """Set the provider's `KEY`, its `WEBHOOK_SECRET` or its `ADDRESS`."""

    def delete(self, provider: str) -> None:
        """What is not there is no error."""


class RouteBoard(Protocol):
    def note_key(self, name: str, *, there: bool) -> None:
        """Tell the stage whether the provider has a key."""

    def breakers(self) -> Mapping[str, Breaker]:
        """By the routes' names; none for those that never failed."""


@dataclass(frozen=True, slots=True)
class RouteStats:
    """Of the last 24 hours. `latency_ms` is the mean of all exchanges, `cost_micros` what outputs cost us."""

    calls: int = 0
    failures: int = 0
    outputs: int = 0
    latency_ms: int | None = None
    cost_micros: int = 0


class Statistics(Protocol):
    def of(self, routes: Sequence[str], now_ms: int) -> Mapping[str, RouteStats]:
        """By the routes' names."""


class Testable(Protocol):
    def test(self) -> str:
        """One cheap call with the key, in words for the operator. Raises what providers raise."""


class Upstream(Provider, Testable, Protocol):
    """A provider outside of the stage."""
