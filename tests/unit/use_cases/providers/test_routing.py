"""Routing: which provider is asked for an output, and what each error of each provider leads to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shoal.domain.breaker import Outcome
from shoal.domain.errors import (
    OutcomeUnknown,
    OutputInvalid,
    ProviderBusy,
    ProviderFailed,
    ProviderRejected,
    ProviderUnusable,
    ResponseInvalid,
    ShoalError,
    Unavailable,
)
from shoal.domain.provider import Done, Pending, ProviderOutput
from shoal.domain.routing import BUSY_TRIES_MAX, PATIENCE_S, Phase, ProviderCall, Route
from shoal.use_cases.providers.ask_provider import LOOK_AGAIN_S
from shoal.use_cases.providers.choose_route import NOBODY
from shoal.use_cases.providers.stage_output import FETCH_TRIES_MAX
from tests.fakes import TaskAnswer
from tests.worlds.routing_world import FIRST, SECOND, THIRD, Routing

NEXT = [ProviderFailed("No."), ProviderUnusable("bad key"), OutputInvalid("junk")]
URL = Done(ProviderOutput(url="https://files.example.com/1.png"))


@pytest.fixture
def routing() -> Routing:
    return Routing()


def test_the_first_route_is_asked_by_its_own_name_for_the_model(routing: Routing) -> None:
    assert routing.run() == "done"

    (request,) = routing.requests()
    assert (routing.asked(), request.provider_model) == (["first"], "one/a")
    assert request.idempotency_key == f"{routing.job.id}-0"
    assert request.callback_url.split("/")[-2].endswith(".0.1")
    assert routing.meter.deliveries == [("first/one/a", 100)]


@pytest.mark.parametrize("error", NEXT, ids=lambda error: type(error).__name__)
def test_a_failure_of_the_providers_leads_to_the_next_route(routing: Routing, error: ShoalError) -> None:
    routing.upstreams["first"].script = [error]

    assert routing.run() == "done"

    assert routing.asked() == ["first", "second"]
    assert routing.requests()[1].idempotency_key == f"{routing.job.id}-0-2"
    assert routing.requests()[1].callback_url.split("/")[-2].endswith(".0.2")
    assert routing.answer == TaskAnswer(output={"output": {"key": routing.staged}})


@pytest.mark.parametrize("error", NEXT, ids=lambda error: type(error).__name__)
def test_work_that_failed_later_is_given_to_the_next_route(routing: Routing, error: ShoalError) -> None:
    routing.upstreams["first"].script = [Pending("ref-1", 5), error]

    assert routing.run_all() == "done"

    assert routing.asked() == ["first", "second"]
    assert routing.job.provider_refs == {}, "the reference of the first is none of the second's"


def test_the_callers_fault_asks_nobody_else_and_counts_against_nobody(routing: Routing) -> None:
    routing.upstreams["first"].script = [ProviderRejected("Refused.")]

    assert routing.run() == "ProviderRejected"

    assert routing.asked() == ["first"]
    assert routing.answer == TaskAnswer(error="ProviderRejected", cause="Refused.")
    assert routing.breakers.noted == [("first/one/a", Outcome.SUCCESS)]


def test_a_busy_route_is_asked_again_after_its_hint(routing: Routing) -> None:
    routing.upstreams["first"].script = [ProviderBusy("429", retry_after_seconds=7)]

    assert routing.run() == "pending"
    assert [message.delay_seconds for message in routing.poll_queue.messages] == [7]
    assert routing.job.calls[0].phase is Phase.DUE
    assert routing.run_all() == "done"
    assert routing.asked() == ["first", "first"]
    assert {request.idempotency_key for request in routing.requests()} == {f"{routing.job.id}-0"}


def test_a_route_that_stays_busy_is_left_for_the_next(routing: Routing) -> None:
    routing.upstreams["first"].script = [ProviderBusy("429", retry_after_seconds=1)] * 9

    assert routing.run_all() == "done"

    assert routing.asked() == ["first"] * BUSY_TRIES_MAX + ["second"]


def test_a_route_that_wants_long_pauses_is_left_at_once(routing: Routing) -> None:
    routing.upstreams["first"].script = [ProviderBusy("429", retry_after_seconds=PATIENCE_S + 1)]

    assert routing.run() == "done"
    assert routing.asked() == ["first", "second"]


def test_the_last_busy_route_is_asked_until_the_deadline(routing: Routing) -> None:
    only = Routing(FIRST)
    only.upstreams["first"].script = [ProviderBusy("429", retry_after_seconds=30)] * 99

    assert only.run_all() == "timeout"
    assert len(only.asked()) == 6
    assert only.answer is None, "the state machine's own time-out ends it"


def test_a_busy_route_whose_breaker_opened_is_left(routing: Routing) -> None:
    routing.upstreams["first"].script = [ProviderBusy("429", retry_after_seconds=7)]
    routing.run()
    routing.clock.pass_seconds(7)
    routing.open(FIRST)

    assert routing.run() == "done"
    assert routing.asked() == ["first", "second"]


def test_a_question_that_found_the_provider_busy_moves_nothing(routing: Routing) -> None:
    routing.upstreams["first"].script = [Pending("ref-1", 5), ProviderBusy("503", retry_after_seconds=9)]

    assert routing.run_all() == "done"

    assert routing.asked() == ["first"]
    assert [message.delay_seconds for message in routing.poll_queue.messages] == [5, 9]


def test_a_submit_of_unknown_outcome_is_not_sent_again(routing: Routing) -> None:
    routing.upstreams["first"].script = [OutcomeUnknown("lost")]

    assert routing.run_all() == "timeout"

    assert routing.asked() == ["first"]
    assert {message.delay_seconds for message in routing.poll_queue.messages} == {LOOK_AGAIN_S}


def test_a_callback_resolves_a_submit_of_unknown_outcome(routing: Routing) -> None:
    routing.upstreams["first"].script = [OutcomeUnknown("lost")]
    routing.upstreams["first"].callback = Pending("ref-9", 0)
    routing.run()
    provider, job_key, mac = routing.requests()[0].callback_url.split("/")[-3:]

    routing.receive(provider, job_key, mac, {}, b"done")

    assert routing.run() == "done"
    assert routing.asked() == ["first"]
    assert [ref for ref, _ in routing.upstreams["first"].checked] == ["ref-9"]


def test_the_last_error_ends_the_job_when_all_routes_failed(routing: Routing) -> None:
    for name in ("first", "second"):
        routing.upstreams[name].script = [ProviderUnusable("bad key")]
    routing.upstreams["third"].script = [ProviderFailed("The third failed.")]

    assert routing.run() == "ProviderFailed"
    assert routing.answer == TaskAnswer(error="ProviderFailed", cause="The third failed.")


def test_what_an_operator_has_to_repair_is_not_shown_to_the_caller(routing: Routing) -> None:
    for upstream in routing.upstreams.values():
        upstream.script = [ProviderUnusable("key sk-123 of account acme is bad")]

    assert routing.run() == "ProviderFailed"
    assert routing.answer == TaskAnswer(error="ProviderFailed", cause=NOBODY)
    assert [outcome for _, outcome in routing.meter.exchanges] == ["ProviderUnusable"] * 3


def test_routes_without_a_key_are_passed_over(routing: Routing) -> None:
    routing.providers.keyless = {"first", "second"}

    assert routing.run() == "done"
    assert routing.asked() == ["third"]


def test_no_key_at_all_ends_the_job(routing: Routing) -> None:
    routing.providers.keyless = {"first", "second", "third"}

    assert routing.run() == "ProviderFailed"
    assert routing.asked() == []


def test_open_routes_are_waited_for(routing: Routing) -> None:
    for route in routing.routes:
        routing.open(route, ago_s=250)

    assert routing.run() == "pending"
    assert routing.asked() == []
    assert routing.run_all() == "done"
    assert routing.asked() == ["first"]
    assert routing.breakers.breakers["first/one/a"].open_until_ms is None, "its probe closed the breaker"


def test_one_job_at_a_time_probes_a_route(routing: Routing) -> None:
    routing.open(FIRST, ago_s=300)
    routing.upstreams["first"].script = [ProviderFailed("Still.")]
    assert routing.breakers.admit(FIRST, routing.clock.ms), "somebody else's probe"

    assert routing.run() == "done"
    assert routing.asked() == ["second"]


def test_a_probe_that_fails_opens_the_route_for_longer(routing: Routing) -> None:
    routing.open(FIRST, ago_s=300)
    routing.upstreams["first"].script = [ProviderUnusable("bad key")]

    assert routing.run() == "done"

    assert routing.asked() == ["first", "second"]
    breaker = routing.breakers.breakers["first/one/a"]
    assert (breaker.trips, breaker.open_until_ms) == (2, routing.clock.ms + 600_000)


def test_nobody_is_asked_after_the_deadline(routing: Routing) -> None:
    routing.upstreams["first"].script = [Pending("ref-1", 5), ProviderFailed("No.")]
    routing.run()
    routing.clock.pass_seconds(180)

    assert routing.run() == "ProviderTimeout"
    assert routing.asked() == ["first"]


def test_an_address_that_has_expired_is_asked_for_again(routing: Routing) -> None:
    routing.upstreams["first"].script = [Pending("ref-1", 5), URL, URL]
    routing.fetcher.script = [ResponseInvalid("403")]

    assert routing.run_all() == "done"

    assert len(routing.upstreams["first"].checked) == 2
    assert routing.asked() == ["first"]
    assert routing.meter.deliveries == [("first/one/a", 100)], "one output, paid once"


def test_a_file_that_cannot_be_had_is_a_failure_of_the_provider(routing: Routing) -> None:
    routing.upstreams["first"].script = [Pending("ref-1", 5), *[URL] * 9]
    routing.fetcher.script = [ResponseInvalid("403")] * 9

    assert routing.run_all() == "done"

    assert len(routing.upstreams["first"].checked) == FETCH_TRIES_MAX
    assert routing.asked() == ["first", "second"]


def test_a_file_at_once_that_cannot_be_had_leads_to_the_next_route(routing: Routing) -> None:
    routing.upstreams["first"].script = [URL]
    routing.fetcher.script = [ResponseInvalid("403")]

    assert routing.run() == "done"
    assert routing.asked() == ["first", "second"]


def test_an_output_that_could_not_be_kept_is_asked_for_again(routing: Routing) -> None:
    routing.network.fail("staging.put", Unavailable())
    with pytest.raises(Unavailable):
        routing.run()
    routing.network.heal()

    assert routing.job.calls[0].phase is Phase.DUE
    assert routing.run() == "done"
    assert routing.asked() == ["first", "first"]


def test_a_model_that_left_the_catalog_ends_its_jobs(routing: Routing) -> None:
    submission = routing.job.submission
    gone = replace(submission, brief=replace(submission.brief, model="gone"))
    routing.tables.put(replace(routing.job, submission=gone))

    assert routing.run() == "ProviderFailed"


def test_work_goes_on_at_a_route_that_left_the_catalog(routing: Routing) -> None:
    gone = Routing(THIRD)
    gone.upstreams["first"] = routing.upstreams["first"]
    gone.providers.providers["first"] = routing.upstreams["first"]
    gone.tables.put(
        gone.jobs.note_call(gone.job, 0, ProviderCall(1, FIRST.name, Phase.ASKED)),
    )
    gone.jobs.note_provider_ref(gone.job, 0, "ref-1")

    assert gone.run() == "done"
    assert [ref for ref, _ in routing.upstreams["first"].checked] == ["ref-1"]


def test_a_simulated_job_asks_the_simulator_alone() -> None:
    simulated = Routing(Route(provider="simulator"))

    assert simulated.run() == "done"
    assert simulated.asked() == ["simulator"]
    assert simulated.breakers.noted == []


def test_the_second_route_is_paid_at_its_own_price(routing: Routing) -> None:
    routing.upstreams["first"].script = [ProviderFailed("No.")]

    routing.run()

    assert routing.meter.deliveries == [(SECOND.name, 200)]
    assert routing.meter.exchanges == [(FIRST.name, "ProviderFailed"), (SECOND.name, "done")]
