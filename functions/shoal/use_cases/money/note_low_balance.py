"""NoteLowBalance: tell an account that its wallet runs low, once until it is topped up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shoal.domain.catalog import LowBalance
from shoal.domain.events import Event, low_balance_event
from shoal.domain.job import Job
from shoal.ports.money import Ledger


@dataclass(frozen=True, slots=True)
class NoteLowBalance:
    ledger: Ledger
    low_balance: Callable[[Job], LowBalance]

    def is_near(self, job: Job) -> bool:
        """Whether the wallet is low before or while a job is captured.

        A capture leaves no less available than there was: what is not low now is low only by the hold of
        another job, which looks in its turn.
        """
        available = self.ledger.wallet(job.account_id, job.asset).available
        return available < self._below(job)

    def __call__(self, job: Job) -> list[Event]:
        """The event to publish beside those of a closed job, if any; the same again when run again."""
        if not job.cost:
            return []
        below = self._below(job)
        wallet = self.ledger.note_low(job, below)
        return [low_balance_event(job, wallet, below)] if wallet else []

    def _below(self, job: Job) -> int:
        return self.low_balance(job).of(job.asset)
