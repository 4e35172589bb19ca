"""What somebody paid is credited once, what went back is debited once, whatever Stripe tells when."""

from __future__ import annotations

import json

import pytest

from shoal.domain.catalog import load_catalog
from shoal.domain.errors import CallbackRefused, InsufficientBalance, NotFound, Unavailable
from shoal.domain.ids import ulid
from shoal.domain.money import AMOUNT_MAX, Asset
from shoal.domain.payment import PAID, name_of
from shoal.domain.wallet import Movement
from tests.fakes import Fault
from tests.support.factories import DECISION
from tests.worlds.payment_world import CENT, TEN, PaymentWorld
from tests.worlds.world import STORED, Customer, World


@pytest.fixture
def till(world: World) -> PaymentWorld:
    return PaymentWorld(world)


@pytest.fixture
def poor(world: World) -> Customer:
    return world.customer(usd="0")


def paid_entries(till: PaymentWorld, customer: Customer) -> list[Movement]:
    entries = till.world.tables.entries[customer.account_id, Asset.USD].values()
    return [entry for entry in entries if entry.note == PAID]


def test_a_payment_is_credited_once(till: PaymentWorld, poor: Customer) -> None:
    payment_id = till.pay(poor)

    for _ in range(2):
        till.tell_all()

    assert till.owned(poor) == (TEN, 0)
    (entry,) = paid_entries(till, poor)
    assert (name_of(entry), entry.balance_delta) == (payment_id, TEN)
    assert till.world.audit_ledger() == []


def test_a_pack_is_credited_in_credits(till: PaymentWorld, poor: Customer) -> None:
    till.pay(poor, load_catalog().top_up.pack(50))

    till.tell_all()

    assert till.world.wallet(poor, Asset.CREDIT).balance == 50
    assert till.owned(poor) == (0, 0)


def test_nothing_is_credited_before_the_bank_has_paid(till: PaymentWorld, poor: Customer) -> None:
    session_id = till.open(poor)
    till.books.pay(session_id, settled=False)
    till.tell_all()
    assert till.owned(poor) == (0, 0)

    till.books.arrive(session_id)
    till.tell_all()

    assert till.owned(poor) == (TEN, 0)


def test_an_event_about_no_payment_changes_nothing(till: PaymentWorld, poor: Customer) -> None:
    till.books.expire(till.open(poor))
    foreign = till.pay(poor)
    till.books.payments[foreign]["metadata"] = {}

    till.tell_all()

    assert till.tell({"data": {"object": {"object": "customer", "id": "cus_1"}}}) is None
    assert till.world.tables.payments == {}


def test_a_forged_event_changes_nothing(till: PaymentWorld, poor: Customer) -> None:
    till.pay(poor)

    with pytest.raises(CallbackRefused):
        till.receive_payment({"stripe-signature": "t=1,v1=00"}, json.dumps(till.books.events[0]).encode())

    assert till.owned(poor) == (0, 0)


def test_refunds_are_debited_once_each(till: PaymentWorld, poor: Customer) -> None:
    payment_id = till.pay(poor)
    till.books.refund(payment_id, 300)
    till.tell_all()
    till.books.refund(payment_id, 200, status="pending")

    for _ in range(2):
        till.tell_all()

    assert till.owned(poor) == (TEN - 500 * CENT, 0)
    assert till.world.entries(poor) == ["top_up", "top_up", "refund", "refund"]
    assert till.world.audit_ledger() == []


def test_a_refund_that_failed_is_given_back(till: PaymentWorld, poor: Customer) -> None:
    payment_id = till.pay(poor)
    refund_id = till.books.refund(payment_id, 300, status="pending")
    till.tell_all()
    till.books.fail_refund(refund_id)

    till.tell_all()

    assert till.owned(poor) == (TEN, 0)
    assert till.world.entries(poor)[-2:] == ["refund", "refund_failure"]


def test_a_refund_that_had_failed_before_anybody_looked_leaves_no_trace(
    till: PaymentWorld, poor: Customer
) -> None:
    till.books.fail_refund(till.books.refund(till.pay(poor), 300, status="pending"))

    till.tell_all()

    assert till.world.entries(poor) == ["top_up", "top_up"]


def test_a_dispute_takes_the_money_until_it_is_won(till: PaymentWorld, poor: Customer) -> None:
    dispute_id = till.books.dispute(till.pay(poor), 1_000)
    till.tell_all()
    assert till.owned(poor) == (0, 0)

    till.books.win(dispute_id)
    till.tell_all()

    assert till.owned(poor) == (TEN, 0)
    assert till.world.entries(poor)[-2:] == ["dispute", "dispute_reversal"]


def test_a_lost_dispute_is_not_debited_again(till: PaymentWorld, poor: Customer) -> None:
    dispute_id = till.books.dispute(till.pay(poor), 1_000)
    till.tell_all()
    till.books.lose(dispute_id)

    till.tell_all()

    assert till.owned(poor) == (0, 0)


def test_an_inquiry_takes_nothing_until_it_becomes_a_dispute(till: PaymentWorld, poor: Customer) -> None:
    dispute_id = till.books.dispute(till.pay(poor), 400, inquiry=True)
    till.tell_all()
    assert till.owned(poor) == (TEN, 0)

    till.books.withdraw(dispute_id)
    till.tell_all()

    assert till.owned(poor) == (TEN - 400 * CENT, 0)


