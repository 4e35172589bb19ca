"""`shoal accounts`, `keys` and `wallet` over the fakes: what they print, what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from shoal.domain.job import Job
from shoal.domain.money import Asset
from shoal.domain.spend import Spend
from tests.support.operator_command import Shoal, printed, refused
from tests.worlds.world import Customer, World

WHY = ("--reason", "late refund")


@pytest.fixture
def shoal(world: World) -> Shoal:
    return Shoal(world)


def test_an_account_is_opened_with_its_grants_and_a_key_that_works(shoal: Shoal, world: World) -> None:
    created = printed(
        shoal(
            "accounts", "create", "--email", "a@b.test", "--usd", "10.00", "--credits", "20", *WHY, "--json"
        )
    )
    assert set(created) == {"account_id", "api_key", "key_id", "email"}
    caller = world.authenticate(f"Bearer {created['api_key']}")
    assert (caller.account_id, caller.key_id) == (created["account_id"], created["key_id"])
    amounts = printed(shoal("wallet", "show", created["account_id"], "--json"))
    assert amounts == {
        "usd": {
            "balance": "10.00",
            "held": "0.00",
            "owed": "0.00",
            "available": "10.00",
            "ledger_sum": "10.00",
        },
        "credit": {"balance": "20", "held": "0", "owed": "0", "available": "20", "ledger_sum": "20"},
    }


def test_an_account_opens_with_nothing_but_free_trials_unless_told(shoal: Shoal, world: World) -> None:
    created = printed(shoal("accounts", "create", "--email", "a@b.test", "--json"))
    wallet = world.tables.wallets[created["account_id"], Asset.USD]
    assert (wallet.balance, wallet.free_generations) == (0, 3)


def test_people_are_told_that_the_key_is_shown_once(shoal: Shoal) -> None:
    result = shoal("accounts", "create", "--email", "a@b.test")
    assert result.exit_code == 0
    assert "sk_live_" in result.stdout
    assert "cannot be shown again" in result.stdout


@pytest.mark.parametrize("email", ["", "a", "@", "a@", "a@b@c", "a b@c", "a@b\x1b[2J", f"{'a' * 250}@b.test"])
def test_a_malformed_email_opens_nothing(shoal: Shoal, world: World, email: str) -> None:
    refused(shoal("accounts", "create", "--email", email), 2, "not an e-mail address")
    assert not world.tables.accounts


@pytest.mark.parametrize(
    "amount", ["", "ten", "1e3", "1,50", "-1", "+1", "1.", ".5", "1.1234567", "9999999999", "١"]
)
def test_a_malformed_amount_moves_nothing(
    shoal: Shoal, world: World, customer: Customer, amount: str
) -> None:
    refused(shoal("wallet", "credit", customer.account_id, *WHY, "--usd", amount), 2, "--usd")
    assert world.entries(customer) == ["top_up"]


@pytest.mark.parametrize(
    "options", [[], ["--usd", "1", "--credits", "1"], ["--usd", "0"], ["--credits", "0"]]
)
def test_a_credit_is_one_amount_above_zero(
    shoal: Shoal, world: World, customer: Customer, options: list[str]
) -> None:
    result = shoal("wallet", "credit", customer.account_id, *WHY, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert world.entries(customer) == ["top_up"]


def test_the_same_reference_credits_once(shoal: Shoal, customer: Customer) -> None:
    credit = (
        "wallet",
        "credit",
        customer.account_id,
        "--reason",
        "late refund",
        "--usd",
        "0.0125",
        "--reference",
        "INV-7",
        "--json",
    )
    first, second = printed(shoal(*credit)), printed(shoal(*credit))
    assert first == {
        "account_id": customer.account_id,
        "asset": "usd",
        "amount": "0.0125",
        "reference": "INV-7",
        "credited": True,
    }
    assert second == first | {"credited": False}
    amounts = printed(shoal("wallet", "show", customer.account_id, "--json"))
    assert amounts["usd"]["balance"] == amounts["usd"]["ledger_sum"] == "10.0125"


def test_without_a_reference_every_credit_counts(shoal: Shoal, customer: Customer) -> None:
    for _ in range(2):
        assert shoal("wallet", "credit", customer.account_id, *WHY, "--credits", "3").exit_code == 0
    assert printed(shoal("wallet", "show", customer.account_id, "--json"))["credit"]["balance"] == "6"


@pytest.mark.parametrize("reference", ["", " ", "a ", "a\nb", "a" * 129])
def test_a_reference_that_names_nothing_is_refused(
    shoal: Shoal, world: World, customer: Customer, reference: str
) -> None:
    """An empty one would credit again each time: `--reference "$INVOICE"` with INVOICE unset."""
    credit = shoal(
        "wallet",
        "credit",
        customer.account_id,
        "--reason",
        "late refund",
        "--usd",
        "1",
        "--reference",
        reference,
    )
    assert credit.exit_code == 2
    assert world.entries(customer) == ["top_up"]


def test_a_wallet_shows_what_its_jobs_hold(shoal: Shoal, world: World, customer: Customer) -> None:
    world.queued(customer)
    usd = printed(shoal("wallet", "show", customer.account_id, "--json"))["usd"]
    assert usd == {
        "balance": "10.00",
        "held": "0.02",
        "owed": "0.00",
        "available": "9.98",
        "ledger_sum": "10.00",
    }


def test_people_see_play_money_and_free_trials_too(shoal: Shoal, customer: Customer) -> None:
    result = shoal("wallet", "show", customer.account_id)
    assert result.exit_code == 0
    usd, _, test_usd, _ = result.stdout.splitlines()[2:]
    assert usd.split() == ["usd", "10.00", "0.00", "0.00", "10.00", "10.00", "3"]
    assert test_usd.split() == ["test_usd", "100.00", "0.00", "0.00", "100.00", "100.00", "3"]


def test_a_key_is_made_with_what_was_asked_for(shoal: Shoal, world: World, customer: Customer) -> None:
    made = printed(
        shoal(
            *("keys", "create", customer.account_id, "--prefix", "sk_test_", "--rpm", "120"),
            *("--scope", "read", "--scope", "generate", "--json"),
        )
    )
    caller = world.authenticate(f"Bearer {made['api_key']}")
    assert made["api_key"].startswith("sk_test_")
    assert caller.test
    assert caller.scopes == {"read", "generate"}
    assert (made["requests_per_minute"], made["burst"]) == (120, 40)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rpm", "0"], "requests per minute"),
        (["--rpm", "many"], "--rpm"),
        (["--burst", "0"], "burst"),
        (["--prefix", "pk_"], "--prefix"),
        (["--scope", "root"], "--scope"),
    ],
)
def test_a_key_nobody_can_use_is_refused(
    shoal: Shoal, world: World, customer: Customer, options: list[str], message: str
) -> None:
    keys = len(world.tables.keys)
    refused(shoal("keys", "create", customer.account_id, *options), 2, message)
    assert len(world.tables.keys) == keys


def test_a_revoked_key_is_listed_as_such(shoal: Shoal, customer: Customer) -> None:
    key_id = customer.stored_key.id
    for _ in range(2):
        assert shoal("keys", "revoke", customer.account_id, key_id).exit_code == 0
    keys = printed(shoal("keys", "list", customer.account_id, "--json"))["keys"]
    assert [key["revoked"] for key in keys if key["key_id"] == key_id] == [True]
    listed = shoal("keys", "list", customer.account_id).stdout
    assert f"sk_live_…{customer.key[-4:]}" in listed
    assert customer.key not in listed


@pytest.mark.parametrize(
    "command",
    [
        ("keys", "create"),
        ("keys", "list"),
        ("keys", "revoke", "key_x"),
        ("wallet", "show"),
        ("wallet", "credit", "--reason", "x", "--usd", "1"),
        ("jobs", "list"),
        ("jobs", "show", "job_x"),
    ],
)
def test_an_unknown_account_is_named_as_the_error(shoal: Shoal, command: tuple[str, ...]) -> None:
    refused(shoal(*command[:2], "acc_nobody", *command[2:]), 1, "No such account.")


def test_an_unknown_key_or_job_is_an_error(shoal: Shoal, customer: Customer) -> None:
    refused(shoal("keys", "revoke", customer.account_id, "key_x"), 1, "No such key.")
    refused(shoal("jobs", "show", customer.account_id, "job_x"), 1, "no job with this id")
    refused(shoal("jobs", "list", customer.account_id, "--cursor", "x"), 1, "cursor")


def test_a_wallet_in_use_is_read_with_the_entries_of_the_same_moment(
    shoal: Shoal, world: World, customer: Customer
) -> None:
    summed, jobs = world.ledger.entries_sum, list[Job]()

    def entries_sum(account_id: str, asset: Asset) -> Any:
        if not jobs:
            jobs.append(world.completed(customer))
        return summed(account_id, asset)

    world.ledger.entries_sum = entries_sum  # type: ignore[method-assign]
    usd = printed(shoal("wallet", "show", customer.account_id, "--json"))["usd"]
    assert usd["balance"] == usd["ledger_sum"] == "9.98"


def test_the_brake_of_an_account_is_seen_and_lifted(shoal: Shoal, world: World, customer: Customer) -> None:
    job = world.queued(customer)
    world.queued(customer)
    world.open_jobs.leave(job, Spend(for_nothing=1_250_000, captured=40_000), world.clock.ms)

    found = {"open_jobs": 1, "for_nothing": "$1.25", "captured": "$0.04", "lifted": False}
    assert printed(shoal("accounts", "limits", customer.account_id, "--json")) == found
    lifted = printed(shoal("accounts", "limits", customer.account_id, "--lift", "--json"))
    assert lifted == found | {"lifted": True}
    assert "lifted for today" in shoal("accounts", "limits", customer.account_id).stdout
    refused(shoal("accounts", "limits", "acc_unknown", "--lift"), 1, "No such account")


def test_an_opening_grant_is_recorded_with_who_and_why(shoal: Shoal, world: World) -> None:
    printed(
        shoal("accounts", "create", "--email", "a@b.test", "--usd", "10", "--reason", "a prize", "--json")
    )

    (record,) = world.tables.grants.values()

    assert (record.operator, record.reason) == ("arn:aws:iam::123456789012:user/operator", "a prize")
    assert (record.asset, record.amount) == (Asset.USD, 10_000_000)


@pytest.mark.parametrize("grant", [("--usd", "10"), ("--credits", "3")])
@pytest.mark.parametrize("reason", [(), ("--reason", " ")])
def test_an_opening_grant_needs_a_reason(
    shoal: Shoal, world: World, grant: tuple[str, str], reason: tuple[str, ...]
) -> None:
    refused(shoal("accounts", "create", "--email", "a@b.test", *grant, *reason), 1, "Say why")
    assert not world.tables.accounts


def test_a_credit_above_the_cap_waits_for_another_operator(world: World, customer: Customer) -> None:
    world.cap_grants({Asset.USD: 1_000_000})
    before = world.wallet(customer).balance
    first, second = Shoal(world), Shoal(world, "arn:aws:iam::123456789012:user/second")
    credit = ("wallet", "credit", customer.account_id, "--usd", "5", "--reference", "invoice-1", *WHY)

    assert "confirms invoice-1 within 24 hours" in printed(first(*credit, "--json"))["waits"]
    assert "above the cap" in first(*credit).stdout
    (waiting,) = printed(second("wallet", "pending", "--json"))["pending"]
    assert (waiting["reference"], waiting["amount"], waiting["reason"]) == (
        "invoice-1",
        "5.00",
        "late refund",
    )
    assert "invoice-1" in second("wallet", "pending").stdout
    refused(first("wallet", "confirm", "top_up", "invoice-1"), 1, "another operator has to confirm it")
    assert world.wallet(customer).balance == before

    assert printed(second("wallet", "confirm", "top_up", "invoice-1", "--json"))["credited"] is True

    assert world.wallet(customer).balance == before + 5_000_000
    refused(second("wallet", "confirm", "top_up", "invoice-1"), 1, "No such grant waits")
    assert "was credited" in first(*credit).stdout
