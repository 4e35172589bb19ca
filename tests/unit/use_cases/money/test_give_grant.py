"""Above its asset's cap, a grant or a refund takes two operators."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shoal.domain.errors import ConfirmationNeeded, NotFound, Unavailable, ValidationFailed
from shoal.domain.grant import PENDING_MS, Decision, Grant
from shoal.domain.money import Asset
from shoal.domain.wallet import EntryKind
from shoal.settings import GrantSettings
from tests.worlds.world import Customer, World

CAP = 100_000_000
FIRST, SECOND = "first@example.com", "second@example.com"
WHY = Decision(FIRST, "a broken month")


@pytest.fixture
def capped(world: World) -> World:
    """Above $100.00, or ten credits, a second operator confirms a grant."""
    world.cap_grants({Asset.USD: CAP, Asset.CREDIT: 10})
    return world


def ask(world: World, customer: Customer, amount: int = CAP + 1, reference: str = "invoice-1") -> None:
    with pytest.raises(ConfirmationNeeded):
        world.manage.grant(customer.account_id, Asset.USD, amount, WHY, reference)


def confirm(world: World, operator: str = SECOND) -> bool:
    return world.give_grant.confirm(EntryKind.TOP_UP, "invoice-1", operator)


def test_up_to_the_cap_one_operator_grants(capped: World, customer: Customer) -> None:
    before = capped.wallet(customer).balance

    assert capped.manage.grant(customer.account_id, Asset.USD, CAP, WHY)
    assert capped.manage.grant(customer.account_id, Asset.CREDIT, 10, WHY)

    assert capped.wallet(customer).balance == before + CAP
    assert capped.give_grant.pending() == []


def test_above_it_nothing_moves_before_another_operator_confirms(capped: World, customer: Customer) -> None:
    before = capped.wallet(customer).balance
    ask(capped, customer)
    (waiting,) = capped.give_grant.pending()
    assert capped.wallet(customer).balance == before
    capped.clock.pass_seconds(3_600)

    assert confirm(capped)

    assert capped.wallet(customer).balance == before + CAP + 1
    assert capped.give_grant.pending() == []
    record = capped.tables.grants[EntryKind.TOP_UP, "invoice-1"]
    assert record == replace(waiting.grant, confirmed_by=SECOND, at_ms=capped.clock.ms)
    assert (record.operator, record.reason) == (FIRST, "a broken month")
    assert capped.entries(customer) == ["top_up", "top_up"]


@pytest.mark.parametrize("same", [FIRST, "First@Example.com"])
def test_who_asked_does_not_confirm(capped: World, customer: Customer, same: str) -> None:
    before = capped.wallet(customer).balance
    ask(capped, customer)

    with pytest.raises(ValidationFailed, match="another operator"):
        confirm(capped, same)

    assert capped.wallet(customer).balance == before
    assert len(capped.give_grant.pending()) == 1


def test_confirmed_twice_it_moves_money_once(capped: World, customer: Customer) -> None:
    ask(capped, customer)
    confirm(capped)
    done = capped.wallet(customer)

    with pytest.raises(NotFound):
        confirm(capped)
    assert not capped.manage.grant(customer.account_id, Asset.USD, CAP + 1, WHY, "invoice-1")

    assert capped.wallet(customer) == done
    assert capped.give_grant.pending() == []


def test_a_confirmation_whose_reply_is_lost_moved_the_money_once(capped: World, customer: Customer) -> None:
    before = capped.wallet(customer).balance
    ask(capped, customer)
    capped.network.fail("ledger.grant", Unavailable(), lost_reply=True)
    with pytest.raises(Unavailable):
        confirm(capped)

    with pytest.raises(NotFound):
        confirm(capped)

    assert capped.wallet(customer).balance == before + CAP + 1


def test_two_who_confirm_at_once_move_money_once(capped: World, customer: Customer) -> None:
    before = capped.wallet(customer).balance
    ask(capped, customer)
    capped.network.before("ledger.grant", lambda: confirm(capped, "third@example.com"))

    assert not confirm(capped)

    assert capped.wallet(customer).balance == before + CAP + 1
    assert capped.tables.grants[EntryKind.TOP_UP, "invoice-1"].confirmed_by == "third@example.com"


def test_what_is_asked_again_with_another_amount_is_refused(capped: World, customer: Customer) -> None:
    ask(capped, customer)

    with pytest.raises(ValidationFailed) as refused:
        capped.manage.grant(customer.account_id, Asset.USD, CAP + 2, WHY, "invoice-1")

    assert {"100.000001", "100.000002"} <= set(refused.value.message.split())
    assert [each.grant.amount for each in capped.give_grant.pending()] == [CAP + 1]


def test_it_waits_for_a_day(capped: World, customer: Customer) -> None:
    ask(capped, customer)
    capped.clock.pass_seconds(PENDING_MS // 1000)

    assert capped.give_grant.pending() == []
    with pytest.raises(NotFound):
        confirm(capped)
    ask(capped, customer, CAP + 5)
    assert confirm(capped)


def test_an_account_is_opened_with_a_record_of_what_it_begins_with(capped: World) -> None:
    account, _ = capped.manage.open("a@b.test", usd_micros=5, credits=7, decision=WHY)

    records = list(capped.tables.grants.values())

    assert [(each.account_id, each.asset, each.amount) for each in records] == [
        (account.id, Asset.USD, 5),
        (account.id, Asset.CREDIT, 7),
    ]
    assert {(each.operator, each.reason) for each in records} == {(FIRST, "a broken month")}


def test_an_account_is_not_opened_with_more_than_the_cap(capped: World) -> None:
    with pytest.raises(ValidationFailed, match="above the cap"):
        capped.manage.open("a@b.test", usd_micros=CAP + 1, decision=WHY)
    assert capped.tables.accounts == {}


def test_a_record_of_before_there_were_caps_names_one_operator() -> None:
    assert Grant(EntryKind.TOP_UP, "1", "acc_1", Asset.USD, 1, FIRST, "why", 0).confirmed_by == ""


@pytest.mark.parametrize(
    ("usd", "credits", "caps"),
    [(0, 0, {}), (250, 0, {Asset.USD: 250_000_000}), (0, 40, {Asset.CREDIT: 40})],
)
def test_a_stage_says_its_caps_in_dollars_and_credits(usd: int, credits: int, caps: dict[Asset, int]) -> None:
    settings = GrantSettings(stage="dev", grant_cap_usd=usd, grant_cap_credits=credits)
    assert settings.grant_caps == caps
