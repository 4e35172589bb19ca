"""Poll: ask a provider that had not answered yet; the first to answer the token wins."""

from __future__ import annotations

import pytest

from infra.lambdas.registry import POLL_PROVIDER
from shoal.adapters.providers.kit.http import CONNECT_SECONDS, READ_SECONDS
from shoal.domain.errors import (
    JobClosed,
    NotFound,
    OutcomeUnknown,
    ProviderBusy,
    ProviderFailed,
    ProviderRejected,
    ProviderUnusable,
    ShoalError,
    Unavailable,
)
from shoal.domain.job import Job, JobStatus
from shoal.domain.provider import Answer, Pending
from shoal.ports.jobs import Look
from shoal.use_cases.providers.poll_provider import CHECK_S
from shoal.use_cases.providers.resolve_answer import next_look_s
from tests.fakes import PollMessage, TaskAnswer
from tests.worlds.machine import Stage
from tests.worlds.world import DEADLINE_S, Customer, World

RECEIPT = "of the look"


def pending(world: World, customer: Customer, ref: str | None = "ref-1") -> Job:
    """A job whose provider said "not yet"."""
    job = world.processing(customer)
    return world.asked(job, ref) if ref else job


def poll(world: World, job: Job, *script: Answer | Exception, once: bool = False) -> str:
    world.provider.script = list(script)
    look = Look(job.account_id, job.id, 0, once=once, simulated=job.simulated)
    return world.poll_provider(look, RECEIPT)


def test_a_finished_provider_ends_the_task(world: World, customer: Customer) -> None:
    job = pending(world, customer)

    assert poll(world, job) == "done"

    assert [ref for ref, _ in world.provider.checked] == ["ref-1"]
    assert world.tokens.answers["token-1"].output == {"output": {"key": f"{job.account_id}/{job.id}/0"}}
    assert world.poll_queue.messages == []


def test_a_provider_that_is_not_ready_is_asked_again(world: World, customer: Customer) -> None:
    job = pending(world, customer)

    assert poll(world, job, Pending("ref-1", 3)) == "pending"

    assert world.poll_queue.messages == [PollMessage.of(job, 3, looks=1)]


def test_a_look_at_work_is_hidden_no_longer_than_it_takes(world: World, customer: Customer) -> None:
    poll(world, pending(world, customer), Pending("ref-1", 3))

    assert world.poll_queue.hidden == {RECEIPT: CHECK_S}
    assert READ_SECONDS + CONNECT_SECONDS < CHECK_S < POLL_PROVIDER.timeout_seconds < DEADLINE_S


def test_a_look_that_may_begin_a_call_keeps_the_time_of_its_function(
    world: World, customer: Customer
) -> None:
    poll(world, pending(world, customer, ref=None), Pending("ref-1", 3))

    assert world.poll_queue.hidden == {}


def test_a_single_look_is_not_repeated(world: World, customer: Customer) -> None:
    assert poll(world, pending(world, customer), Pending("ref-1", 3), once=True) == "pending"

    assert world.poll_queue.messages == []


def test_a_new_reference_is_kept(world: World, customer: Customer) -> None:
    job = pending(world, customer)

    poll(world, job, Pending("ref-2", 1))

    assert world.now(job).provider_refs == {0: "ref-2"}


def test_a_provider_that_was_too_busy_to_begin_is_started(world: World, customer: Customer) -> None:
    job = pending(world, customer, ref=None)

    assert poll(world, job) == "done"

    assert [request.idempotency_key for request in world.provider.started] == [f"{job.id}-0"]
    assert world.provider.checked == []


@pytest.mark.parametrize("ref", ["ref-1", None])
def test_a_provider_that_is_busy_again_is_asked_again(
    world: World, customer: Customer, ref: str | None
) -> None:
    job = pending(world, customer, ref)

    assert poll(world, job, ProviderBusy("still", retry_after_seconds=9)) == "pending"

    assert [message.delay_seconds for message in world.poll_queue.messages] == [9]
    assert world.now(job).provider_refs.get(0) == ref


def test_a_provider_that_failed_fails_the_task(world: World, customer: Customer) -> None:
    job = pending(world, customer)

    assert poll(world, job, ProviderFailed("No luck.")) == "ProviderFailed"

    assert world.tokens.answers["token-1"] == TaskAnswer(error="ProviderFailed", cause="No luck.")


def test_the_second_answer_to_a_token_is_ignored(world: World, customer: Customer) -> None:
    job = pending(world, customer)
    poll(world, job)

    assert poll(world, job, ProviderRejected("too late")) == "ProviderRejected"

    assert world.tokens.answers["token-1"].error is None


