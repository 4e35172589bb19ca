"""CallProvider: the token is kept before the provider gets the job, and its answer ends the task."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pytest

from shoal.domain.breaker import Breaker
from shoal.domain.brief import Brief, Kind
from shoal.domain.catalog import load_catalog, size_px
from shoal.domain.errors import (
    JobClosed,
    NotFound,
    OutputInvalid,
    ProviderBusy,
    ProviderFailed,
    ProviderRejected,
    ProviderTimeout,
    Unavailable,
)
from shoal.domain.job import LOOK_AGAIN_MS, Job, JobStatus
from shoal.domain.provider import Pending, ProviderRequest
from shoal.domain.routing import SIMULATED
from shoal.use_cases.providers.resolve_answer import POLL_SECONDS_MAX
from tests.fakes import PollMessage, TaskAnswer, made
from tests.worlds.world import Customer, World


def call(world: World, job: Job, index: int = 0) -> str:
    """Run the state for one output with a fresh token; the outcome."""
    return world.call_provider(job.account_id, job.id, index, world.tokens.issue())[1]


def answer(world: World) -> TaskAnswer:
    """The one answer a task got."""
    (given,) = world.tokens.answers.values()
    return given


def test_an_answer_at_once_is_staged_and_ends_the_task(world: World, customer: Customer) -> None:
    job = world.queued(customer)

    assert call(world, job) == "done"

    key = f"{job.account_id}/{job.id}/0"
    assert answer(world) == TaskAnswer(output={"output": {"key": key}})
    assert world.staging.objects == {key: b"picture"}
    assert world.poll_queue.messages == []


def test_several_outputs_are_staged_one_by_one(world: World, customer: Customer) -> None:
    job = world.queued(customer, model="nanobanana", num_outputs=2)
    world.provider.script = [made(b"one"), made(b"two")]

    assert [call(world, job, index) for index in (0, 1)] == ["done", "done"]

    keys = [f"{job.account_id}/{job.id}/{index}" for index in (0, 1)]
    assert world.staging.objects == dict(zip(keys, [b"one", b"two"], strict=True))
    assert [given.output for given in world.tokens.answers.values()] == [
        {"output": {"key": key}} for key in keys
    ]


def test_a_begun_job_is_processing_with_its_token_and_a_deadline(world: World, customer: Customer) -> None:
    job = world.queued(customer)
    world.provider.script = [Pending("ref-1", 1)]
    world.clock.pass_seconds(2)

    call(world, job)

    begun = world.now(job)
    assert begun.status is JobStatus.PROCESSING
    assert begun.started_at_ms == world.clock.ms
    assert set(begun.task_tokens) == {0}
    assert begun.task_tokens[0] in world.tokens.waiting
    assert begun.deadline_at_ms == world.clock.ms + LOOK_AGAIN_MS
    assert begun.waits_until_ms == job.created_at_ms + 180_000, "an image is timed from its acceptance"


def test_a_task_is_timed_from_when_its_provider_is_asked(world: World, customer: Customer) -> None:
    job = world.queued(customer, model="nanobanana")
    world.provider.script = [Pending("ref-1", 1)]
    world.clock.pass_seconds(100)

    call(world, job)

    begun = world.now(job)
    assert begun.waits_until_ms == begun.calls[0].answer_by_ms == world.clock.ms + 180_000


def test_the_token_is_stored_before_the_provider_is_asked(world: World, customer: Customer) -> None:
    job = world.queued(customer)
    world.network.calls.clear()

    call(world, job)

    order = world.network.calls
    assert order.index("jobs.note_call") < order.index("bus.publish") < order.index("provider.start")


def test_the_beginning_and_the_call_are_one_write(world: World, customer: Customer) -> None:
    job = world.queued(customer)
    world.network.calls.clear()

    call(world, job)

    assert [name for name in world.network.calls if name.startswith("jobs.")] == [
        "jobs.get",
        "jobs.note_call",
    ]


def test_nobody_is_asked_for_a_job_whose_beginning_is_not_announced(world: World, customer: Customer) -> None:
    job = world.queued(customer)
    world.provider.idempotent = False
    world.network.fail("bus.publish", Unavailable())
    with pytest.raises(Unavailable):
        call(world, job)
    assert world.provider.started == []
    world.network.heal()

    assert call(world, job) == "done"

    assert world.bus.types() == ["job.created", "job.processing"]


def test_a_beginning_that_may_not_have_been_announced_is_announced_with_the_end(
    world: World, customer: Customer
) -> None:
    job = world.queued(customer)
    world.network.fail("bus.publish", Unavailable())
    with pytest.raises(Unavailable):
        call(world, job)
    world.network.heal()

    world.cancel_job(customer.caller, job.id)

    assert world.bus.types()[:2] == ["job.created", "job.processing"]


def test_a_task_waits_with_its_own_token_where_another_run_was_faster(
    world: World, customer: Customer
) -> None:
    job = world.queued(customer)
    faster = world.tokens.issue()

    def meanwhile() -> None:
        world.provider.script = [Pending("ref-1", 1)]
        world.call_provider(job.account_id, job.id, 0, faster)

    world.network.before("jobs.note_call", meanwhile)

    assert call(world, job) == "pending"

    assert world.now(job).task_tokens[0] != faster
    assert len(world.provider.started) == 1


def test_simulated_work_is_left_to_the_function_that_carries_what_it_takes(
    world: World, customer: Customer
) -> None:
    job = world.queued(customer)
    resolve = replace(world.resolve, simulates=False)

    _, outcome = replace(world.call_provider, resolve=resolve)(job.account_id, job.id, 0, "token")

    assert outcome == "pending"
    assert world.provider.started == []
    assert world.now(job).task_tokens == {0: "token"}
    assert world.bus.types() == ["job.created", "job.processing"]
    assert world.poll_queue.messages == [PollMessage.of(job, 0)]


def test_events_announce_that_the_job_began(world: World, customer: Customer) -> None:
    call(world, world.queued(customer))

    assert world.bus.types() == ["job.created", "job.processing"]


def test_the_provider_is_asked_for_the_job_as_it_was_submitted(world: World, customer: Customer) -> None:
    job = world.queued(customer, mode="4k", aspect_ratio="9:16", seed=7)

    call(world, job)

    width_px, height_px = size_px(load_catalog().modes["4k"].long_side_px, "9:16")
    assert world.provider.started == [
        ProviderRequest(
            idempotency_key=f"{job.id}-0",
            brief=Brief(Kind.PICTURE, "shoal-image", "A shark", "9:16", width_px, height_px, seed=7),
            submitted_at_ms=job.created_at_ms,
            callback_url=world.callback_urls.url(job, 0, world.now(job).calls[0]),
        )
    ]


def test_a_pending_answer_is_asked_after_later(world: World, customer: Customer) -> None:
    job = world.queued(customer)
    world.provider.script = [Pending("ref-1", 4)]

    assert call(world, job) == "pending"

    assert world.poll_queue.messages == [PollMessage.of(job, 4, looks=1)]
    assert world.now(job).provider_refs == {0: "ref-1"}
    assert world.tokens.answers == {}


def test_a_provider_is_asked_again_within_a_minute_whatever_it_says(world: World, customer: Customer) -> None:
    world.provider.script = [Pending("ref-1", 86_400)]

    call(world, world.queued(customer))

    assert [message.delay_seconds for message in world.poll_queue.messages] == [POLL_SECONDS_MAX]


def test_a_busy_provider_is_asked_again_later(world: World, customer: Customer) -> None:
    job = world.queued(customer)
    world.provider.script = [ProviderBusy("at capacity", retry_after_seconds=7)]

    assert call(world, job) == "pending"

    assert world.poll_queue.messages == [PollMessage.of(job, 7, looks=1)]
    assert world.now(job).provider_refs == {}
    assert world.tokens.answers == {}


@pytest.mark.parametrize(
    "error",
    [
        ProviderRejected("The prompt was refused."),
        ProviderFailed("The provider failed."),
        ProviderTimeout(180),
        OutputInvalid("Not a picture."),
    ],
)
def test_an_error_that_ends_the_job_fails_the_task_under_its_name(
    world: World, customer: Customer, error: Exception
) -> None:
    world.provider.script = [error]

    outcome = call(world, world.queued(customer))

    assert outcome == type(error).__name__
    assert answer(world) == TaskAnswer(error=type(error).__name__, cause=str(error))


def test_an_error_nobody_foresaw_passes_through(world: World, customer: Customer) -> None:
    world.provider.script = [RuntimeError("out of memory")]

    with pytest.raises(RuntimeError):
        call(world, world.queued(customer))

    assert world.tokens.answers == {}


def test_a_job_that_ended_before_it_began_is_not_asked_for(world: World, customer: Customer) -> None:
    job = world.queued(customer)
    world.cancel_job(customer.caller, job.id)
    world.bus.published.clear()

    with pytest.raises(JobClosed):
        call(world, job)

    assert world.provider.started == []
    assert world.bus.published == []


def test_a_job_canceled_while_the_provider_worked_is_not_polled(world: World, customer: Customer) -> None:
    world.provider.bills = False
    job = world.queued(customer)

    world.provider.script = [Pending("ref-1", 1)]
    world.network.before("provider.start", lambda: world.cancel_job(customer.caller, job.id))

    with pytest.raises(JobClosed):
        call(world, job)
    assert world.poll_queue.messages == []


def test_an_unknown_provider_ends_the_job_and_an_unknown_job_is_an_error(
    world: World, customer: Customer
) -> None:
    job = world.queued(customer)
    world.providers.providers.clear()

    assert call(world, job) == "ProviderFailed"
    with pytest.raises(NotFound):
        world.call_provider(job.account_id, "job_unknown", 0, "token")


def test_a_late_answer_after_the_deadline_is_ignored(world: World, customer: Customer) -> None:
    job = world.queued(customer)
    token = world.tokens.issue()
    world.tokens.expire(token)

    assert world.call_provider(job.account_id, job.id, 0, token)[1] == "done"
    assert world.tokens.answers == {}


def test_the_state_run_again_keeps_the_start_and_the_events(world: World, customer: Customer) -> None:
    job = world.queued(customer)
    world.network.fail("provider.start", Unavailable())
    with pytest.raises(Unavailable):
        call(world, job)
    world.network.heal()
    started_at_ms = world.now(job).started_at_ms
    world.clock.pass_seconds(3)

    call(world, job)

    assert world.now(job).started_at_ms == started_at_ms
    for event_type in ("job.created", "job.processing"):
        assert list(world.bus.ids(event_type).values()) == [2]


def test_an_execution_that_takes_over_asks_nobody_for_what_is_staged(
    world: World, customer: Customer
) -> None:
    job = world.asked(world.processing(customer), ref="ref-1")
    key = world.staging.put(job, 0, BytesIO(b"picture"))
    world.jobs.start_again(job)
    world.network.calls.clear()

    assert call(world, job) == "done"

    assert answer(world) == TaskAnswer(output={"output": {"key": key}})
    assert not [name for name in world.network.calls if name.startswith("provider.")]


def test_waiting_ends_at_the_deadline(world: World, customer: Customer) -> None:
    job = world.queued(customer)
    world.provider.script = [Pending("ref-1", 600), Pending("ref-1", 600)]
    world.clock.pass_seconds(170)

    assert call(world, job) == "pending"
    (look,) = world.poll_queue.messages
    assert look.delay_seconds == 10
    world.clock.pass_seconds(look.delay_seconds)

    assert world.poll_provider(look.look, "receipt") == "ProviderTimeout"
    assert answer(world).error == "ProviderTimeout"
    assert len(world.poll_queue.messages) == 1


def test_a_route_that_never_opens_is_waited_for_until_the_deadline(world: World, customer: Customer) -> None:
    job, began_ms = world.queued(customer, model="nanobanana"), world.clock.ms
    world.breakers.breakers[SIMULATED.name] = Breaker(open_until_ms=began_ms + 3_600_000)
    assert call(world, job) == "pending"

    for seconds in range(60, 180, 60):
        world.clock.ms = began_ms + seconds * 1000
        assert world.sweep_jobs() == {"left": 1}
        look = world.poll_queue.messages[-1].look
        assert (look.once, world.poll_provider(look, "receipt")) == (True, "pending")
    world.clock.ms = began_ms + 180_000

    assert world.poll_provider(look, "receipt") == "JobExpired"


def test_a_job_that_begins_too_late_blames_no_provider(world: World, customer: Customer) -> None:
    job = world.queued(customer)
    world.clock.pass_seconds(180)

    assert call(world, job) == "JobExpired"

    told = "No provider could be asked in time. No charge was applied."
    assert answer(world) == TaskAnswer(error="JobExpired", cause=told)
    assert world.now(job).calls == {}
