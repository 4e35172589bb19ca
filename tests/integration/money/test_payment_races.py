"""Many settle the same payments at once, while the money is being spent; and replies that are lost."""

from __future__ import annotations

from functools import partial

import pytest

from shoal.domain.api_key import Caller
from shoal.domain.errors import InsufficientBalance, Unavailable
from shoal.domain.money import Asset
from shoal.domain.payment import PaymentRecord
from tests.integration.bench import PRICE, Bench
from tests.integration.conditions.scenarios_payments import CENT, owned
from tests.integration.faults import canceled, faulty, timed_out
from tests.integration.test_races import assert_sound, at_once
from tests.support.factories import DECISION

MANY = 16


def kinds(bench: Bench, caller: Caller) -> list[str]:
    return sorted(entry["kind"] for entry in bench.entries(caller))


def refused(answers: list[object]) -> list[object]:
    """What was not answered well: `Unavailable`, which Stripe tells again, and nothing else."""
    failed: list[object] = [answer for answer in answers if isinstance(answer, Exception)]
    assert all(isinstance(error, Unavailable) for error in failed), failed
    return failed


def test_a_payment_that_many_settle_at_once_is_credited_once(bench: Bench) -> None:
    caller = bench.account(0)
    payment_id = bench.paid(caller, 1_000)

    answers = at_once([lambda: bench.settle_payment(payment_id)] * MANY)

    assert len(refused(list(answers))) < MANY
    assert owned(bench, caller) == (1_000 * CENT, 0)
    assert kinds(bench, caller) == ["top_up", "top_up"]


def test_refunds_and_a_dispute_that_many_settle_at_once_are_debited_once(bench: Bench) -> None:
    caller = bench.account(0)
    payment_id = bench.paid(caller, 1_000)
    bench.books.refund(payment_id, 300)
    bench.books.fail_refund(bench.books.refund(payment_id, 200, status="pending"))
    bench.books.dispute(payment_id, 500)

    at_once([lambda: bench.settle_payment(payment_id)] * MANY)
    bench.settle_payment(payment_id)

    assert owned(bench, caller) == (200 * CENT, 0)
    assert kinds(bench, caller) == ["dispute", "refund", "top_up", "top_up"]


def test_payments_go_back_while_the_money_is_spent(bench: Bench) -> None:
    caller, paid = bench.account(0), 8
    payments = [bench.paid(caller, 3) for _ in range(paid)]
    for payment_id in payments:
        bench.settle_payment(payment_id)
        bench.books.refund(payment_id, 2)

    def buy() -> object:
        return bench.settle(bench.accept(caller))

    def hear(payment_id: str) -> PaymentRecord | None:
        return bench.settle_payment(payment_id)

    heard = [partial(hear, each) for each in payments]
    answers = at_once([action for each in heard for action in (buy, each, buy)])

    wrong = [a for a in answers if isinstance(a, Exception)]
    assert all(isinstance(error, InsufficientBalance | Unavailable) for error in wrong), wrong
    for payment_id in payments:
        bench.settle_payment(payment_id)
    spent = sum(-e["balance_delta"] for e in bench.entries(caller) if e["kind"] == "capture")
    wallet = bench.wallet(caller)
    assert wallet.balance - wallet.owed == paid * CENT - spent
    assert min(wallet.balance, wallet.owed, wallet.free) >= 0
    assert_sound(bench, caller)


def test_a_grant_that_many_make_pays_a_debt_once(bench: Bench) -> None:
    caller = bench.account(0)
    payment_id = bench.paid(caller, 5)
    bench.settle_payment(payment_id)
    for _ in range(5):
        bench.settle(bench.accept(caller))
    bench.books.refund(payment_id, 5)
    bench.settle_payment(payment_id)

    grant = bench.accounts.grant
    made = at_once([lambda: grant(caller.account_id, Asset.USD, 8 * PRICE, DECISION, "sorry")] * MANY)

    assert made.count(True) == 1
    assert owned(bench, caller) == (3 * PRICE, 0)


@pytest.mark.parametrize("refunded", [0, 2])
def test_a_settlement_whose_reply_is_lost_is_not_made_again(bench: Bench, refunded: int) -> None:
    caller = bench.account(0)
    payment_id = bench.paid(caller, 5)
    if refunded:
        bench.settle_payment(payment_id)
        bench.books.refund(payment_id, refunded)
    losing = bench.over(faulty(bench.table, "transact_write_items", timed_out, after=True))
    assert losing.settle_payment(payment_id) is not None

    bench.settle_payment(payment_id)

    assert owned(bench, caller) == ((5 - refunded) * CENT, 0)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_settlement_gives_way_to_others_and_is_made_then(bench: Bench, part: int) -> None:
    caller = bench.account(0)
    payment_id = bench.paid(caller, 5)
    error = canceled("TransactionConflict", part)
    busy = bench.over(faulty(bench.table, "transact_write_items", error, times=3))
    assert busy.settle_payment(payment_id)
    assert owned(bench, caller) == (5 * CENT, 0)

    bench.books.refund(payment_id, 5)
    always_busy = bench.over(faulty(bench.table, "transact_write_items", error, times=1_000))
    with pytest.raises(Unavailable):
        always_busy.settle_payment(payment_id)

    assert owned(bench, caller) == (5 * CENT, 0)