def test_a_bank_may_overturn_what_it_decided(till: PaymentWorld, poor: Customer) -> None:
    dispute_id = till.books.dispute(till.pay(poor), 1_000)
    for happen in (till.books.win, till.books.withdraw, till.books.win):
        till.tell_all()
        happen(dispute_id)

    till.tell_all()

    assert till.owned(poor) == (TEN, 0)
    names = [name_of(entry) for entry in till.world.tables.entries[poor.account_id, Asset.USD].values()][-4:]
    assert names == [dispute_id, *(f"{dispute_id}.{turn}" for turn in (1, 2, 3))]
    assert till.world.audit_ledger() == []


def test_no_more_is_taken_back_than_was_bought(till: PaymentWorld, poor: Customer) -> None:
    payment_id = till.pay(poor)
    till.books.refund(payment_id, 600)
    till.books.dispute(payment_id, 1_000)

    till.tell_all()

    assert till.owned(poor) == (0, 0)
    assert till.world.audit_ledger() == []


def test_partial_refunds_of_credits_add_up_to_whole_credits(till: PaymentWorld, poor: Customer) -> None:
    payment_id = till.pay(poor, load_catalog().top_up.pack(10))
    till.tell_all()
    left = []

    for cents in (150, 150, 333, 367):
        till.books.refund(payment_id, cents)
        till.tell_all()
        left.append(till.world.wallet(poor, Asset.CREDIT).balance)

    assert left == [9, 7, 4, 0]
    assert till.world.audit_ledger() == []


def test_what_was_spent_before_it_went_back_is_owed(till: PaymentWorld, poor: Customer) -> None:
    payment_id = till.pay(poor)
    till.tell_all()
    job = till.world.completed(poor)
    till.books.refund(payment_id, 1_000)

    till.tell_all()

    assert till.owned(poor) == (0, job.cost)
    assert till.world.wallet(poor).available == 0
    assert till.world.audit_ledger() == []


def test_what_comes_in_pays_first_what_is_owed(till: PaymentWorld, poor: Customer) -> None:
    payment_id = till.pay(poor)
    till.tell_all()
    spent = till.world.completed(poor).cost
    till.books.dispute(payment_id, 1_000)
    till.tell_all()

    till.world.manage.grant(poor.account_id, Asset.USD, spent - 1, DECISION, "half")
    assert till.owned(poor) == (0, 1)
    till.pay(poor)
    till.tell_all()

    assert till.owned(poor) == (TEN - 1, 0)
    assert till.world.audit_ledger() == []


def test_held_money_is_not_taken_and_pays_for_its_job(till: PaymentWorld, poor: Customer) -> None:
    payment_id = till.pay(poor)
    till.tell_all()
    job = till.world.processing(poor)
    till.books.refund(payment_id, 1_000)
    till.tell_all()
    assert till.owned(poor) == (job.price, job.price)

    till.world.settle_wallet(job.account_id, job.id, [STORED])

    assert till.owned(poor) == (0, job.price)
    assert till.world.wallet(poor).available == 0
    assert till.world.audit_ledger() == []


def test_what_a_failed_job_sets_free_counts_against_what_is_owed(till: PaymentWorld, poor: Customer) -> None:
    payment_id = till.pay(poor)
    till.tell_all()
    job = till.world.processing(poor)
    till.books.refund(payment_id, 1_000)
    till.tell_all()

    till.world.release_hold(job.account_id, job.id, "ProviderFailed", "no luck")

    wallet = till.world.wallet(poor)
    assert (wallet.balance, wallet.owed, wallet.available) == (job.price, job.price, 0)
    for _ in range(3):
        till.world.submit(poor)  # the free trials
    with pytest.raises(InsufficientBalance):
        till.world.submit(poor)


def test_an_older_look_never_overwrites_a_newer_one(till: PaymentWorld, poor: Customer) -> None:
    refund_id = till.books.refund(till.pay(poor), 300, status="pending")
    created = next(event for event in till.books.events if event["type"] == "refund.created")

    def somebody_else_is_faster() -> None:
        till.books.fail_refund(refund_id)
        till.tell(till.books.events[-1])

    till.world.network.before("payments.settle", somebody_else_is_faster)
    till.tell(created)

    assert till.owned(poor) == (TEN, 0)
    assert till.world.entries(poor) == ["top_up", "top_up"]


def test_a_full_wallet_leaves_the_event_to_be_told_again(till: PaymentWorld, poor: Customer) -> None:
    till.world.manage.grant(poor.account_id, Asset.USD, AMOUNT_MAX, DECISION)
    till.world.manage.grant(poor.account_id, Asset.USD, 1, DECISION)
    till.pay(poor)

    with pytest.raises(NotFound):
        till.tell_all()


def test_a_payment_that_others_keep_changing_is_left_for_later(till: PaymentWorld, poor: Customer) -> None:
    till.pay(poor)
    till.world.network.faults.append(Fault(Unavailable(), name="payments.settle"))

    with pytest.raises(Unavailable):
        till.tell_all()
    till.world.network.heal()
    till.tell_all()

    assert till.owned(poor) == (TEN, 0)


def test_the_ledger_has_payments_among_the_jobs_of_their_time(till: PaymentWorld, poor: Customer) -> None:
    till.pay(poor)
    till.tell_all()
    (paid,) = paid_entries(till, poor)

    at_ms = till.world.clock.ms
    assert ulid(at_ms - 1, b"\xff" * 10) < paid.reference < ulid(at_ms + 1, bytes(10))
