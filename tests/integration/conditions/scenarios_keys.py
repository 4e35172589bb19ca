"""What must hold for accounts and keys while others write: scenarios that fail without a condition."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shoal.adapters.dynamodb.accounts import DynamoDbKeys
from shoal.adapters.dynamodb.items import api_key_key
from shoal.adapters.dynamodb.table import TransactionRefused
from shoal.domain.api_key import KEYS_MAX, Caller, KeyPrefix, digest_of
from shoal.domain.errors import KeyExists, NotFound, RateLimited, TooManyKeys, Unauthorized
from shoal.domain.ids import derived_id
from shoal.domain.money import Asset
from shoal.domain.rate_limit import HELD_S_PER_MINUTE, Ask, RateLimit
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
        bench.keys.add(replace(key, id=bench.ids.new("key", 0), account_id=second.account_id), KEYS_MAX)
    assert bench.keys.admit(key.digest, bench.clock.now_ms()).account_id == first.account_id


def a_key_id_names_one_key(bench: Bench) -> None:
    key = new_key(bench, RateLimit()).key
    with pytest.raises(KeyExists):
        bench.keys.add(replace(key, digest="0" * 64), KEYS_MAX)
    assert key in bench.keys.of_account(key.account_id)


def nobody_gets_no_key(bench: Bench) -> None:
    with pytest.raises(NotFound):
        bench.accounts.create_key(bench.ids.new("acc", 0), KeyPrefix.LIVE, RateLimit(), frozenset())


def revoking_makes_no_key(bench: Bench) -> None:
    key = new_key(bench, RateLimit()).key
    delete(bench, api_key_key(key.digest))
    with pytest.raises(TransactionRefused):
        bench.keys.revoke(key.account_id, key.id, bench.clock.now_ms())
    assert bench.table.get(*api_key_key(key.digest)) is None


def a_revoked_key_is_unknown(bench: Bench) -> None:
    key = new_key(bench, RateLimit())
    bench.keys.revoke(key.key.account_id, key.key.id, bench.clock.now_ms())
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


def an_account_has_so_many_keys_and_no_more(bench: Bench) -> None:
    account, first = bench.accounts.open("diver@example.com")

    def add() -> NewKey:
        return bench.accounts.create_key(account.id, KeyPrefix.LIVE, RateLimit(), first.key.scopes)

    keys = [add() for _ in range(KEYS_MAX - 1)]
    with pytest.raises(TooManyKeys):
        add()
    bench.keys.revoke(account.id, keys[0].key.id, bench.clock.now_ms())
    add()


def a_key_made_meanwhile_counts(bench: Bench) -> None:
    account, first = bench.accounts.open("diver@example.com")
    late, soon = (replace(first.key, id=bench.ids.new("key", n), digest=str(n) * 64) for n in range(1, 3))
    happen = Meanwhile(client_of(bench.table), lambda: bench.keys.add(soon, 2), update=0, transaction=1)
    with pytest.raises(TooManyKeys):
        DynamoDbKeys(over(bench.table, happen)).add(late, 2)
    assert [key.id for key in bench.keys.of_account(account.id)] == [soon.id, first.key.id]


def polls_count_apart_at_ten_times_the_rate(bench: Bench) -> None:
    key, polls = new_key(bench, RateLimit(60, 2)), Ask(polls=True)
    for _ in range(20):
        bench.keys.admit(digest(key), bench.clock.now_ms(), polls)
    with pytest.raises(RateLimited) as refused:
        bench.keys.admit(digest(key), bench.clock.now_ms(), polls)
    assert refused.value.headers["RateLimit-Policy"] == '"key";q=600;w=60'
    assert admit(bench, key).allowance.headers()["RateLimit"] == '"key";r=1;t=1'


def a_key_is_held_for_so_long_a_minute(bench: Bench) -> None:
    key = new_key(bench, RateLimit())

    def may_hold(seconds: int) -> bool:
        ask = Ask(polls=True, hold_s=seconds)
        return bench.keys.admit(digest(key), bench.clock.now_ms(), ask).may_hold

    bench.clock.ms -= bench.clock.ms % 60_000
    assert [may_hold(HELD_S_PER_MINUTE // 4) for _ in range(5)] == [True] * 4 + [False]
    assert may_hold(2)
    bench.clock.pass_seconds(60)
    assert may_hold(25)
    item = bench.table.get(*api_key_key(digest(key))) or {}
    assert len([name for name in item if name.startswith("held#")]) == 1
