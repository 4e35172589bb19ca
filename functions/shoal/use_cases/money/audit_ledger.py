"""Audit: every wallet against its ledger, every hold against its job."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.ports.money import Discrepancy, Ledger


@dataclass(frozen=True, slots=True)
class AuditLedger:
    ledger: Ledger

    def __call__(self) -> list[Discrepancy]:
        """Whatever is off; empty when every amount agrees."""
        return self.ledger.discrepancies()
