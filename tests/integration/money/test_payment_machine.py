"""Payments, grants and jobs on the real table: in whatever order, nothing is made up or lost."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from shoal.domain.errors import InsufficientBalance
from shoal.domain.money import Asset
from tests.fakes import FakeIds
from tests.integration.bench import PRICE, Bench
from tests.integration.conditions.scenarios_payments import CENT
from tests.integration.faults import faulty, timed_out
from tests.integration.money.test_money_machine import RARELY, RUN
from tests.support.deployed import Deployed
from tests.support.factories import DECISION

CENTS = st.integers(1, 6)
EXAMPLES = 12
"""Fewer than of jobs: in memory the same is tried far more often (test_payment_orders)."""


class PaymentMachine(RuleBasedStateMachine):
    """One account. The model is a number: what came in, less what went back and what was spent."""

    payments: Bundle[str] = Bundle("payments")
    refunds: Bundle[str] = Bundle("refunds")
    disputes: Bundle[str] = Bundle("disputes")
    jobs: Bundle[str] = Bundle("jobs")

    def __init__(self, deployed: Deployed) -> None:
        super().__init__()
        self.bench = Bench(deployed.fresh_table(), FakeIds())
        self.caller = self.bench.account(0)
        self.price_cents: dict[str, int] = {}
        self.known: dict[str, int] = {}
        self.granted = self.spent = 0
        self.open: set[str] = set()

    def worth(self, payment_id: str) -> int:
        """What Stripe leaves us of a payment, in micro-dollars."""
        books, price = self.bench.books, self.price_cents[payment_id]
        refunds = books.of_payment(books.refunds, payment_id)
        gone: int = sum(refund["amount"] for refund in refunds if refund["status"] != "failed")
        for dispute in books.of_payment(books.disputes, payment_id):
            gone -= sum(transaction["amount"] for transaction in dispute["balance_transactions"])
        return (price - min(price, gone)) * CENT

    @rule(target=payments, cents=CENTS)
    def pay(self, cents: int) -> str:
        payment_id = self.bench.paid(self.caller, cents)
        self.price_cents[payment_id] = cents
        return payment_id

    @rule(target=refunds, payment_id=payments, cents=CENTS)
    def refund(self, payment_id: str, cents: int) -> str:
        cents = min(cents, self.price_cents[payment_id])
        return self.bench.books.refund(payment_id, cents, status="pending")

    @rule(refund_id=refunds)
    def fail_refund(self, refund_id: str) -> None:
        self.bench.books.fail_refund(refund_id)

    @rule(target=disputes, payment_id=payments, cents=CENTS)
    def dispute(self, payment_id: str, cents: int) -> str:
        return self.bench.books.dispute(payment_id, cents)

    @rule(dispute_id=disputes)
    def turn(self, dispute_id: str) -> None:
        """The bank changes its mind."""
        moved = self.bench.books.disputes[dispute_id]["balance_transactions"]
        (self.bench.books.win if len(moved) % 2 else self.bench.books.withdraw)(dispute_id)

    @rule(payment_id=payments, reply_lost=RARELY)
    def hear(self, payment_id: str, reply_lost: bool) -> None:
        news = self.known.get(payment_id) != self.worth(payment_id)
        if reply_lost and news:
            table = faulty(self.bench.table, "transact_write_items", timed_out, after=True)
            assert self.bench.over(table).settle_payment(payment_id) is not None
        self.known[payment_id] = self.worth(payment_id)
        settled = self.bench.settle_payment(payment_id)
        assert settled is not None
        assert settled.worth == self.known[payment_id]

    @rule(amount=st.integers(1, 4 * PRICE))
    def grant(self, amount: int) -> None:
        self.granted += amount
        assert self.bench.accounts.grant(self.caller.account_id, Asset.USD, amount, DECISION)

    @rule(target=jobs)
    def submit(self) -> str | MultipleResults[str]:
        wallet = self.bench.wallet(self.caller)
        paid = wallet.available >= PRICE
        try:
            job = self.bench.accept(self.caller)
        except InsufficientBalance:
            assert not paid
            return multiple()
        assert paid != job.free_trial
        self.open.add(job.id)
        return job.id

    @rule(job_id=jobs, delivered=st.booleans())
    def end(self, job_id: str, delivered: bool) -> None:
        if job_id in self.open:
            self.open.remove(job_id)
            job = self.bench.jobs.get(self.caller.account_id, job_id)
            self.spent += self.bench.settle(job).cost if delivered else self.bench.fail(job).cost

    @invariant()
    def nothing_is_made_up_or_lost(self) -> None:
        wallet = self.bench.wallet(self.caller)
        assert wallet.balance - wallet.owed == sum(self.known.values()) + self.granted - self.spent
        assert min(wallet.balance, wallet.owed, wallet.held, wallet.free) >= 0
        total = self.bench.ledger.entries_sum(self.caller.account_id, Asset.USD)
        assert (total.balance_delta, total.held_delta, total.owed_delta) == (
            wallet.balance,
            wallet.held,
            wallet.owed,
        )

    def teardown(self) -> None:
        """After every event and the end of every job, who owes has nothing, and who has owes nothing."""
        for job_id in sorted(self.open):
            self.bench.fail(self.bench.jobs.get(self.caller.account_id, job_id))
        for payment_id in self.price_cents:
            self.hear(payment_id, reply_lost=False)
        self.grant(1)
        self.nothing_is_made_up_or_lost()
        wallet = self.bench.wallet(self.caller)
        assert 0 in (wallet.balance, wallet.owed)
        assert self.bench.audit_ledger() == []


@pytest.mark.timeout(600)  # a failure is shrunk for up to five minutes
def test_payments_are_exact_whatever_happens(deployed: Deployed) -> None:
    class Machine(PaymentMachine):
        def __init__(self) -> None:
            super().__init__(deployed)

    run_state_machine_as_test(Machine, settings=settings(RUN, max_examples=EXAMPLES))
