"""NoteLowBalance: tell an account that its wallet runs low, once until it is topped up."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.catalog import LowBalance
from shoal.domain.events import Event, low_balance_event
from shoal.domain.job import Job
from shoal.ports.money import Ledger


@dataclass(frozen=True, slots=True)
class NoteLowBalance:
    ledger: Ledger
    low_balance: LowBalance

    def __call__(self, job: Job) -> list[Event]:
        """The event to publish beside those of a closed job, if any; the same again when run again."""
        if not job.cost:
            return []
        below = self.low_balance.of(job.asset)
        wallet = self.ledger.note_low(job, below)
        return [low_balance_event(job, wallet, below)] if wallet else []
