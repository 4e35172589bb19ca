"""What an operator gave to an account: who, what, which account got it, how much, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shoal.domain.errors import ValidationFailed
from shoal.domain.money import Asset, decimal_amount
from shoal.domain.text import folded, is_blank
from shoal.domain.wallet import EntryKind, Movement

REASON_LENGTH_MAX = 500
PENDING_MS = 24 * 3_600_000
"""How long a grant above its asset's cap waits for a second operator."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`operator` is who decided it: the e-mail address of a person, or the ARN of who ran the command."""

    operator: str
    reason: str

    @classmethod
    def of(cls, operator: str, reason: str) -> Decision:
        """Raises `ValidationFailed` without a reason."""
        reason = reason.strip()
        if is_blank(reason) or len(reason) > REASON_LENGTH_MAX:
            raise ValidationFailed(f"Say why, in 1 to {REASON_LENGTH_MAX} characters.")
        return cls(operator, reason)


@dataclass(frozen=True, slots=True)
class Grant:
    """A record beside the ledger's entry, never changed; `reference` is the entry's.

    `confirmed_by` is the second operator of a grant above its asset's cap, empty for any other.
    """

    kind: EntryKind
    reference: str
    account_id: str
    asset: Asset
    amount: int
    operator: str
    reason: str
    at_ms: int
    confirmed_by: str = ""

    @classmethod
    def of(cls, movement: Movement, decision: Decision) -> Grant:
        return cls(
            movement.kind,
            movement.reference,
            movement.account_id,
            movement.asset,
            movement.net,
            decision.operator,
            decision.reason,
            movement.at_ms,
        )

    def check_same(self, earlier: Grant) -> None:
        """That a reference used again says what it said. Raises `ValidationFailed`, which names both."""
        if self._gives != earlier._gives:
            raise ValidationFailed(
                f"{self.reference} stands for {earlier.told} already: it cannot stand for {self.told} too.",
                details={"reference": self.reference, "earlier": earlier.told, "this": self.told},
            )

    @property
    def movement(self) -> Movement:
        """What it does to the wallet."""
        return Movement(
            self.account_id,
            self.asset,
            self.kind,
            self.reference,
            self.at_ms,
            balance_delta=self.amount,
            note="operator",
        )

    @property
    def told(self) -> str:
        return f"{decimal_amount(self.asset, self.amount)} {self.asset} to {self.account_id}"

    @property
    def _gives(self) -> tuple[str, Asset, int]:
        return self.account_id, self.asset, self.amount


@dataclass(frozen=True, slots=True)
class PendingGrant:
    """What one operator asked for and another one has to confirm, never changed; it moves no money."""

    grant: Grant
    expires_at_ms: int

    def is_of(self, operator: str) -> bool:
        """Whether this operator asked for it."""
        return folded(self.grant.operator) == folded(operator)

    def confirmed(self, operator: str, now_ms: int) -> Grant:
        """The grant, which names both. Raises `ValidationFailed` for the operator who asked for it."""
        if self.is_of(operator):
            raise ValidationFailed("You asked for this grant: another operator has to confirm it.")
        return replace(self.grant, confirmed_by=operator, at_ms=now_ms)
