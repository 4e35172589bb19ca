"""Counters that bound load, in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shoal.domain.errors import RateLimited
from shoal.domain.events import utc_day
from shoal.domain.job import Job
from shoal.domain.rate_limit import RateLimit
from shoal.domain.spend import Spend
from tests.fakes.network import Network, reached
from tests.fakes.tables import Tables

FETCHED_BYTES_MAX = 300_000_000


@dataclass
class FakeFetching:
    """`drawn` are bytes by account and minute."""

    network: Network
    drawn: Counter[tuple[str, int]] = field(default_factory=Counter)
    port: str = "fetching"

    @reached
    def draw(self, account_id: str, size_bytes: int, now_ms: int) -> None:
        minute = account_id, now_ms // 60_000
        if self.drawn[minute] + size_bytes > FETCHED_BYTES_MAX:
            raise RateLimited(details={"limit": "fetching"}, retry_after_seconds=1)
        self.drawn[minute] += size_bytes

    @reached
    def give_back(self, account_id: str, size_bytes: int, drawn_at_ms: int) -> None:
        self.drawn[account_id, drawn_at_ms // 60_000] -= size_bytes


@dataclass
class FakeOpenJobs:
    """`open` are ULIDs by account and mode, `spent` the spends by account and day."""

    network: Network
    tables: Tables
    open: dict[tuple[str, bool], set[str]] = field(default_factory=dict)
    spent: dict[tuple[str, str], Spend] = field(default_factory=dict)
    port: str = "open_jobs"

    @reached
    def enter(self, job: Job, jobs_max: int, now_ms: int) -> Spend:
        counted = self._counted(job)
        if len(counted) >= jobs_max:
            raise RateLimited(details={"limit": "open_jobs"}, retry_after_seconds=5)
        counted.add(job.ulid)
        return self._spent(job.account_id, now_ms)

    @reached
    def leave(self, job: Job, spend: Spend, now_ms: int) -> None:
        if job.ulid not in self._counted(job):
            return
        self._counted(job).remove(job.ulid)
        before = self._spent(job.account_id, now_ms)
        self.spent[job.account_id, utc_day(now_ms)] = replace(
            before,
            for_nothing=before.for_nothing + spend.for_nothing,
            captured=before.captured + spend.captured,
        )

    @reached
    def ended(self, job: Job, now_ms: int) -> Sequence[Job]:
        counted = self._counted(job)
        jobs = [self.tables.jobs.get((job.account_id, ulid)) for ulid in counted]
        return [each for each in jobs if each and each.status.terminal]

    @reached
    def of(self, account_id: str, now_ms: int) -> tuple[int, Spend]:
        return len(self.open.get((account_id, False), ())), self._spent(account_id, now_ms)

    @reached
    def lift(self, account_id: str, now_ms: int) -> None:
        self.spent[account_id, utc_day(now_ms)] = replace(self._spent(account_id, now_ms), lifted=True)

    def _counted(self, job: Job) -> set[str]:
        return self.open.setdefault((job.account_id, job.test), set())

    def _spent(self, account_id: str, now_ms: int) -> Spend:
        return self.spent.get((account_id, utc_day(now_ms)), Spend())


@dataclass
class FakeRates:
    """GCRA in memory."""

    network: Network
    tats: dict[str, int] = field(default_factory=dict)
    port: str = "rates"

    @reached
    def count(self, subject: str, limit: RateLimit, now_ms: int, requests: int = 1) -> None:
        tat = max(now_ms, self.tats.get(subject, 0)) + requests * limit.emission_ms
        if tat > now_ms + limit.burst * limit.emission_ms:
            retry_after = limit.retry_after_s(tat - limit.emission_ms, now_ms)
            raise RateLimited(
                "Too many requests.",
                details={"limit": subject.partition("#")[0].lower()},
                retry_after_seconds=retry_after,
            )
        self.tats[subject] = tat
