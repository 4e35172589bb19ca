"""What an account, a session or an address may still do: counters that bound load, never money."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shoal.domain.job import Job
from shoal.domain.rate_limit import RateLimit
from shoal.domain.spend import Spend


class Rates(Protocol):
    """Rates of accounts, sessions, source addresses and e-mail addresses."""

    def count(self, subject: str, limit: RateLimit, now_ms: int, requests: int = 1) -> None:
        """Count requests that were made. Raises `RateLimited`, and then counts none of them."""


class Fetching(Protocol):
    """How many bytes come in for an account in a minute: fetched for it, or uploaded by it."""

    def draw(self, account_id: str, size_bytes: int, now_ms: int) -> None:
        """Take what may come out of the minute's budget. Raises `RateLimited` if too little is left."""

    def give_back(self, account_id: str, size_bytes: int, drawn_at_ms: int) -> None:
        """Return what was drawn and not fetched."""


class OpenJobs(Protocol):
    """Which jobs of an account are not closed, in each mode, and what its closed ones cost on a UTC day."""

    def enter(self, job: Job, jobs_max: int, now_ms: int) -> Spend:
        """Count a new job in. Returns the day's spend. Raises `RateLimited` if as many are open."""

    def leave(self, job: Job, spend: Spend, now_ms: int) -> None:
        """Count a job out and add to the day's spend: once, however often it is told."""

    def ended(self, job: Job, now_ms: int) -> Sequence[Job]:
        """Jobs of the same account and mode that are counted as open and are closed: who closed them died.

        Looks once in a few seconds. Ids of jobs that were never written are counted out here.
        """

    def of(self, account_id: str, now_ms: int) -> tuple[int, Spend]:
        """How many live jobs are counted as open, and the day's spend."""

    def lift(self, account_id: str, now_ms: int) -> None:
        """Let the account submit on this day, whatever its spend."""
