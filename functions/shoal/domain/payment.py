"""Payments: what somebody paid for a top-up, and what of it went back.

A payment is known by what its processor says of it at the moment. `PaymentRecord` remembers how much of that
the ledger has taken in, so that the difference, and nothing else, becomes movements: how often, in which
order and how late events about a payment come does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from shoal.domain.ids import first_ulid_at
from shoal.domain.money import Asset
from shoal.domain.wallet import EntryKind, Movement

PAID = "payment"
"""Note on the entry of a top-up that was paid for: grants of operators are top-ups, too."""


class ClaimKind(StrEnum):
    REFUND = "refund"
    DISPUTE = "dispute"


class CheckoutState(StrEnum):
    """`processing`: the payer is done, the bank is not."""

    OPEN = "open"
    PROCESSING = "processing"
    PAID = "paid"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class CheckoutPage:
    """Where somebody pays."""

    id: str
    url: str


@dataclass(frozen=True, slots=True)
class Checkout:
    """One visit to the page where one pays. There may be no payment before it is paid."""

    id: str
    account_id: str
    state: CheckoutState
    payment_id: str | None


@dataclass(frozen=True, slots=True)
class Payment:
    """What was paid for: an amount of an asset in its unit, and its price in cents."""

    id: str
    account_id: str
    asset: Asset
    amount: int
    price_cents: int

    def worth_of(self, cents: int) -> int:
        """What this part of the price is worth in the asset's unit, rounded down; all of it at most."""
        return self.amount * min(cents, self.price_cents) // self.price_cents


@dataclass(frozen=True, slots=True)
class Claim:
    """A refund or a dispute, and how many cents of the payment it keeps from us.

    None any more (0) when a refund failed or a dispute was won.
    """

    id: str
    kind: ClaimKind
    cents: int


@dataclass(frozen=True, slots=True)
class ClaimRecord:
    """How many cents of a claim the ledger has taken in, and how often that has changed."""

    cents: int = 0
    turns: int = 0


@dataclass(frozen=True, slots=True)
class PaymentRecord:
    """What the ledger has taken in of a payment. Version 0: nothing, the payment itself not either."""

    payment: Payment
    version: int = 0
    claims: Mapping[str, ClaimRecord] = field(default_factory=dict)

    @property
    def worth(self) -> int:
        """What the payment's entries add up to."""
        return self.payment.amount - self.payment.worth_of(self._cents) if self.version else 0

    def settle(self, claims: Iterable[Claim], at_ms: int) -> tuple[PaymentRecord, list[Movement]]:
        """The record that takes in what is known now, and the movements that lead to it: none if none is new.

        Each movement is worth the difference that its claim makes to the sum, so that partial refunds of
        credits add up to whole credits.
        """
        made = (
            []
            if self.version
            else [self._movement(EntryKind.TOP_UP, self.payment.id, self.payment.amount, at_ms)]
        )
        records, cents = dict(self.claims), self._cents
        for claim in claims:
            before = records.get(claim.id, ClaimRecord())
            if claim.cents == before.cents:
                continue
            total = cents - before.cents + claim.cents
            net = self.payment.worth_of(cents) - self.payment.worth_of(total)
            kind = _KINDS[claim.kind, claim.cents > before.cents]
            made.append(self._movement(kind, _name(claim, before), net, at_ms))
            records[claim.id], cents = ClaimRecord(claim.cents, before.turns + 1), total
        version = self.version + 1 if made else self.version
        return replace(self, version=version, claims=records), made

    @property
    def _cents(self) -> int:
        return sum(record.cents for record in self.claims.values())

    def _movement(self, kind: EntryKind, name: str, net: int, at_ms: int) -> Movement:
        """Its reference starts with the moment, as a job's ULID does: the ledger is sorted by it."""
        payment, reference = self.payment, f"{first_ulid_at(at_ms)}.{name}"
        note = PAID if kind is EntryKind.TOP_UP else payment.id
        return Movement(
            payment.account_id, payment.asset, kind, reference, at_ms, balance_delta=net, note=note
        )


_KINDS = {
    (ClaimKind.REFUND, True): EntryKind.REFUND,
    (ClaimKind.REFUND, False): EntryKind.REFUND_FAILURE,
    (ClaimKind.DISPUTE, True): EntryKind.DISPUTE,
    (ClaimKind.DISPUTE, False): EntryKind.DISPUTE_REVERSAL,
}
OF_PAYMENTS = frozenset(_KINDS.values())
"""Kinds of entries that payments alone make."""


def name_of(entry: Movement) -> str:
    """What an entry of a payment is about, as its processor calls it: a payment, a refund or a dispute."""
    return entry.reference.partition(".")[2] or entry.reference


def _name(claim: Claim, before: ClaimRecord) -> str:
    """The claim's id; numbered from its second change on, for a bank may overturn what it decided."""
    return f"{claim.id}.{before.turns}" if before.turns else claim.id
