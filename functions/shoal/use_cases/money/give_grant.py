"""Give: what operators grant and refund. Above its asset's cap, a second operator confirms it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from shoal.domain.errors import ConfirmationNeeded, NotFound, ValidationFailed
from shoal.domain.grant import PENDING_MS, Decision, Grant, PendingGrant
from shoal.domain.money import Asset
from shoal.domain.wallet import EntryKind, Movement
from shoal.ports.money import Ledger
from shoal.ports.system import Clock

logger = logging.getLogger(__name__)

REAL = (Asset.USD, Asset.CREDIT)
"""What is no play money."""


@dataclass(frozen=True, slots=True)
class GiveGrant:
    """`caps` are in the asset's unit; of an asset without one, each operator grants any amount."""

    ledger: Ledger
    clock: Clock
    caps: Mapping[Asset, int] = field(default_factory=dict)

    def __call__(self, movement: Movement, decision: Decision) -> bool:
        """Make a movement that an operator decided, and record it. False if it was made before.

        Raises `ConfirmationNeeded` above the cap: it waits for another operator, and no money has moved.
        Raises also what the ledger does.
        """
        grant = Grant.of(movement, decision)
        if not self._above_cap(grant):
            return _told(grant, self.ledger.grant(movement, grant))
        pending = PendingGrant(grant, grant.at_ms + PENDING_MS)
        if not self.ledger.propose(pending):
            return False
        logger.info("grant proposed", extra={"grant": asdict(grant)})
        raise ConfirmationNeeded(
            f"{grant.told} is above the cap: another operator confirms {grant.reference} within 24 hours."
        )

    def pending(self) -> list[PendingGrant]:
        """What waits for a second operator, oldest first."""
        return sorted(self.ledger.pending_grants(self.clock.now_ms()), key=lambda each: each.expires_at_ms)

    def confirm(self, kind: EntryKind, reference: str, operator: str) -> bool:
        """Give what another operator asked for, as it was asked for. False if it was given before.

        Raises `NotFound` for what waits no longer, `ValidationFailed` for the operator who asked for it.
        """
        for each in self.pending():
            if (each.grant.kind, each.grant.reference) == (kind, reference):
                grant = each.confirmed(operator, self.clock.now_ms())
                return _told(grant, self.ledger.grant(grant.movement, grant, each))
        raise NotFound("No such grant waits: it was confirmed, or 24 hours have passed.")

    def opening(self, movements: list[Movement], decision: Decision) -> list[Grant]:
        """The records of what a new account begins with. Raises `ValidationFailed` above a cap.

        An account's wallets begin with entries of one reference, so that the records name the asset too.
        """
        grants = [
            replace(Grant.of(each, decision), reference=f"{each.reference}-{each.asset}")
            for each in movements
            if each.net and each.asset in REAL
        ]
        for grant in grants:
            if self._above_cap(grant):
                raise ValidationFailed(f"{grant.told} is above the cap: open it without, then grant that.")
        return grants

    def _above_cap(self, grant: Grant) -> bool:
        return grant.amount > self.caps.get(grant.asset, grant.amount)


def _told(grant: Grant, made: bool) -> bool:
    logger.info("granted" if made else "granted before", extra={"grant": asdict(grant)})
    return made
