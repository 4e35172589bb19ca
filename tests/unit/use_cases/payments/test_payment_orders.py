"""In any order, any number of times, broken off anywhere: what a payment does to a wallet is the same."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.domain.errors import ShoalError
from shoal.domain.money import Asset
from shoal.domain.payment import PaymentRecord, name_of
from shoal.domain.wallet import EntryKind
from tests.fakes.stripe_books import Books, Json
from tests.support.executions import Crash
from tests.support.factories import DECISION
from tests.support.faults import ANY_FAULT
from tests.worlds.payment_world import CENT, PaymentWorld
from tests.worlds.world import World

PRICE_CENTS = 1_000


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of faults would be logged."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@dataclass
class Story:
    """What happens to a few payments of one account. `spent` and `granted` in micro-dollars."""

    till: PaymentWorld = field(default_factory=lambda: PaymentWorld(World()))
    spent: int = 0
    granted: int = 0

    def __post_init__(self) -> None:
        self.customer = self.till.world.customer(usd="0")

    @property
    def books(self) -> Books:
        return self.till.books

    def pay(self, _: int) -> None:
        self.till.pay(self.customer)

    def refund(self, number: int) -> None:
        """As much as is there still, or a part of it."""
        if payment_id := self._one(self.books.payments, number):
            refunds = self.books.of_payment(self.books.refunds, payment_id)
            left = PRICE_CENTS - sum(r["amount"] for r in refunds if r["status"] != "failed")
            if cents := left if number % 3 == 0 else left * (number % 7) // 7:
                self.books.refund(payment_id, cents, status="pending" if number % 2 else "succeeded")

    def fail_refund(self, number: int) -> None:
        pending = {k: r for k, r in self.books.refunds.items() if r["status"] == "pending"}
        if refund_id := self._one(pending, number):
            self.books.fail_refund(refund_id)

    def dispute(self, number: int) -> None:
        """Each payment at most once, as banks do."""
        disputed = {dispute["payment_intent"] for dispute in self.books.disputes.values()}
        if payment_id := self._one(self.books.payments.keys() - disputed, number):
            self.books.dispute(payment_id, PRICE_CENTS - number % 500, inquiry=number % 4 == 0)

    def win(self, number: int) -> None:
        withdrawn = {k: d for k, d in self.books.disputes.items() if len(d["balance_transactions"]) % 2}
        if dispute_id := self._one(withdrawn, number):
            self.books.win(dispute_id)

    def lose(self, number: int) -> None:
        if dispute_id := self._one(self.books.disputes, number):
            self.books.lose(dispute_id)

    def grant(self, number: int) -> None:
        self.granted += number + 1
        reference = f"grant-{self.granted}"
        self.till.world.manage.grant(self.customer.account_id, Asset.USD, number + 1, DECISION, reference)

    def spend(self, _: int) -> None:
        """One picture, if there is money for it."""
        if self.till.world.wallet(self.customer).available >= 20_000:
            self.spent += self.till.world.completed(self.customer).cost

    def hear(self, number: int) -> None:
        """Of anything that happened so far."""
        if self.books.events:
            self.till.tell(self.books.events[number % len(self.books.events)])

    def net(self) -> int:
        """What the account should own, told from Stripe's books: by this test, not by the code."""
        worth = 0
        for payment_id in self.books.payments:
            gone = sum(
                r["amount"]
                for r in self.books.of_payment(self.books.refunds, payment_id)
                if r["status"] != "failed"
            )
            for dispute in self.books.of_payment(self.books.disputes, payment_id):
                gone -= sum(t["amount"] for t in dispute["balance_transactions"])
            worth += (PRICE_CENTS - min(gone, PRICE_CENTS)) * CENT
        return worth + self.granted - self.spent

    def check(self) -> None:
        """Every event was handled: the wallet is what it should be, and nothing was entered twice."""
        net = self.net()
        assert self.till.owned(self.customer) == (max(0, net), max(0, -net))
        assert self.till.world.audit_ledger() == []
        entries = self.till.world.tables.entries[self.customer.account_id, Asset.USD].values()
        for kind, expected in (
            (EntryKind.TOP_UP, self.books.payments.keys()),
            (EntryKind.REFUND, {r for r, of in self.books.refunds.items() if of["status"] != "failed"}),
        ):
            made = [name_of(entry) for entry in entries if entry.kind is kind]
            assert len(set(made)) == len(made)
            assert expected <= set(made)

    def _one(self, ids: object, number: int) -> str | None:
        known = sorted(ids)  # type: ignore[call-overload]
        return known[number % len(known)] if known else None


HAPPENINGS: list[Callable[[Story, int], None]] = [
    Story.pay,
    Story.refund,
    Story.fail_refund,
    Story.dispute,
    Story.win,
    Story.lose,
]
ALSO = [Story.grant, Story.spend, Story.hear, Story.hear, Story.hear]
NUMBERS = st.integers(0, 2_000)


@given(st.lists(st.tuples(st.sampled_from(HAPPENINGS), NUMBERS), max_size=12), st.data())
def test_events_in_any_order_and_repeated_give_the_same_wallet(
    happened: list[tuple[Callable[[Story, int], None], int]], data: st.DataObject
) -> None:
    story = Story()
    story.pay(0)
    for happen, number in happened:
        happen(story, number)
    events = data.draw(st.permutations(story.books.events))
    again = data.draw(st.lists(st.sampled_from(story.books.events), max_size=5))

    for event in [*events, *again]:
        story.till.tell(event)

    story.check()


@given(st.lists(st.tuples(st.sampled_from(HAPPENINGS + ALSO), NUMBERS), max_size=25))
def test_what_happens_between_the_events_does_not_matter(
    happened: list[tuple[Callable[[Story, int], None], int]],
) -> None:
    story = Story()
    for happen, number in happened:
        happen(story, number)
        wallet = story.till.world.wallet(story.customer)
        assert min(wallet.balance, wallet.owed, wallet.free) >= 0

    story.till.tell_all()

    story.check()


@given(
    st.lists(st.tuples(st.sampled_from(HAPPENINGS), NUMBERS), max_size=8),
    st.lists(ANY_FAULT, max_size=4),
)
def test_an_event_may_be_broken_off_anywhere_and_told_again(
    happened: list[tuple[Callable[[Story, int], None], int]], faults: list[object]
) -> None:
    story = Story()
    story.pay(0)
    for happen, number in happened:
        happen(story, number)
    network = story.till.world.network
    network.calls.clear()
    network.faults.extend(faults)  # type: ignore[arg-type]

    for event in story.books.events:
        told_until_taken(story.till, event)

    network.heal()
    story.check()


def told_until_taken(till: PaymentWorld, event: Json) -> PaymentRecord | None:
    """As Stripe does, which tells again what was not answered well."""
    for _ in range(10):
        with suppress(ShoalError, Crash):
            return till.tell(event)
    raise AssertionError("it was never taken")


@given(st.lists(st.tuples(st.sampled_from(HAPPENINGS), NUMBERS), max_size=8), NUMBERS)
def test_somebody_else_may_always_be_faster(
    happened: list[tuple[Callable[[Story, int], None], int]], number: int
) -> None:
    story = Story()
    story.pay(0)
    network = story.till.world.network
    for happen, at in happened:

        def meanwhile(happen: Callable[[Story, int], None] = happen, at: int = at) -> None:
            happen(story, at)
            story.hear(len(story.books.events) - 1)

        network.before("payments.settle", meanwhile)
        story.hear(number)
        network.others.clear()

    story.till.tell_all()

    story.check()
