"""Who is asking: keys, scopes, and what a key may spend."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.domain.api_key import KeyPrefix, Scope, digest_of
from shoal.domain.errors import Forbidden, RateLimited, Unauthorized
from shoal.domain.money import Asset
from shoal.domain.rate_limit import RateLimit
from shoal.use_cases.accounts.authenticate import require
from tests.worlds.world import Customer, World

SECRET = "0123456789abcdefghijABCDEFGHIJKL"


@pytest.mark.parametrize("prefix", ["sk_live_", "vsk_live_", "sk_test_"])
def test_a_well_formed_key_is_known_by_its_sha_256(prefix: str) -> None:
    assert digest_of(prefix + SECRET) == hashlib.sha256((prefix + SECRET).encode()).hexdigest()


@pytest.mark.parametrize(
    "key",
    [
        "",
        SECRET,
        "sk_live_",
        f"sk_live_{SECRET}x",
        f"sk_live_{SECRET[:-1]}",
        f"SK_LIVE_{SECRET}",
        f"pk_live_{SECRET}",
        f"vsk_test_{SECRET}",
        f"sk_live_{SECRET[:-1]}é",
        f"sk_live_{SECRET[:-1]}-",
        "sk_live_\ud800",
    ],
)
def test_a_malformed_key_is_not_even_looked_up(world: World, key: str) -> None:
    assert digest_of(key) is None
    with pytest.raises(Unauthorized):
        world.authenticate(f"Bearer {key}")
    assert world.network.calls == []


def test_a_key_with_a_line_break_is_none() -> None:
    assert digest_of(f"sk_live_{SECRET}\n") is None


def test_a_key_admits_its_caller(world: World, customer: Customer) -> None:
    caller = world.authenticate(f"Bearer {customer.key}")

    assert (caller.account_id, caller.key_id) == (customer.account_id, customer.stored_key.id)
    assert caller.scopes == set(Scope)
    assert not caller.test


@pytest.mark.parametrize("form", ["bearer {}", "BEARER {}", "Bearer   {}", "  Bearer {}  "])
def test_the_scheme_may_be_written_in_any_case(world: World, customer: Customer, form: str) -> None:
    assert world.authenticate(form.format(customer.key)).account_id == customer.account_id


@pytest.mark.parametrize(
    "form", ["{}", "Basic {}", "Token {}", "Bearer", "Bearer{}", "Bearer {} extra", "Bearer,{}"]
)
def test_any_other_header_is_refused(world: World, customer: Customer, form: str) -> None:
    with pytest.raises(Unauthorized):
        world.authenticate(form.format(customer.key))


@given(st.text())
def test_no_header_whatever_gets_in_or_breaks_anything(header: str) -> None:
    with pytest.raises(Unauthorized):
        World().authenticate(header)


def test_no_header_at_all_is_refused(world: World) -> None:
    with pytest.raises(Unauthorized) as refused:
        world.authenticate(None)
    assert refused.value.headers == {"WWW-Authenticate": "Bearer"}, "how to ask"


def test_a_key_nobody_has_is_refused_like_a_malformed_one(world: World) -> None:
    with pytest.raises(Unauthorized) as refused:
        world.authenticate(f"Bearer sk_live_{SECRET}")

    assert refused.value.message == "Missing or invalid API key."


def test_a_revoked_key_is_refused_from_then_on(world: World, customer: Customer) -> None:
    world.authenticate(f"Bearer {customer.key}")
    world.keys.revoke(customer.account_id, customer.stored_key.id, world.clock.now_ms())

    with pytest.raises(Unauthorized):
        world.authenticate(f"Bearer {customer.key}")


def test_one_keys_rate_is_not_anothers(world: World) -> None:
    slow, other = world.customer(limit=RateLimit(60, 1)), world.customer(limit=RateLimit(60, 1))
    world.authenticate(f"Bearer {slow.key}")

    with pytest.raises(RateLimited):
        world.authenticate(f"Bearer {slow.key}")
    assert world.authenticate(f"Bearer {other.key}")


@pytest.mark.parametrize("scope", Scope)
def test_a_scope_a_key_lacks_is_refused_by_name(world: World, scope: Scope) -> None:
    caller = world.customer(scopes=frozenset(Scope) - {scope}).caller

    with pytest.raises(Forbidden) as refused:
        require(caller, scope)
    assert refused.value.details == {"scope": scope}
    for other in set(Scope) - {scope}:
        require(caller, other)


def test_a_test_key_spends_play_money_of_the_same_kind(world: World, customer: Customer) -> None:
    play = world.customer(prefix=KeyPrefix.TEST).caller

    assert [play.asset(asset) for asset in (Asset.USD, Asset.CREDIT)] == [Asset.TEST_USD, Asset.TEST_CREDIT]
    assert [customer.caller.asset(asset) for asset in (Asset.USD, Asset.CREDIT)] == [Asset.USD, Asset.CREDIT]
