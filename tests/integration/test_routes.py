"""Breakers, calls, keys and the board on the real services: many at once, and what each thing costs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from shoal.adapters.aws.provider_keys import LIFETIME_MS, MISSING_MS, ProviderKeys
from shoal.adapters.dynamodb.board import DynamoDbBoard
from shoal.adapters.dynamodb.breakers import DynamoDbBreakers
from shoal.domain.breaker import COOL_DOWN_MS, SAMPLE, UNUSABLE_COOL_DOWN_MS, Breaker, BreakerState, Outcome
from shoal.domain.errors import CallTaken, ProviderUnusable
from shoal.domain.job import Job
from shoal.domain.routing import Route
from shoal.ports.routing import KEY, WEBHOOK_SECRET, Pass
from tests.fakes import FakeClock
from tests.integration.bench import PRICE, Bench
from tests.integration.conditions.conditions import client_of, over
from tests.integration.conditions.scenarios_routes import FREE, ROUTE, SeenAsItIs, call, fail, opened, stored
from tests.integration.faults import Counting, FaultyClient, service_error
from tests.integration.test_races import at_once
from tests.support.deployed import Deployed

PROBERS = 16
ROUNDS = 10


def breakers(bench: Bench, chance: Callable[[], float] = lambda: 0.99) -> DynamoDbBreakers:
    """No success is drawn into the sample unless told."""
    return DynamoDbBreakers(bench.table, SeenAsItIs(bench.table), chance=chance)


def test_of_many_that_see_the_cool_down_end_one_probes(bench: Bench) -> None:
    for _ in range(ROUNDS):
        opened(bench)
        bench.clock.pass_seconds(COOL_DOWN_MS / 1000)
        now_ms = bench.clock.now_ms()
        given = at_once([partial(breakers(bench).admit, ROUTE, now_ms)] * PROBERS)
        (probe,) = [each for each in given if isinstance(each, Pass)]
        breakers(bench).note(ROUTE, Outcome.SUCCESS, probe, now_ms)
        assert stored(bench.table).state(now_ms) is BreakerState.CLOSED
        bench.clock.pass_seconds(60)


def test_of_many_runs_over_an_output_one_asks(bench: Bench) -> None:
    for _ in range(ROUNDS):
        job = bench.begin(bench.accept(bench.account(PRICE)))
        asked = at_once(
            [partial(bench.jobs.note_call, job, 0, call(mark=str(mark))) for mark in range(PROBERS)]
        )
        (winner,) = [each for each in asked if isinstance(each, Job)]
        assert sum(isinstance(each, CallTaken) for each in asked) == PROBERS - 1
        assert bench.job(job).calls == winner.calls


def test_failures_of_many_are_all_counted(bench: Bench) -> None:
    at_once([lambda: fail(bench)] * PROBERS)

    assert (stored(bench.table).calls, stored(bench.table).failures) == (PROBERS, PROBERS)


def test_a_route_that_does_well_is_written_once_in_a_while(bench: Bench) -> None:
    draws = iter([n / SAMPLE for n in range(SAMPLE)])
    client = Counting(client_of(bench.table))
    table = over(bench.table, client)
    quiet = DynamoDbBreakers(table, SeenAsItIs(bench.table), chance=lambda: next(draws))

    for _ in range(SAMPLE):
        quiet.note(ROUTE, Outcome.SUCCESS, FREE, bench.clock.now_ms())

    assert client.calls.count("update_item") == 2, "the first of a window is begun after one try"
    assert stored(bench.table).calls == SAMPLE


def test_beside_failures_every_success_counts(bench: Bench) -> None:
    fail(bench)
    for _ in range(20):
        breakers(bench).note(ROUTE, Outcome.SUCCESS, FREE, bench.clock.now_ms())
    fail(bench, 6)

    breaker = stored(bench.table)
    assert (breaker.calls, breaker.failures, breaker.open_until_ms) == (27, 7, None)


def test_half_of_enough_calls_failing_opens_it(bench: Bench) -> None:
    fail(bench, 2)
    for _ in range(2):
        breakers(bench).note(ROUTE, Outcome.SUCCESS, FREE, bench.clock.now_ms())
    assert stored(bench.table).open_until_ms is None

    fail(bench)

    assert stored(bench.table).reason == "503"
    assert stored(bench.table).state(bench.clock.now_ms()) is BreakerState.OPEN


def test_what_an_operator_has_to_repair_opens_it_at_once(bench: Bench) -> None:
    breakers(bench).note(ROUTE, Outcome.UNUSABLE, FREE, bench.clock.now_ms(), reason="bad key" * 99)

    breaker = stored(bench.table)
    assert breaker.open_until_ms == bench.clock.now_ms() + UNUSABLE_COOL_DOWN_MS
    assert len(breaker.reason) == 200


def test_probes_that_fail_keep_it_open_for_longer_each_time(bench: Bench) -> None:
    opened(bench)
    for trips in (2, 3):
        bench.clock.ms = stored(bench.table).open_until_ms or 0
        probe = breakers(bench).admit(ROUTE, bench.clock.now_ms())
        assert probe is not None
        assert stored(bench.table).state(bench.clock.now_ms()) is BreakerState.HALF_OPEN
        breakers(bench).note(ROUTE, Outcome.FAILURE, probe, bench.clock.now_ms(), reason="still")
        until_ms = bench.clock.now_ms() + COOL_DOWN_MS * 2 ** (trips - 1)
        assert (stored(bench.table).trips, stored(bench.table).open_until_ms) == (trips, until_ms)


def test_an_operator_closes_it(bench: Bench) -> None:
    opened(bench)

    breakers(bench).close(ROUTE)

    assert stored(bench.table) == replace(Breaker(), calls=5, failures=5)


def test_a_service_out_of_reach_fails_no_exchange(bench: Bench) -> None:
    faulty = FaultyClient(client_of(bench.table), "update_item", service_error("InternalServerError"), 99)

    DynamoDbBreakers(over(bench.table, faulty), SeenAsItIs(bench.table)).note(
        ROUTE, Outcome.FAILURE, FREE, bench.clock.now_ms()
    )

    assert faulty.struck > 0
    assert stored(bench.table).calls == 0


# The board


def board(bench: Bench, client: Any) -> DynamoDbBoard:
    routes = [ROUTE, Route(provider="openai", model="a"), Route(provider="openai-background", model="b")]
    return DynamoDbBoard(
        over(bench.table, client), lambda: routes, {"fal", "openai"}, bench.clock, lifetime_ms=30_000
    )


def test_the_board_is_read_in_one_call_and_kept(bench: Bench) -> None:
    board(bench, client_of(bench.table)).note_key("openai", there=True)
    until_ms = opened(bench)
    client = Counting(client_of(bench.table))
    looked = board(bench, client)

    found = [looked() for _ in range(3)]

    assert client.calls == ["batch_get_item"]
    assert found[0].keyed == {"openai"}
    assert found[0].open_until_ms == {ROUTE.name: until_ms}
    bench.clock.pass_seconds(30)
    looked()
    assert client.calls == ["batch_get_item"] * 2
    looked.outdate()
    looked()
    assert client.calls == ["batch_get_item"] * 3


def test_the_board_is_read_ahead_beside_something_else(bench: Bench) -> None:
    threads: list[str] = []
    client = Counting(client_of(bench.table))
    looked = board(bench, client)
    reading = client_of(bench.table).batch_get_item

    def read(**arguments: Any) -> Any:
        threads.append(threading.current_thread().name)
        return reading(**arguments)

    client.batch_get_item = read  # type: ignore[attr-defined]

    looked.read_ahead()
    looked.read_ahead()
    looked()

    assert threads == ["board"]


def test_a_board_that_cannot_be_read_holds_nothing_against_anybody(bench: Bench) -> None:
    faulty = FaultyClient(client_of(bench.table), "batch_get_item", service_error("InternalServerError"), 99)

    found = board(bench, faulty)()

    assert found.keyed == {"fal", "openai"}
    assert found.open_until_ms == {}


# Keys


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def keys(deployed: Deployed, clock: FakeClock) -> ProviderKeys:
    """The keys of a stage of one's own."""
    return ProviderKeys(deployed.cloud.client("secretsmanager"), f"s{uuid4().hex[:8]}", clock)


