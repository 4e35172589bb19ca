"""Whatever breaks while providers are asked: no submit is repeated blindly, and nobody waits for ever."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator

import pytest

from shoal.domain.errors import (
    OutcomeUnknown,
    ProviderBusy,
    ProviderFailed,
    ProviderRejected,
    ProviderUnusable,
    ShoalError,
    Unavailable,
)
from shoal.domain.provider import Answer, Done, Pending, ProviderOutput
from shoal.domain.routing import Phase
from shoal.ports.jobs import Look
from tests.fakes import Fault, TaskAnswer, made
from tests.support.executions import Crash
from tests.worlds.routing_world import Routing

URL = Done(ProviderOutput(url="https://files.example.com/1.png"))
STORIES: dict[str, list[Answer | Exception]] = {
    "at once": [],
    "later": [Pending("ref-1", 5)],
    "by address": [Pending("ref-1", 5), URL],
    "busy at first": [ProviderBusy("429", retry_after_seconds=3)],
    "busy for long": [ProviderBusy("429", retry_after_seconds=3)] * 4,
    "no picture": [made(b"junk")],
    "no picture later": [Pending("ref-1", 5), made(b"junk")],
    "failing": [ProviderFailed("No.")],
    "failing later": [Pending("ref-1", 5), ProviderFailed("No.")],
    "unusable": [ProviderUnusable("bad key")],
    "refusing": [ProviderRejected("Refused.")],
    "unknown": [OutcomeUnknown("lost")],
}
FAULTS = {
    "dies before": (Crash, False),
    "dies after": (Crash, True),
    "is out of reach": (Unavailable, False),
    "loses the reply": (Unavailable, True),
}
MISTAKES_MAX = 3


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def tell(script: list[Answer | Exception], faults: list[Fault], *, idempotent: bool) -> Routing:
    """Run over an output again and again until nobody looks at it any more, with these faults in it."""
    routing = Routing(idempotent=idempotent)
    routing.upstreams["first"].script = list(script)
    routing.network.calls.clear()
    routing.network.faults = faults
    for _ in range(MISTAKES_MAX):
        try:
            routing.run_all()
        except (ShoalError, Crash):
            routing.clock.pass_seconds(1)  # the queue or the state machine runs it again
        else:
            break
    return routing


def starts(routing: Routing) -> Counter[str]:
    """How often each call, by its idempotency key, reached a provider and was not turned down."""
    return Counter(request.idempotency_key for request in routing.requests())


@pytest.mark.parametrize("script", STORIES.values(), ids=STORIES)
@pytest.mark.parametrize(("error", "lost_reply"), FAULTS.values(), ids=FAULTS)
def test_a_fault_at_any_single_call_repeats_no_submit(
    script: list[Answer | Exception], error: type[BaseException], lost_reply: bool
) -> None:
    turned_down = sum(isinstance(answer, ProviderBusy) for answer in script)
    for index in range(len(tell(script, [], idempotent=False).network.calls)):
        routing = tell(script, [Fault(error(), index=index, lost_reply=lost_reply)], idempotent=False)

        broken = routing.network.calls[index]
        kept_nothing = broken == "staging.put" and error is Unavailable and not lost_reply
        for key, count in starts(routing).items():
            first = not key.endswith(("-2", "-3"))
            assert count <= 1 + (turned_down + kept_nothing if first else kept_nothing), broken


@pytest.mark.parametrize("error", [Crash, Unavailable], ids=["dies", "is out of reach"])
@pytest.mark.parametrize(("broken", "lost_reply"), [("staging.put", True), ("tokens.succeed", False)])
def test_an_output_that_nobody_was_told_of_is_not_lost(
    error: type[BaseException], broken: str, lost_reply: bool
) -> None:
    routing = tell([], [Fault(error(), name=broken, lost_reply=lost_reply)], idempotent=False)
    routing.network.heal()

    assert routing.run() == "done"

    assert routing.asked() == ["first"]
    assert routing.answer == TaskAnswer(output={"output": {"key": routing.staged}})


@pytest.mark.parametrize("script", STORIES.values(), ids=STORIES)
@pytest.mark.parametrize(("error", "lost_reply"), FAULTS.values(), ids=FAULTS)
def test_an_idempotent_provider_is_asked_until_it_answers(
    script: list[Answer | Exception], error: type[BaseException], lost_reply: bool
) -> None:
    if any(isinstance(answer, OutcomeUnknown | ProviderRejected) for answer in script):
        return
    for index in range(len(tell(script, [], idempotent=True).network.calls)):
        routing = tell(script, [Fault(error(), index=index, lost_reply=lost_reply)], idempotent=True)

        assert routing.answer is not None, routing.network.calls[index]
        assert routing.answer.error is None


def test_a_crash_between_the_note_and_the_submit_is_an_unknown_outcome() -> None:
    routing = tell([], [Fault(Crash(), name="first.start")], idempotent=False)

    assert routing.job.calls[0].phase is Phase.ASKED
    assert routing.asked() == ["first"]
    routing.network.heal()
    assert routing.run_all() == "ProviderTimeout"
    assert routing.asked() == ["first"]
    assert routing.answer is not None
    assert routing.answer.error == "ProviderTimeout"


def test_a_run_beside_another_leaves_the_output_to_it() -> None:
    routing = Routing()
    outcomes: list[str] = []
    routing.network.before("jobs.note_call", lambda: outcomes.append(routing.run()))

    assert routing.run() == "pending"

    assert (outcomes, routing.asked()) == (["done"], ["first"])


def test_a_job_that_is_closed_before_the_note_is_not_asked_for() -> None:
    routing = Routing()
    routing.network.before("jobs.note_call", routing.close)

    assert routing.run() == "closed"
    assert routing.asked() == []


def test_work_of_a_closed_job_is_canceled_where_it_lies() -> None:
    routing = Routing()
    routing.upstreams["first"].script = [ProviderFailed("No.")]
    routing.upstreams["second"].script = [Pending("ref-2", 5)]
    routing.run()
    routing.close()

    assert routing.poll(Look(routing.job.account_id, routing.job.id, 0), "receipt") == "closed"
    assert routing.upstreams["second"].canceled == ["ref-2"]
    assert routing.upstreams["first"].canceled == []