@pytest.mark.parametrize("once", [False, True])
def test_a_canceled_job_is_called_off_at_the_provider(world: World, customer: Customer, once: bool) -> None:
    world.provider.bills = False
    job = pending(world, customer)
    world.cancel_job(customer.caller, job.id)

    assert poll(world, job, once=once) == "closed"

    assert world.provider.canceled == ["ref-1"]
    assert world.provider.checked == []
    assert world.poll_queue.messages == []


def test_a_completed_job_is_left_alone(world: World, customer: Customer) -> None:
    job = world.completed(customer)

    assert poll(world, job) == "closed"

    assert world.provider.canceled == []
    assert world.tokens.answers == {}


def test_a_job_canceled_before_the_provider_began_needs_no_calling_off(
    world: World, customer: Customer
) -> None:
    job = pending(world, customer, ref=None)
    world.cancel_job(customer.caller, job.id)

    assert poll(world, job) == "closed"
    assert world.provider.canceled == []


def test_a_job_that_ends_while_its_provider_is_asked_is_closed(world: World, customer: Customer) -> None:
    world.provider.bills = False
    job = pending(world, customer, ref=None)

    world.network.before("provider.start", lambda: world.cancel_job(customer.caller, job.id))

    with pytest.raises(JobClosed):
        poll(world, job, Pending("ref-9", 1))
    assert world.poll_queue.messages == []


@pytest.mark.parametrize("error", [None, ProviderBusy("503"), ProviderFailed("no such work")])
def test_work_that_begins_as_its_job_ends_is_called_off(
    world: World, customer: Customer, error: ShoalError | None
) -> None:
    world.provider.bills = False
    job = pending(world, customer, ref=None)
    world.network.before("jobs.note_provider_ref", lambda: world.cancel_job(customer.caller, job.id))
    if error:
        world.network.fail("provider.cancel", error, lost_reply=True)

    with pytest.raises(JobClosed):
        poll(world, job, Pending("ref-9", 1))

    assert world.provider.canceled == ["ref-9"]
    assert world.poll_queue.messages == []


@pytest.mark.parametrize(
    "error",
    [
        ProviderUnusable("bad key"),
        ProviderFailed("no such work"),
        ProviderBusy("503"),
        OutcomeUnknown("lost"),
    ],
)
def test_work_that_cannot_be_called_off_is_left(world: World, customer: Customer, error: ShoalError) -> None:
    world.provider.bills = False
    job = pending(world, customer)
    world.cancel_job(customer.caller, job.id)
    world.network.fail("provider.cancel", error)

    assert poll(world, job) == "closed"


@pytest.mark.parametrize("port", ["jobs.get", "staging.put", "tokens.succeed"])
@pytest.mark.parametrize("once", [False, True])
def test_a_service_that_did_not_answer_is_no_reason_to_wait_for_the_queue(
    world: World, customer: Customer, once: bool, port: str
) -> None:
    job = pending(world, customer)
    world.network.fail(port, Unavailable())

    assert poll(world, job, once=once) == "unavailable"

    assert world.poll_queue.messages == [PollMessage.of(job, 5, once=once)]


def test_an_unknown_job_is_an_error(world: World, customer: Customer) -> None:
    with pytest.raises(NotFound):
        world.poll_provider(Look(customer.account_id, "job_unknown", 0), RECEIPT)


@pytest.mark.parametrize(
    ("hint_s", "expected"),
    [
        (1, [1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 8, 8, 8, 8, 16, 16, 16, 16, 30]),
        (10, [10, 10, 10, 10, 20, 20, 20, 20, 30]),
        (45, [45, 45, 45, 45, 45]),
        (600, [60]),
        (0, [1, 1, 1, 1, 2]),
    ],
)
def test_looks_become_rarer_and_never_come_before_the_providers_hint(
    hint_s: int, expected: list[int]
) -> None:
    assert [next_look_s(Pending("ref", hint_s), looks) for looks in range(len(expected))] == expected


def test_the_last_look_is_at_the_deadline() -> None:
    assert next_look_s(Pending("ref", 20, over_in_seconds=7), 0) == 7
    assert next_look_s(Pending("ref", 20, over_in_seconds=21), 0) == 20


def test_each_look_knows_how_many_were_before_it(world: World, customer: Customer) -> None:
    job = pending(world, customer)
    world.provider.script = [Pending("ref-1", 3)]

    world.poll_provider(Look(job.account_id, job.id, 0, looks=4, simulated=job.simulated), RECEIPT)

    assert world.poll_queue.messages == [PollMessage.of(job, 6, looks=5)]


def test_a_provider_that_never_answers_is_not_asked_every_second(world: World) -> None:
    """Four outputs of it made 584 looks within their 180 s."""
    customer, stage = world.customer(), Stage(world)
    job = world.queued(customer, model="nanobanana", num_outputs=4, prompt="[timeout] A shark")

    stage.run()

    assert world.now(job).status is JobStatus.FAILED
    assert len(world.poll_queue.messages) <= 100
