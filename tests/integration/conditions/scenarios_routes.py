"""What must hold for breakers and calls while others write: scenarios that fail without a condition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from shoal.adapters.dynamodb.board import DynamoDbBoard
from shoal.adapters.dynamodb.breakers import DynamoDbBreakers, breaker_key, breaker_of
from shoal.adapters.dynamodb.table import Table
from shoal.domain.breaker import (
    CALLS_MIN,
    COOL_DOWN_MS,
    PROBE_LEASE_MS,
    WINDOW_MS,
    Breaker,
    Outcome,
    window_of,
)
from shoal.domain.errors import CallTaken, JobClosed
from shoal.domain.job import Job
from shoal.domain.routing import Phase, ProviderCall, Route
from shoal.ports.routing import Pass
from tests.integration.bench import PRICE, Bench
from tests.integration.conditions.scenarios_webhooks import surprised

ROUTE = Route(provider="fal", model="flux/dev")
FREE = Pass()


class SeenAsItIs:
    """Breakers read again each time they are looked at, or as they were when `stands` was set."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.stands: Breaker | None = None

    def breakers(self) -> Mapping[str, Breaker]:
        return {ROUTE.name: self.stands or stored(self._table)}

    def outdate(self) -> None:
        """Nothing is kept."""

    def read_ahead(self) -> None:
        """Nothing is kept."""


def breakers_of(bench: Bench, table: Table | None = None, *, seen: Breaker | None = None) -> DynamoDbBreakers:
    """Every success is drawn into the sample."""
    look = SeenAsItIs(bench.table)
    look.stands = seen
    return DynamoDbBreakers(table or bench.table, look, chance=lambda: 0.0)


def stored(table: Table) -> Breaker:
    return breaker_of(table.get(*breaker_key(ROUTE.name)))


def fail(bench: Bench, times: int = 1) -> None:
    for _ in range(times):
        breakers_of(bench).note(ROUTE, Outcome.FAILURE, FREE, bench.clock.now_ms(), reason="503")


def opened(bench: Bench) -> int:
    """A breaker that opened just now; when it cools down."""
    fail(bench, CALLS_MIN)
    until_ms = stored(bench.table).open_until_ms
    assert until_ms == bench.clock.now_ms() + COOL_DOWN_MS
    return until_ms


def asked(bench: Bench) -> Job:
    """A job whose provider is being asked."""
    job = bench.begin(bench.accept(bench.account(PRICE)))
    return bench.jobs.note_call(job, 0, call())


def call(number: int = 1, mark: str = "mine") -> ProviderCall:
    return ProviderCall(number, ROUTE.name, Phase.ASKED, mark=mark)


def calls_of_a_window_are_added_up(bench: Bench) -> None:
    fail(bench, 2)
    assert (stored(bench.table).calls, stored(bench.table).failures) == (2, 2)


def a_new_window_begins_at_nothing(bench: Bench) -> None:
    fail(bench, 2)
    bench.clock.pass_seconds(WINDOW_MS / 1000)
    fail(bench)
    assert (stored(bench.table).calls, stored(bench.table).failures) == (1, 1)


def a_window_that_two_begin_counts_both(bench: Bench) -> None:
    fail(bench)
    bench.clock.pass_seconds(WINDOW_MS / 1000)
    late = breakers_of(bench, surprised_at(bench, 2))
    late.note(ROUTE, Outcome.FAILURE, FREE, bench.clock.now_ms())
    assert (stored(bench.table).calls, stored(bench.table).failures) == (2, 2)


def surprised_at(bench: Bench, update: int) -> Table:
    """The table, in which a failure is counted by somebody else just before that update."""
    return surprised(bench, lambda: fail(bench), update=update)


def what_was_counted_late_is_not_of_the_new_window(bench: Bench) -> None:
    before_ms = bench.clock.now_ms()
    bench.clock.pass_seconds(WINDOW_MS / 1000)
    fail(bench)
    breakers_of(bench).note(ROUTE, Outcome.FAILURE, FREE, before_ms)
    assert stored(bench.table).calls == 1
    assert stored(bench.table).window_at_ms == window_of(bench.clock.now_ms())


