"""What the audit compares: amounts of wallets, entries and jobs, as the table has them."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import NamedTuple

from shoal.adapters.dynamodb.items import terms_of
from shoal.adapters.dynamodb.table import Item
from shoal.domain.job import HoldState
from shoal.domain.payment import OF_PAYMENTS, PAID
from shoal.domain.wallet import EntryKind

SUMS_MAX = 10_000
"""Of so many different sums no difference is told apart."""
_CAPTURES = (EntryKind.CAPTURE, EntryKind.UNDELIVERED)


class Amounts(NamedTuple):
    """What a wallet, its usage and its payments say, or what entries add up to."""

    balance: int = 0
    held: int = 0
    owed: int = 0
    free_generations: int = 0
    captured: int = 0
    paid: int = 0

    def plus(self, other: Amounts) -> Amounts:
        return Amounts(*map(operator.add, self, other))

    def minus(self, other: Amounts) -> Amounts:
        return Amounts(*map(operator.sub, self, other))


NOTHING = Amounts()


class JobAmounts(NamedTuple):
    """What a job holds and has cost, or what its entries say it does."""

    held: int = 0
    cost: int = 0

    def minus(self, other: JobAmounts) -> JobAmounts:
        return JobAmounts(self.held - other.held, self.cost - other.cost)


def of_wallet(wallet: Item | None) -> Amounts:
    names = ("balance", "held", "owed", "free_generations")
    return Amounts(*(int(wallet[name]) for name in names)) if wallet else NOTHING


def moved_by(entry: Item) -> Amounts:
    balance, owed = int(entry["balance_delta"]), int(entry["owed_delta"])
    return Amounts(
        balance=balance,
        held=int(entry["held_delta"]),
        owed=owed,
        free_generations=int(entry["free_generations_delta"]),
        captured=-balance if entry["kind"] in _CAPTURES else 0,
        paid=balance - owed if entry["kind"] in OF_PAYMENTS or entry["note"] == PAID else 0,
    )


def of_job(job: Item) -> JobAmounts:
    held = job["hold_state"] == HoldState.HELD and not job["free_trial"]
    price = terms_of(job).price_of(int(job["output_count"]))
    return JobAmounts(price if held else 0, int(job.get("cost", 0)))


def is_sum_of(missing: Amounts, new: Iterable[Amounts]) -> bool:
    """Whether some of the new entries, or none, add up to it. Of too many it is taken to be."""
    sums = {NOTHING}
    for moved in new:
        sums |= {each.plus(moved) for each in sums}
        if len(sums) > SUMS_MAX:
            return True
    return missing in sums
