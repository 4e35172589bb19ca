"""The wallet, its ledger, and the movements money can make.

A movement is a set of deltas. The adapter writes it as one conditional update of the wallet item and one
immutable entry with a deterministic id, in one transaction: the entries of a wallet always sum to the wallet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from shoal.domain.models.tariff import Charge
from shoal.domain.money import Asset

FREE_GENERATIONS = 3
"""Free trials of a new account, image dialect."""

TEST_GRANT_USD = 100_000_000
"""Play money of a new account's test wallet: $100.00 in micro-dollars."""

TEST_GRANT_CREDIT = 100


class EntryKind(StrEnum):
    """Those of refunds and disputes are Stripe's words for what becomes of a payment after it was made."""

    TOP_UP = "top_up"
    HOLD = "hold"
    CAPTURE = "capture"
    RELEASE = "release"
    REFUND = "refund"
    REFUND_FAILURE = "refund_failure"
    DISPUTE = "dispute"
    DISPUTE_REVERSAL = "dispute_reversal"
    GIVE_BACK = "give_back"
    """An operator returned what a job had cost."""
    UNDELIVERED = "undelivered"
    """What a cancel had captured and never arrived was returned."""


@dataclass(frozen=True, slots=True)
class Wallet:
    """Amounts in the asset's unit. None is ever below zero, and balance − held is not either.

    `owed` is what went back to the payer of a top-up when it was already spent or held. It counts against
    what is available, and is paid out of the next money that comes in.
    """

    account_id: str
    asset: Asset
    balance: int = 0
    held: int = 0
    free_generations: int = 0
    owed: int = 0

    @property
    def free(self) -> int:
        """What no job holds."""
        return self.balance - self.held

    @property
    def available(self) -> int:
        """What a job can be paid with."""
        return max(0, self.free - self.owed)

    def after(self, movement: Movement) -> Wallet:
        """The wallet once the movement was made."""
        return replace(
            self,
            balance=self.balance + movement.balance_delta,
            held=self.held + movement.held_delta,
            owed=self.owed + movement.owed_delta,
            free_generations=self.free_generations + movement.free_generations_delta,
        )


@dataclass(frozen=True, slots=True)
class Movement:
    """What one ledger entry adds to its wallet; `reference`, a ULID or what begins with one, makes its id.

    `charges` say what the cost of a job is made of, row by row of its tariff.
    """

    account_id: str
    asset: Asset
    kind: EntryKind
    reference: str
    at_ms: int
    balance_delta: int = 0
    held_delta: int = 0
    free_generations_delta: int = 0
    owed_delta: int = 0
    note: str = ""
    charges: tuple[Charge, ...] = ()

    @property
    def available_delta(self) -> int:
        return self.net - self.held_delta

    @property
    def net(self) -> int:
        """What the movement is worth to the account, however it is divided."""
        return self.balance_delta - self.owed_delta

    @property
    def entry_id(self) -> str:
        return f"{self.reference}#{self.kind}"

    def split_for(self, wallet: Wallet) -> Movement:
        """The movement as this wallet can make it, for money that comes in or is taken back.

        What comes in pays first what is owed. What is taken back is taken out of what is free, and the rest
        of it is owed: the payer has the money already, and no balance goes below zero.
        """
        funds, debt = wallet.free + max(self.net, 0), wallet.owed + max(-self.net, 0)
        paid = min(funds, debt)
        return replace(self, balance_delta=max(self.net, 0) - paid, owed_delta=max(-self.net, 0) - paid)


@dataclass(frozen=True, slots=True)
class Hold:
    """What a job keeps aside until it resolves: an amount, or one free trial."""

    account_id: str
    asset: Asset
    reference: str
    amount: int
    free_trial: bool = False

    def place(self, at_ms: int) -> Movement:
        """Take the amount, or one free trial, out of what is available."""
        return self._movement(EntryKind.HOLD, at_ms, held=self.amount, trials=-1)

    def capture(self, cost: int, at_ms: int, charges: tuple[Charge, ...] = ()) -> Movement:
        """Spend `cost` of the hold and free the rest. Raises ValueError if the cost exceeds the hold."""
        if not 0 <= cost <= self.amount:
            raise ValueError(f"cannot capture {cost} of a hold of {self.amount}")
        captured = self._movement(EntryKind.CAPTURE, at_ms, balance=-cost, held=-self.amount)
        return replace(captured, charges=charges)

    def release(self, at_ms: int) -> Movement:
        """Give everything back."""
        return self._movement(EntryKind.RELEASE, at_ms, held=-self.amount, trials=1)

    def give_back(self, amount: int, at_ms: int) -> Movement:
        """Return what of a capture bought nothing: an amount, or the free trial."""
        return self._movement(EntryKind.UNDELIVERED, at_ms, balance=amount, trials=1)

    def _movement(
        self,
        kind: EntryKind,
        at_ms: int,
        *,
        balance: int = 0,
        held: int = 0,
        trials: int = 0,
    ) -> Movement:
        return Movement(
            account_id=self.account_id,
            asset=self.asset,
            kind=kind,
            reference=self.reference,
            at_ms=at_ms,
            balance_delta=balance,
            held_delta=held,
            free_generations_delta=trials if self.free_trial else 0,
        )
