"""Routing: hints and deadlines are kept to by every run, and what was delivered is judged by its use."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shoal.domain.breaker import CALLS_MIN, Outcome
from shoal.domain.errors import (
    OutputInvalid,
    ProviderBusy,
    ProviderTimeout,
    ResponseInvalid,
    ShoalError,
    Unavailable,
)
from shoal.domain.job import HoldState, JobFailure, JobStatus
from shoal.domain.provider import Done, Pending, ProviderOutput
from shoal.ports.jobs import Look
from tests.worlds.routing_world import FIRST, Routing

URL = Done(ProviderOutput(url="https://files.example.com/1.png"))


def test_a_hint_longer_than_a_message_waits_is_kept_to() -> None:
    only = Routing(FIRST)
    only.upstreams["first"].script = [ProviderBusy("429", retry_after_seconds=100)]
    began_ms = only.clock.ms

    assert only.run_all() == "done"

    assert [message.delay_seconds for message in only.poll_queue.messages] == [60, 40]
    assert only.clock.ms - began_ms == 100_000
    assert only.asked() == ["first", "first"]


def test_a_repeated_message_does_not_ask_before_the_hint_is_over() -> None:
    routing = Routing()
    routing.upstreams["first"].script = [ProviderBusy("429", retry_after_seconds=7)]
    routing.run()

    assert routing.run() == "pending"
    assert routing.asked() == ["first"]
    assert routing.job.calls[0].tries == 1


def test_a_busy_route_is_not_asked_after_the_deadline() -> None:
    only = Routing(FIRST)
    only.upstreams["first"].script = [ProviderBusy("429", retry_after_seconds=170)]
    only.run()
    only.clock.pass_seconds(180)

    assert only.run() == "ProviderTimeout"
    assert only.asked() == ["first"]


@pytest.mark.parametrize("error", [ResponseInvalid("403"), OutputInvalid("junk")])
def test_a_route_whose_outputs_are_of_no_use_is_left_alone(error: ShoalError) -> None:
    routing = Routing()
    for _ in range(CALLS_MIN):
        job = Routing(breakers=routing.breakers)
        job.upstreams["first"].script = [Pending("ref-1", 5), *[URL] * 9]
        job.fetcher.script = [error] * 3
        assert job.run_all() == "done"

    assert (FIRST.name, Outcome.FAILURE) in routing.breakers.noted
    assert routing.breakers.admit(FIRST, routing.clock.ms) is None


def test_a_probe_that_delivers_junk_does_not_close_its_breaker() -> None:
    routing = Routing()
    routing.open(FIRST, ago_s=300)
    routing.upstreams["first"].script = [URL]
    routing.fetcher.script = [OutputInvalid("junk")]

    assert routing.run() == "done"

    assert routing.asked() == ["first", "second"]
    assert routing.breakers.breakers[FIRST.name].trips == 2


def test_an_output_that_could_not_be_kept_is_no_fault_of_its_route() -> None:
    routing = Routing()
    routing.open(FIRST, ago_s=300)
    routing.network.fail("staging.put", Unavailable())
    with pytest.raises(Unavailable):
        routing.run()

    assert routing.breakers.admit(FIRST, routing.clock.ms), "its probe closed the breaker"


def test_a_route_that_never_delivers_is_left_alone() -> None:
    routing = Routing()
    routing.upstreams["first"].script = [Pending("ref-1", 5)]
    routing.run()
    timed_out = JobFailure(ProviderTimeout.code, str(ProviderTimeout(180)))
    routing.tables.put(
        replace(routing.job, status=JobStatus.FAILED, hold_state=HoldState.RELEASED, failure=timed_out)
    )

    for _ in range(CALLS_MIN):
        assert routing.poll(Look(routing.job.account_id, routing.job.id, 0, once=True), "receipt") == "closed"

    assert routing.upstreams["first"].canceled == ["ref-1"] * CALLS_MIN
    assert routing.breakers.admit(FIRST, routing.clock.ms) is None


def test_a_canceled_job_says_nothing_of_its_route() -> None:
    routing = Routing()
    routing.upstreams["first"].script = [Pending("ref-1", 5)]
    routing.run()
    routing.close()
    noted = len(routing.breakers.noted)

    routing.poll(Look(routing.job.account_id, routing.job.id, 0, once=True), "receipt")

    assert len(routing.breakers.noted) == noted