def a_breaker_that_is_open_is_not_opened_again(bench: Bench) -> None:
    until_ms = opened(bench)
    bench.clock.pass_seconds(10)
    fail(bench)
    breakers_of(bench).note(ROUTE, Outcome.UNUSABLE, FREE, bench.clock.now_ms())
    assert stored(bench.table).open_until_ms == until_ms


def one_probe_at_a_time_is_let_through(bench: Bench) -> None:
    opened(bench)
    bench.clock.pass_seconds(COOL_DOWN_MS / 1000)
    seen, now_ms = stored(bench.table), bench.clock.now_ms()
    given = [breakers_of(bench, seen=seen).admit(ROUTE, now_ms) for _ in range(2)]
    assert [each is not None for each in given] == [True, False]


def a_probe_that_succeeds_closes(bench: Bench) -> None:
    opened(bench)
    bench.clock.pass_seconds(COOL_DOWN_MS / 1000)
    probe = breakers_of(bench).admit(ROUTE, bench.clock.now_ms())
    assert probe is not None
    breakers_of(bench).note(ROUTE, Outcome.SUCCESS, probe, bench.clock.now_ms())
    assert stored(bench.table).open_until_ms is None


def a_probe_that_ran_out_says_nothing_about_the_next(bench: Bench) -> None:
    opened(bench)
    bench.clock.pass_seconds(COOL_DOWN_MS / 1000)
    first = breakers_of(bench).admit(ROUTE, bench.clock.now_ms())
    bench.clock.pass_seconds(PROBE_LEASE_MS / 1000)
    second = breakers_of(bench).admit(ROUTE, bench.clock.now_ms())
    assert first is not None
    assert second is not None
    before = stored(bench.table)
    for outcome in (Outcome.SUCCESS, Outcome.FAILURE):
        breakers_of(bench).note(ROUTE, outcome, first, bench.clock.now_ms())
    assert stored(bench.table) == before


def closing_a_route_that_never_failed_writes_nothing(bench: Bench) -> None:
    breakers_of(bench).close(ROUTE)
    assert bench.table.get(*breaker_key(ROUTE.name)) is None


def the_first_call_of_an_output_is_made_once(bench: Bench) -> None:
    job = bench.begin(bench.accept(bench.account(PRICE)))
    bench.jobs.note_call(job, 0, call())
    with pytest.raises(CallTaken):
        bench.jobs.note_call(job, 0, call(mark="another's"))
    assert bench.job(job).calls == {0: call()}


def a_call_is_followed_by_one(bench: Bench) -> None:
    job = asked(bench)
    bench.jobs.note_call(job, 0, call(2))
    with pytest.raises(CallTaken):
        bench.jobs.note_call(job, 0, call(2, mark="another's"))
    assert bench.job(job).calls == {0: call(2)}


def a_reference_is_of_the_call_it_came_for(bench: Bench) -> None:
    job = asked(bench)
    bench.jobs.note_call(job, 0, call(2))
    with pytest.raises(CallTaken):
        bench.jobs.note_provider_ref(job, 0, "ref of the first")
    assert bench.job(job).provider_refs == {}


def nobody_is_asked_for_a_closed_job(bench: Bench) -> None:
    unasked = bench.begin(bench.accept(bench.account(PRICE)))
    under_way = asked(bench)
    for job in (unasked, under_way):
        bench.fail(job)
        with pytest.raises(JobClosed):
            bench.jobs.note_call(job, 0, call(2))
        assert bench.job(job).calls == job.calls


def a_late_callback_is_not_noted(bench: Bench) -> None:
    job = asked(bench)
    bench.fail(job)
    with pytest.raises(JobClosed):
        bench.jobs.note_callback(job, "digest")
    assert bench.job(job).callbacks == frozenset()


def a_write_that_was_made_twice_is_ones_own(bench: Bench) -> None:
    job = asked(bench)
    again = replace(job, calls={})
    assert bench.jobs.note_call(again, 0, call()).calls == job.calls


def the_stage_is_told_which_providers_have_a_key(bench: Bench) -> None:
    board = DynamoDbBoard(bench.table, lambda: [ROUTE], ["fal", "openai"], bench.clock, lifetime_ms=0)
    assert board().keyed == frozenset()
    board.note_key("fal", there=True)
    assert board().keyed == {"fal"}
    board.note_key("fal", there=False)
    assert board().keyed == frozenset()