def test_a_key_that_is_set_is_found_and_one_that_is_replaced_is_seen_in_a_while(
    keys: ProviderKeys, deployed: Deployed, clock: FakeClock
) -> None:
    function = ProviderKeys(deployed.cloud.client("secretsmanager"), keys._stage, clock)
    assert not function.has("openai")
    with pytest.raises(ProviderUnusable, match="no key of openai"):
        function.key("openai-background")()

    keys.put("openai", KEY, "sk-1")
    assert not function.has("openai"), "the lack of it is believed for a while"
    clock.pass_seconds(MISSING_MS / 1000)
    assert function.key("openai-background")() == "sk-1"

    keys.put("openai", KEY, "sk-2")
    keys.put("openai", WEBHOOK_SECRET, "whsec_1")
    assert function.key("openai")() == "sk-1"
    clock.pass_seconds(LIFETIME_MS / 1000)
    assert (function.key("openai")(), function.key("openai", WEBHOOK_SECRET)()) == ("sk-2", "whsec_1")


def test_a_key_that_is_removed_is_gone_and_can_be_set_again(keys: ProviderKeys) -> None:
    keys.put("fal", KEY, "one")
    for _ in range(2):
        keys.delete("fal")
    assert not keys.has("fal")

    keys.put("fal", KEY, "two")
    assert keys.key("fal")() == "two"


def test_a_key_is_kept_under_the_stages_own_key_of_kms_also_one_that_was_not(
    keys: ProviderKeys, deployed: Deployed, clock: FakeClock
) -> None:
    manager = deployed.cloud.client("secretsmanager")
    arn = deployed.cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    sealed = ProviderKeys(manager, keys._stage, clock, key_arn=arn)
    keys.put("fal", KEY, "one")
    for provider in ("fal", "openai"):
        sealed.put(provider, KEY, "two")
        assert (
            manager.describe_secret(SecretId=f"shoal/{keys._stage}/providers/{provider}")["KmsKeyId"] == arn
        )
        assert sealed.key(provider)() == "two"


def test_a_secret_that_is_just_the_key_is_understood(keys: ProviderKeys, deployed: Deployed) -> None:
    deployed.cloud.client("secretsmanager").create_secret(
        Name=f"shoal/{keys._stage}/providers/fal", SecretString="id:secret\n"
    )

    assert keys.key("fal")() == "id:secret"
