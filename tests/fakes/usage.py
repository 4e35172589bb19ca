"""Usage and what callers' addresses answer, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from shoal.domain.errors import AddressRefused, ConnectionFailed, ExchangeError, ResponseTooLarge
from shoal.domain.events import utc_day
from shoal.domain.job import Job
from shoal.ports.money import Rollup
from tests.fakes.network import Network, reached
from tests.fakes.tables import Tables

DAY_MS = 24 * 3_600_000


@dataclass
class FakeUsage:
    """Reads the rollups that the ledger's captures added to."""

    network: Network
    tables: Tables
    port: str = "usage"

    @reached
    def between(self, account_id: str, from_day: str | None, to_day: str | None) -> Sequence[Rollup]:
        mine = [rollup for place, rollup in self.tables.rollups.items() if place[0] == account_id]
        return [
            rollup
            for rollup in sorted(mine, key=lambda rollup: (rollup.day, rollup.asset, rollup.model))
            if (from_day is None or rollup.day >= from_day) and (to_day is None or rollup.day <= to_day)
        ]


@dataclass
class FakeRuns:
    """How long the runs of a model took, by UTC day, in ms."""

    network: Network
    runs: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    port: str = "runs"

    @reached
    def note(self, job: Job) -> None:
        assert job.closed_at_ms is not None
        took_ms = job.closed_at_ms - job.created_at_ms
        self.runs.setdefault((job.model, utc_day(job.closed_at_ms)), []).append(took_ms)

    @reached
    def seconds_expected(self, model: str, now_ms: int) -> int | None:
        days = (utc_day(now_ms), utc_day(now_ms - DAY_MS))
        recent = [took_ms for day in days for took_ms in self.runs.get((model, day), [])]
        return max(1, round(sum(recent) / len(recent) / 1000)) if recent else None


@dataclass
class FakeCallerHttp:
    """`pages` are what is at an address: bytes, or the error that speaking to it ends in.

    `given_s` is how long each fetch might have taken, in seconds.
    """

    network: Network
    pages: dict[str, bytes | ExchangeError] = field(default_factory=dict)
    vetted: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    given_s: list[float] = field(default_factory=list)
    port: str = "caller_http"

    @reached
    def vet(self, url: str) -> None:
        self.vetted.append(url)
        self._check(url)

    @reached
    def fetch(self, url: str, *, bytes_max: int, seconds_max: float) -> bytes:
        assert seconds_max > 0
        self.fetched.append(url)
        self.given_s.append(seconds_max)
        self._check(url)
        page = self.pages.get(url, ConnectionFailed("No connection could be made."))
        if isinstance(page, ExchangeError):
            raise page
        if len(page) > bytes_max:
            raise ResponseTooLarge(bytes_max)
        return page

    def _check(self, url: str) -> None:
        page = self.pages.get(url)
        if isinstance(page, AddressRefused):
            raise page
