"""What operators and finance are told of money, keys and routes: all that happened, and nothing else."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal

import pytest

from shoal.adapters.dynamodb.items import wallet_key
from shoal.adapters.dynamodb.outbox import DynamoDbOutbox
from shoal.adapters.dynamodb.table import Update
from shoal.domain.api_key import KEYS_MAX, KeyPrefix, Scope
from shoal.domain.errors import TooManyKeys, Unavailable
from shoal.domain.events import MOVEMENT_TYPES, Event, iso_ms
from shoal.domain.job import Job
from shoal.domain.money import Asset, decimal_amount
from shoal.domain.rate_limit import RateLimit
from shoal.ports.system import unlimited
from shoal.use_cases.accounts.tell_events import RESERVE_S, TellEvents
from tests.integration.bench import OUTPUTS, Bench
from tests.integration.conditions import scenarios_routes
from tests.integration.faults import faulty, timed_out
from tests.support.deployed import Deployed
from tests.support.factories import DECISION

WALLET_TYPES = frozenset(MOVEMENT_TYPES.values())


@pytest.fixture
def bench(deployed: Deployed) -> Bench:
    return Bench(deployed.fresh_table())


def settle(bench: Bench, job: Job, delivered: int) -> None:
    """The workflow captures the hold, and tells of it."""
    bench.bus.publish(bench.settle_wallet(job.account_id, job.id, OUTPUTS[:delivered])[1])


def told(bench: Bench, *types: str) -> list[Event]:
    """What the bus was told of these types, each event once, by its id."""
    bench.tell_events()
    return list({event.id: event for event in bench.bus.published if event.type in types}.values())


def test_the_events_of_a_wallet_add_up_to_its_balance(bench: Bench) -> None:
    caller = bench.account(micros=1_000_000)
    paid = bench.paid(caller, cents=500)
    bench.settle_payment(paid)
    bench.books.refund(paid, cents=120)
    bench.settle_payment(paid)
    settle(bench, bench.begin(bench.accept(caller)), 1)
    settle(bench, bench.begin(bench.accept_task(caller, 3)), 2)
    failed = bench.begin(bench.accept(caller))
    bench.bus.publish(bench.release_hold(failed.account_id, failed.id, "ProviderFailed", "no luck")[1])
    bench.cancel_job(caller, bench.accept(caller).id)
    for _ in range(2):
        bench.accounts.grant(caller.account_id, Asset.USD, 7, DECISION, "01HQ7VJ2J8M3N5P7R9T1V3X5Z7")
    bench.accept(caller)  # still held: a hold moves no money

    moved = [event.detail["data"] for event in told(bench, *WALLET_TYPES)]
    in_usd = [data for data in moved if data["asset"] == "usd"]
    entries = {f"{entry['reference']}#{entry['kind']}" for entry in bench.entries(caller)}

    balance = decimal_amount(Asset.USD, bench.wallet(caller).balance)
    assert sum(Decimal(data["balance_delta"]) for data in in_usd) == Decimal(balance)
    assert Counter(data["entry_id"] for data in in_usd) == Counter(
        entry for entry in entries if not entry.endswith("#hold")
    ), "each entry, and no other"
    kinds = Counter(data["kind"] for data in in_usd)
    assert kinds == {"top_up": 3, "refund": 1, "capture": 2, "release": 2}


def test_what_the_bus_did_not_take_is_told_later_and_once(bench: Bench) -> None:
    bench.network.fail("bus.publish", Unavailable())
    caller = bench.account(micros=1_000_000)
    assert bench.tell_events() == 0
    bench.network.heal()

    assert [event.type for event in told(bench, "key.created", "wallet.credited")] == [
        "key.created",
        *["wallet.credited"] * 3,
    ], "the first key, the grant, and play money of both kinds"
    assert {event.detail["account_id"] for event in bench.bus.published} == {caller.account_id}
    assert bench.tell_events() == 0


def test_who_dies_before_forgetting_tells_the_same_again(bench: Bench) -> None:
    bench.account(micros=1_000_000)
    dying = DynamoDbOutbox(faulty(bench.table, "transact_write_items", timed_out))
    TellEvents(dying, bench.bus)()
    bench.tell_events()

    assert set(bench.bus.ids("key.created").values()) == {2}


def test_what_the_time_is_too_short_for_waits(bench: Bench) -> None:
    bench.account(micros=1_000_000)

    assert bench.tell_events(lambda: RESERVE_S / 2) == 0
    assert bench.tell_events(lambda: RESERVE_S) > 0


def test_what_was_refused_is_not_told(bench: Bench) -> None:
    caller = bench.account(micros=1_000_000)
    bench.tell_events()
    before = len(bench.bus.published)
    for reference in ("one", "one"):
        bench.accounts.grant(caller.account_id, Asset.USD, 7, DECISION, reference)
    others = KEYS_MAX - 1
    for _ in range(others):
        new_key(bench, caller.account_id)
    with pytest.raises(TooManyKeys):
        new_key(bench, caller.account_id)
    bench.tell_events()

    types = Counter(event.type for event in bench.bus.published[before:])
    assert types == {"wallet.credited": 1, "key.created": others}


def new_key(bench: Bench, account_id: str) -> tuple[str, str, str]:
    """Its id, its secret and the digest of that."""
    made = bench.accounts.create_key(account_id, KeyPrefix.LIVE, RateLimit(), frozenset(Scope), name="ci")
    return made.key.id, made.secret, made.key.digest


def test_a_key_is_told_without_what_anybody_could_call_with(bench: Bench) -> None:
    caller = bench.account(micros=0)
    key_id, secret, digest = new_key(bench, caller.account_id)
    for _ in range(2):
        bench.accounts.revoke_key(caller.account_id, key_id)
        bench.clock.pass_seconds(1)

    created = [e for e in told(bench, "key.created") if e.detail["data"]["key_id"] == key_id]
    revoked = told(bench, "key.revoked")

    assert [event.detail["data"] for event in created] == [event.detail["data"] for event in revoked]
    assert created[0].detail["data"] == {
        "key_id": key_id,
        "prefix": "sk_live_",
        "last_four": secret[-4:],
        "name": "ci",
        "scopes": ["generate", "read", "webhooks"],
        "test": False,
    }
    everything = json.dumps([event.detail for event in bench.bus.published])
    assert secret not in everything
    assert digest not in everything


def test_a_breaker_that_opens_is_told_once_until_it_closes(bench: Bench) -> None:
    until_ms = scenarios_routes.opened(bench)
    scenarios_routes.fail(bench)

    (event,) = told(bench, "provider.breaker_opened")

    assert event.detail["account_id"] is None
    assert event.detail["data"]["route"] == scenarios_routes.ROUTE.name
    assert event.detail["data"]["open_until"] == iso_ms(until_ms)


def test_a_wallet_that_is_off_is_told_once_a_day(bench: Bench) -> None:
    caller = bench.account(micros=1_000_000)
    wallet = wallet_key(caller.account_id, Asset.USD)
    bench.table.update(Update(wallet, "SET balance = :less", None, {":less": 999_999}))
    for _ in range(2):
        bench.audit_ledger.go_on(unlimited, lambda _: None)
        bench.clock.pass_seconds(3_600)

    found = told(bench, "audit.discrepancy")

    assert found
    assert {event.detail["account_id"] for event in found} == {caller.account_id}
    assert len({(event.detail["data"]["what"]) for event in found}) == len(found)
    assert {event.detail["data"]["asset"] for event in found} == {"usd"}
