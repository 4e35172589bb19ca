"""What must hold for payments while others write: scenarios that fail without a condition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from shoal.domain.api_key import Caller
from shoal.domain.errors import NotFound
from shoal.domain.money import AMOUNT_MAX, Asset
from tests.integration.bench import PRICE, Bench
from tests.integration.conditions.conditions import Meanwhile, client_of, over
from tests.support.factories import DECISION

CENT = 10_000


def interrupted(bench: Bench, happen: Callable[[], object]) -> Bench:
    """The bench, on which something else happens between what a settlement reads and what it writes."""
    return bench.over(over(bench.table, Meanwhile(client_of(bench.table), happen, transaction=1)))


def owned(bench: Bench, caller: Caller) -> tuple[int, int]:
    """Balance and debt; the audit agrees."""
    assert bench.audit_ledger() == []
    wallet = bench.wallet(caller)
    assert min(wallet.balance, wallet.owed, wallet.free) >= 0
    return wallet.balance, wallet.owed


def a_payment_is_taken_in_once(bench: Bench) -> None:
    caller = bench.account(0)
    payment_id = bench.paid(caller, 5)
    interrupted(bench, lambda: bench.settle_payment(payment_id)).settle_payment(payment_id)
    assert owned(bench, caller) == (5 * CENT, 0)


def a_refund_is_taken_in_once(bench: Bench) -> None:
    caller = bench.account(0)
    payment_id = bench.paid(caller, 5)
    bench.settle_payment(payment_id)
    bench.books.refund(payment_id, 2)
    interrupted(bench, lambda: bench.settle_payment(payment_id)).settle_payment(payment_id)
    assert owned(bench, caller) == (3 * CENT, 0)


def an_older_look_does_not_overwrite_a_newer_one(bench: Bench) -> None:
    caller = bench.account(0)
    payment_id = bench.paid(caller, 5)
    bench.settle_payment(payment_id)
    payment = bench.processor.payment(payment_id)
    assert payment
    bench.books.refund(payment_id, 2)
    older, movements = bench.payments.record(payment).settle(bench.processor.claims(payment_id), 1)
    bench.settle_payment(payment_id)
    assert not bench.payments.settle(older, [replace(movements[0], reference="of another look")])
    assert owned(bench, caller) == (3 * CENT, 0)


def money_spent_meanwhile_is_owed(bench: Bench) -> None:
    caller = bench.account(0)
    payment_id = bench.paid(caller, 2)
    bench.settle_payment(payment_id)
    bench.books.refund(payment_id, 2)
    interrupted(bench, lambda: bench.settle(bench.accept(caller))).settle_payment(payment_id)
    assert owned(bench, caller) == (0, PRICE)


def money_that_comes_in_meanwhile_pays_what_is_owed(bench: Bench) -> None:
    caller = bench.account(0)
    payment_id = bench.paid(caller, 2)
    bench.settle_payment(payment_id)
    bench.settle(bench.accept(caller))
    bench.books.refund(payment_id, 2)
    granted = partial(bench.accounts.grant, caller.account_id, Asset.USD, 3 * PRICE, DECISION)
    interrupted(bench, granted).settle_payment(payment_id)
    assert owned(bench, caller) == (2 * PRICE, 0)


def a_debt_paid_out_of_what_was_free_is_not_paid_again(bench: Bench) -> None:
    """A claim beyond the price is worth nothing, but it has the wallet pay what it owes."""
    caller = bench.account(0)
    spent_id, payment_id = bench.paid(caller, 2), bench.paid(caller, 2)
    bench.settle_payment(spent_id)
    for _ in range(2):
        bench.settle(bench.accept(caller))
    bench.settle_payment(payment_id)
    job = bench.accept(caller)
    for each in (payment_id, spent_id):
        bench.books.refund(each, 2)
    bench.settle_payment(payment_id)
    bench.fail(job)
    assert owned(bench, caller) == (PRICE, PRICE)
    bench.books.dispute(payment_id, 2)
    interrupted(bench, lambda: bench.settle_payment(payment_id)).settle_payment(spent_id)
    assert owned(bench, caller) == (0, 2 * PRICE)


def a_debt_made_meanwhile_is_paid(bench: Bench) -> None:
    caller = bench.account(0)
    payment_id = bench.paid(caller, 1)
    bench.settle_payment(payment_id)
    bench.settle(bench.accept(caller))
    bench.books.refund(payment_id, 1)
    granting = interrupted(bench, lambda: bench.settle_payment(payment_id))
    assert granting.accounts.grant(caller.account_id, Asset.USD, 3 * PRICE, DECISION)
    assert owned(bench, caller) == (2 * PRICE, 0)


def a_debt_paid_meanwhile_is_not_paid_twice(bench: Bench) -> None:
    caller = bench.account(0)
    payment_id = bench.paid(caller, 2)
    bench.settle_payment(payment_id)
    for _ in range(2):
        bench.settle(bench.accept(caller))
    bench.books.refund(payment_id, 2)
    bench.settle_payment(payment_id)
    granting = interrupted(bench, lambda: bench.accounts.grant(caller.account_id, Asset.USD, PRICE, DECISION))
    assert granting.accounts.grant(caller.account_id, Asset.USD, PRICE // 2, DECISION)
    assert owned(bench, caller) == (0, PRICE // 2)


def a_full_wallet_takes_no_payment_but_gives_back(bench: Bench) -> None:
    caller = bench.account(0)
    refunded, new = bench.paid(caller, 2), bench.paid(caller, 2)
    bench.settle_payment(refunded)
    bench.accounts.grant(caller.account_id, Asset.USD, AMOUNT_MAX, DECISION)
    with pytest.raises(NotFound):
        bench.settle_payment(new)
    bench.books.refund(refunded, 1)
    bench.settle_payment(refunded)
    assert owned(bench, caller) == (AMOUNT_MAX + CENT, 0)
