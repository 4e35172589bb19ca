"""What must hold for accounts and keys while others write: scenarios that fail without a condition."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shoal.adapters.dynamodb.accounts import DynamoDbKeys
from shoal.adapters.dynamodb.items import api_key_key
from shoal.adapters.dynamodb.table import TransactionRefused
from shoal.domain.api_key import Caller, KeyPrefix, digest_of
from shoal.domain.errors import KeyExists, NotFound, RateLimited, Unauthorized
from shoal.domain.ids import derived_id
from shoal.domain.money import Asset
from shoal.domain.rate_limit import RateLimit
from shoal.use_cases.accounts.manage_accounts import NewKey
from tests.integration.bench import Bench
from tests.integration.conditions.conditions import Meanwhile, client_of, over, write


def new_key(bench: Bench, limit: RateLimit) -> NewKey:
    caller = bench.account(0)
    return bench.accounts.create_key(caller.account_id, KeyPrefix.LIVE, limit, caller.scopes)


def digest(key: NewKey) -> str:
    return digest_of(key.secret) or ""


def admit(bench: Bench, key: NewKey) -> Caller:
    return bench.keys.admit(digest(key), bench.clock.now_ms())


def delete(bench: Bench, key: tuple[str, str]) -> None:
    client_of(bench.table).client.delete_item(
        TableName=bench.table._name, Key={"pk": {"S": key[0]}, "sk": {"S": key[1]}}
    )


class SameIds:
    """Ids that repeat themselves, for what must not happen even then."""

    def new(self, prefix: str, at_ms: int) -> str:
        return derived_id(prefix, at_ms, "always the same")

    def secret(self, length: int) -> str:
        return "s" * length


def an_account_is_opened_once(bench: Bench) -> None:
    accounts = Bench(bench.table, SameIds()).accounts
    account, key = accounts.open("first@example.com", usd_micros=5)
    write(bench.table, api_key_key(key.key.digest), "revoked", True)
    with pytest.raises(TransactionRefused):
        accounts.open("second@example.com", usd_micros=7)
    assert accounts.accounts.get(account.id).email == "first@example.com"
    assert bench.ledger.wallet(account.id, Asset.USD).balance == 5


def a_secret_opens_one_account(bench: Bench) -> None:
    first, second = (bench.account(0) for _ in range(2))
    key = bench.accounts.create_key(first.account_id, KeyPrefix.LIVE, RateLimit(), first.scopes).key
    with pytest.raises(TransactionRefused):
        bench.keys.add(replace(key, id=bench.ids.new("key", 0), account_id=second.account_id))
    assert bench.keys.admit(key.digest, bench.clock.now_ms()).account_id == first.account_id


def a_key_id_names_one_key(bench: Bench) -> None:
    key = new_key(bench, RateLimit()).key
    with pytest.raises(KeyExists):
        bench.keys.add(replace(key, digest="0" * 64))
    assert key in bench.keys.of_account(key.account_id)


def nobody_gets_no_key(bench: Bench) -> None:
    with pytest.raises(NotFound):
        bench.accounts.create_key(bench.ids.new("acc", 0), KeyPrefix.LIVE, RateLimit(), frozenset())


def revoking_makes_no_key(bench: Bench) -> None:
    key = new_key(bench, RateLimit()).key
    delete(bench, api_key_key(key.digest))
    with pytest.raises(TransactionRefused):
        bench.keys.revoke(key.account_id, key.id)
    assert bench.table.get(*api_key_key(key.digest)) is None


def a_revoked_key_is_unknown(bench: Bench) -> None:
    key = new_key(bench, RateLimit())
    bench.keys.revoke(key.key.account_id, key.key.id)
    with pytest.raises(Unauthorized):
        admit(bench, key)


def a_burst_is_admitted_and_no_more(bench: Bench) -> None:
    key = new_key(bench, RateLimit())
    for _ in range(20):
        admit(bench, key)
    with pytest.raises(RateLimited):
        admit(bench, key)


def a_rested_key_has_its_whole_burst_again(bench: Bench) -> None:
    a_burst_is_admitted_and_no_more(bench)
    key = new_key(bench, RateLimit(60, 2))
    for _ in range(2):
        assert [admit(bench, key).allowance.headers()["RateLimit"] for _ in range(2)][-1] == '"key";r=0;t=2'
        bench.clock.pass_seconds(60)


def a_slow_key_is_slow_from_its_first_request(bench: Bench) -> None:
    key = new_key(bench, RateLimit(1, 20))
    assert admit(bench, key).allowance.headers()["RateLimit"] == '"key";r=19;t=60'


def changed_meanwhile(bench: Bench, key: NewKey, attribute: str, value: bool | int) -> DynamoDbKeys:
    """Keys of which this one changes after the first way in was tried and before the second is."""

    def change() -> None:
        write(bench.table, api_key_key(digest(key)), attribute, value)

    return DynamoDbKeys(over(bench.table, Meanwhile(client_of(bench.table), change)))


def a_key_revoked_meanwhile_is_unknown(bench: Bench) -> None:
    key = new_key(bench, RateLimit())
    admit(bench, key)
    keys = changed_meanwhile(bench, key, "revoked", True)
    with pytest.raises(Unauthorized):
        keys.admit(digest(key), bench.clock.now_ms())


def a_key_slowed_meanwhile_is_slow(bench: Bench) -> None:
    key = new_key(bench, RateLimit())
    admit(bench, key)
    keys = changed_meanwhile(bench, key, "requests_per_minute", 1)
    allowance = keys.admit(digest(key), bench.clock.now_ms()).allowance
    assert allowance.tat_ms == bench.clock.now_ms() + 1_000 + 60_000


def a_burst_shortened_meanwhile_is_short(bench: Bench) -> None:
    key = new_key(bench, RateLimit())
    admit(bench, key)
    keys = changed_meanwhile(bench, key, "burst", 1)
    with pytest.raises(RateLimited):
        keys.admit(digest(key), bench.clock.now_ms())
