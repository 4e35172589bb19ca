"""What an operator does: open accounts, make and revoke keys, credit wallets."""

from __future__ import annotations

import pytest

from shoal.domain.api_key import KeyPrefix, Scope
from shoal.domain.errors import NotFound, Unauthorized
from shoal.domain.money import AMOUNT_MAX, Asset
from shoal.domain.rate_limit import RateLimit
from tests.support.factories import DECISION
from tests.worlds.world import Customer, World


def test_a_new_account_has_its_grant_three_trials_and_play_money(world: World) -> None:
    account, _ = world.manage.open("diver@example.com", usd_micros=10_000_000, credits=20)

    wallets = {asset: world.tables.wallets[account.id, asset] for asset in Asset}
    assert {asset: (wallet.balance, wallet.free_generations) for asset, wallet in wallets.items()} == {
        Asset.USD: (10_000_000, 3),
        Asset.CREDIT: (20, 0),
        Asset.TEST_USD: (100_000_000, 3),
        Asset.TEST_CREDIT: (100, 0),
    }
    assert world.accounts.get(account.id) == account
    assert world.audit_ledger() == []


def test_an_account_without_a_grant_has_three_trials_all_the_same(world: World) -> None:
    account, _ = world.manage.open("diver@example.com")

    wallet = world.tables.wallets[account.id, Asset.USD]
    assert (wallet.balance, wallet.free_generations) == (0, 3)


def test_the_first_key_works_and_its_secret_is_not_stored(world: World) -> None:
    account, first = world.manage.open("diver@example.com")

    assert world.authenticate(f"Bearer {first.secret}").account_id == account.id
    assert first.secret.startswith("sk_live_")
    assert first.key.last_four == first.secret[-4:]
    assert first.secret not in str(world.tables)
    assert first.key.limit == RateLimit(60, 20)


@pytest.mark.parametrize("prefix", KeyPrefix)
def test_a_further_key_has_its_own_prefix_rate_and_scopes(
    world: World, customer: Customer, prefix: KeyPrefix
) -> None:
    new = world.manage.create_key(customer.account_id, prefix, RateLimit(600, 200), frozenset({Scope.READ}))

    caller = world.authenticate(f"Bearer {new.secret}")
    assert new.secret.startswith(prefix)
    assert (caller.key_id, caller.scopes) == (new.key.id, frozenset({Scope.READ}))
    assert caller.test == (prefix is KeyPrefix.TEST)
    assert caller.allowance.limit == RateLimit(600, 200)
    assert new.key in world.keys.of_account(customer.account_id)


def test_a_top_up_credits_the_wallet(world: World, customer: Customer) -> None:
    assert world.manage.grant(customer.account_id, Asset.USD, 5_000_000, DECISION)

    assert world.wallet(customer).balance == 15_000_000
    assert world.entries(customer) == ["top_up", "top_up"]


def test_a_top_up_with_the_same_reference_credits_once(world: World, customer: Customer) -> None:
    assert world.manage.grant(customer.account_id, Asset.USD, 5_000_000, DECISION, "invoice-1")
    assert not world.manage.grant(customer.account_id, Asset.USD, 5_000_000, DECISION, "invoice-1")

    assert world.wallet(customer).balance == 15_000_000


@pytest.mark.parametrize("amount", [0, -1, AMOUNT_MAX + 1])
def test_an_amount_out_of_bounds_is_a_typing_error(world: World, customer: Customer, amount: int) -> None:
    with pytest.raises(ValueError, match="amount"):
        world.manage.grant(customer.account_id, Asset.USD, amount, DECISION)
    assert world.entries(customer) == ["top_up"]


def test_an_unknown_account_gets_neither_key_nor_money(world: World) -> None:
    with pytest.raises(NotFound):
        world.manage.create_key("acc_unknown", KeyPrefix.LIVE, RateLimit(), frozenset(Scope))
    with pytest.raises(NotFound):
        world.manage.grant("acc_unknown", Asset.USD, 1, DECISION)
    with pytest.raises(NotFound):
        world.accounts.get("acc_unknown")


def test_a_key_is_revoked_for_good(world: World, customer: Customer) -> None:
    for _ in range(2):
        world.manage.revoke_key(customer.account_id, customer.stored_key.id)

    with pytest.raises(Unauthorized):
        world.authenticate(f"Bearer {customer.key}")
    with pytest.raises(NotFound):
        world.manage.revoke_key(customer.account_id, "key_unknown")
    with pytest.raises(NotFound, match="account"):
        world.manage.revoke_key("acc_unknown", customer.stored_key.id)
