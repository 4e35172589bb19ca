"""Going to the page where one pays, and coming back from it."""

from __future__ import annotations

import pytest

from shoal.domain.catalog import load_catalog
from shoal.domain.errors import NotFound, PaymentsOff, ValidationFailed
from shoal.domain.payment import CheckoutState
from tests.worlds.payment_world import TEN, URLS, PaymentWorld
from tests.worlds.world import Customer, World


@pytest.fixture
def till(world: World) -> PaymentWorld:
    return PaymentWorld(world)


@pytest.fixture
def poor(world: World) -> Customer:
    return world.customer(usd="0")


def test_a_buyer_who_comes_back_finds_the_wallet_credited(till: PaymentWorld, poor: Customer) -> None:
    session_id = till.open(poor)
    assert till.confirm_checkout(poor.account_id, session_id) is CheckoutState.OPEN
    till.books.pay(session_id)

    states = [till.confirm_checkout(poor.account_id, session_id) for _ in range(2)]
    till.tell_all()

    assert states == [CheckoutState.PAID] * 2
    assert till.owned(poor) == (TEN, 0)


def test_a_checkout_of_another_account_is_not_found(
    till: PaymentWorld, poor: Customer, customer: Customer
) -> None:
    session_id = till.open(poor)
    till.books.pay(session_id)

    for account_id, checkout_id in ((customer.account_id, session_id), (poor.account_id, "cs_of_nobody")):
        with pytest.raises(NotFound):
            till.confirm_checkout(account_id, checkout_id)

    assert till.owned(poor) == (0, 0)


def test_a_stage_without_keys_takes_no_payments(till: PaymentWorld, poor: Customer) -> None:
    assert till.create_checkout.ready()
    till.processor.off = True

    assert not till.create_checkout.ready()
    with pytest.raises(PaymentsOff, match="operator"):
        till.open(poor)
    with pytest.raises(PaymentsOff):
        till.confirm_checkout(poor.account_id, "cs_1")


@pytest.mark.parametrize("key", ["", "k" * 101, "k\n", "ключ"])
def test_a_key_that_is_none_opens_nothing(till: PaymentWorld, poor: Customer, key: str) -> None:
    with pytest.raises(ValidationFailed):
        till.create_checkout(poor.account_id, load_catalog().top_up.pack(10), key, **URLS)

    assert till.books.sessions == {}
