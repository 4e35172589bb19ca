"""`shoal stripe` over the fakes: what it keeps, what it prints, what it refuses."""

from __future__ import annotations

import pytest

from tests.support.operator_command import Shoal, printed, refused
from tests.worlds.world import Customer, World

KEYS = "sk_test_51Shoal\nwhsec_0123\n"


@pytest.fixture
def shoal(world: World) -> Shoal:
    return Shoal(world)


def test_keys_are_read_from_stdin_and_not_shown(shoal: Shoal) -> None:
    result = shoal("stripe", "set-keys", stdin=KEYS)

    assert result.exit_code == 0, result.output
    assert shoal.stripe_keys.held == ("sk_test_51Shoal", "whsec_0123")
    assert "0123" not in result.output
    assert "51Shoal" not in result.output
    assert "checkout.session.completed" in result.stdout


@pytest.mark.parametrize(
    ("stage", "key"),
    [("prod", "sk_live_1"), ("prod", "rk_live_1"), ("dev", "sk_test_1"), ("local", "rk_test_1")],
)
def test_a_stage_takes_the_keys_of_its_money(shoal: Shoal, stage: str, key: str) -> None:
    shoal.stage, shoal.real_money = stage, stage == "prod"

    assert shoal("stripe", "set-keys", stdin=f"{key}\nwhsec_0123\n").exit_code == 0
    assert shoal.stripe_keys.held == (key, "whsec_0123")


@pytest.mark.parametrize(
    ("stage", "key", "says"),
    [
        ("prod", "sk_test_1", "a test key of Stripe: stage prod takes live keys only (sk_live_ or rk_live_)"),
        ("prod", "rk_test_1", "a test key"),
        ("dev", "sk_live_1", "a live key of Stripe: stage dev takes test keys only (sk_test_ or rk_test_)"),
        ("local", "rk_live_1", "a live key"),
    ],
)
def test_keys_of_the_other_money_are_refused(shoal: Shoal, stage: str, key: str, says: str) -> None:
    shoal.stage, shoal.real_money = stage, stage == "prod"

    refused(shoal("stripe", "set-keys", stdin=f"{key}\nwhsec_0123\n"), 1, says)
    assert shoal.stripe_keys.held is None


@pytest.mark.parametrize(
    "stdin",
    [
        "",
        "sk_test_1\n",
        "whsec_0123\nsk_test_1\n",
        "pk_test_1\nwhsec_1\n",
        "sk_1\nwhsec_1\n",
        "sk_test_ключ\nwhsec_1\n",
    ],
)
def test_what_can_be_no_key_is_not_kept(shoal: Shoal, stdin: str) -> None:
    refused(shoal("stripe", "set-keys", stdin=stdin), 1, "A key was expected that begins with")
    assert shoal.stripe_keys.held is None


def test_keys_are_removed(shoal: Shoal) -> None:
    shoal("stripe", "set-keys", stdin=KEYS)

    assert shoal("stripe", "remove-keys").exit_code == 0

    assert shoal.stripe_keys.held is None


def test_a_payment_is_settled_without_its_events(shoal: Shoal, customer: Customer) -> None:
    payment_id = shoal.till.pay(customer)
    shoal.till.books.refund(payment_id, 250)

    settled = [printed(shoal("stripe", "settle", payment_id, "--json")) for _ in range(2)]

    assert settled[0] == settled[1]
    assert (settled[0]["bought"], settled[0]["worth"]) == ("10.00", "7.50")
    assert shoal.till.owned(customer) == (17_500_000, 0)
    assert "7.50" in shoal("stripe", "settle", payment_id).stdout


def test_an_unknown_payment_is_not_settled(shoal: Shoal) -> None:
    refused(shoal("stripe", "settle", "pi_1"), 1, "no payment pi_1")


def test_what_is_owed_is_shown(shoal: Shoal, world: World) -> None:
    customer = world.customer(usd="0")
    payment_id = shoal.till.pay(customer)
    shoal.till.tell_all()
    world.completed(customer)
    shoal.till.books.dispute(payment_id, 1_000)
    shoal.till.tell_all()

    usd = printed(shoal("wallet", "show", customer.account_id, "--json"))["usd"]

    assert (usd["balance"], usd["owed"], usd["available"]) == ("0.00", "0.02", "0.00")
    assert "Owed" in shoal("wallet", "show", customer.account_id).stdout
