"""Routing: what a route's answer leads to where its output is not there, or is none."""

from __future__ import annotations

import pytest

from shoal.domain.breaker import Outcome
from shoal.domain.errors import ProviderFailed, ResponseInvalid, Unavailable
from shoal.domain.provider import Answer, Done, Pending, ProviderOutput
from tests.fakes import TaskAnswer, made
from tests.worlds.routing_world import Routing

URL = Done(ProviderOutput(url="https://files.example.com/1.png"))

JUNK = made(b"junk")


@pytest.fixture
def routing() -> Routing:
    return Routing()


AT_ONCE = Done(URL.output, "ref-1"), made(b"picture", "ref-1")


def test_work_that_ended_at_once_is_asked_for_a_file_that_is_not_there_yet(routing: Routing) -> None:
    routing.upstreams["first"].script = [AT_ONCE[0]] * 2
    routing.fetcher.script = [ResponseInvalid("404")]

    assert routing.run_all() == "done"

    assert routing.asked() == ["first"]
    assert [ref for ref, _ in routing.upstreams["first"].checked] == ["ref-1"]


@pytest.mark.parametrize("answer", AT_ONCE, ids=["address", "bytes"])
def test_work_that_ended_at_once_is_not_done_again_because_s3_was_away(
    routing: Routing, answer: Done
) -> None:
    routing.upstreams["first"].script = [answer] * 2
    port = "fetcher.fetch" if answer.output.url else "staging.put"
    routing.network.fail(port, Unavailable())
    with pytest.raises(Unavailable):
        routing.run()
    routing.network.heal()

    assert routing.run() == "done"

    assert routing.asked() == ["first"]
    assert [ref for ref, _ in routing.upstreams["first"].checked] == ["ref-1"]


@pytest.mark.parametrize("gone", [ProviderFailed("It is gone."), JUNK], ids=["refused", "junk"])
def test_no_other_route_is_paid_for_an_output_that_is_staged_already(
    routing: Routing, gone: Answer | ProviderFailed
) -> None:
    routing.upstreams["first"].script = [Pending("ref-1", 5), made(b"picture"), gone]
    assert routing.run() == "pending"
    routing.network.fail("tokens.succeed", Unavailable())
    with pytest.raises(Unavailable):
        routing.run()
    routing.network.heal()

    assert routing.run() == "done"

    assert routing.asked() == ["first"]
    assert routing.answer == TaskAnswer(output={"output": {"key": routing.staged}})


@pytest.mark.parametrize("script", [[JUNK], [Pending("ref-1", 5), JUNK]], ids=["at once", "later"])
def test_bytes_that_are_no_picture_lead_to_the_next_route(routing: Routing, script: list[Answer]) -> None:
    routing.upstreams["first"].script = [*script]

    assert routing.run_all() == "done"

    assert routing.asked() == ["first", "second"]
    assert routing.staging.objects == {routing.staged: b"picture"}
    assert ("first/one/a", Outcome.FAILURE) in routing.breakers.noted
    assert [route for route, _ in routing.meter.deliveries] == ["second/b"]


def test_bytes_that_are_no_picture_from_every_route_fail_the_output(routing: Routing) -> None:
    for upstream in routing.upstreams.values():
        upstream.script = [JUNK]

    assert routing.run() == "OutputInvalid"
    assert routing.asked() == ["first", "second", "third"]
    assert routing.answer == TaskAnswer(
        error="OutputInvalid", cause="The provider did not deliver a readable image."
    )
