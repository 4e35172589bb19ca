"""Closing a job from outside its workflow: cancel, and an execution that ended early."""

from __future__ import annotations

import pytest

from shoal.domain.errors import JobAlreadyTerminal, NotFound, Unavailable
from shoal.domain.job import CLEAN_UP_AFTER_MS, Closer, HoldState, Job, JobStatus
from shoal.ports.jobs import ExecutionState
from tests.worlds.world import STORED, Customer, World


@pytest.mark.parametrize("begun", [False, True])
def test_a_canceled_job_costs_nothing_and_its_execution_stops(
    world: World, customer: Customer, begun: bool
) -> None:
    job = world.processing(customer) if begun else world.queued(customer)

    canceled = world.cancel_job(customer.caller, job.id)

    assert (canceled.status, canceled.hold_state) == (JobStatus.CANCELED, HoldState.RELEASED)
    assert canceled.failure is not None
    assert canceled.failure.message == "Canceled by request."
    assert world.entries(customer) == ["top_up", "hold", "release"]
    assert world.workflow.stopped == [job.id]
    opening = ["job.created", "job.processing"] if begun else ["job.created"]
    assert world.bus.types() == [*opening, "image.failed", "job.failed", "wallet.released"]


def test_a_canceled_job_is_due_once_more_and_then_nobodys_concern(world: World, customer: Customer) -> None:
    job = world.processing(customer)

    world.cancel_job(customer.caller, job.id)

    stored = world.now(job)
    assert stored.deadline_at_ms == world.clock.ms + CLEAN_UP_AFTER_MS
    assert (stored.task_tokens, stored.closed_by) == ({}, Closer.CANCEL)
    world.clock.pass_seconds(CLEAN_UP_AFTER_MS // 1000)
    assert world.sweep_jobs() == {"deleted": 1}
    assert world.now(job).deadline_at_ms is None


def test_a_canceled_free_trial_is_given_back(world: World) -> None:
    customer = world.customer(usd="0")

    world.cancel_job(customer.caller, world.queued(customer).id)

    assert world.wallet(customer).free_generations == 3


def test_a_terminal_job_cannot_be_canceled(world: World, customer: Customer) -> None:
    completed, canceled = world.completed(customer), world.queued(customer)
    world.cancel_job(customer.caller, canceled.id)
    entries = world.entries(customer)

    for job in (completed, canceled):
        with pytest.raises(JobAlreadyTerminal):
            world.cancel_job(customer.caller, job.id)
    assert world.entries(customer) == entries


def test_a_job_that_completes_while_it_is_canceled_stays_completed(world: World, customer: Customer) -> None:
    job = world.processing(customer)
    world.network.before("ledger.cancel", lambda: world.settle_wallet(job.account_id, job.id, [STORED]))

    with pytest.raises(JobAlreadyTerminal):
        world.cancel_job(customer.caller, job.id)
    assert world.entries(customer) == ["top_up", "hold", "capture"]
    assert world.bus.published == []


def test_the_job_of_another_account_is_not_found(world: World, customer: Customer) -> None:
    job = world.queued(customer)

    with pytest.raises(NotFound):
        world.cancel_job(world.customer().caller, job.id)
    assert world.now(job) == job


@pytest.mark.parametrize("failure", [Unavailable(), RuntimeError("AccessDenied")])
def test_a_cancel_that_cannot_be_announced_is_done_and_stays_due(
    world: World, customer: Customer, failure: Exception
) -> None:
    job = world.processing(customer)
    world.network.fail("bus.publish", failure)

    assert world.cancel_job(customer.caller, job.id).status is JobStatus.CANCELED

    assert world.now(job).deadline_at_ms == world.clock.ms + 60_000
    assert world.bus.published == []


@pytest.mark.parametrize("failure", [Unavailable(), RuntimeError("AccessDenied")])
def test_an_execution_that_cannot_be_stopped_does_not_undo_a_cancel(
    world: World, customer: Customer, failure: Exception
) -> None:
    job = world.processing(customer)
    world.network.fail("workflow.stop", failure)

    assert world.cancel_job(customer.caller, job.id).status is JobStatus.CANCELED

    assert world.now(job).deadline_at_ms == world.clock.ms + CLEAN_UP_AFTER_MS
    assert len(world.bus.published) == 5


def close(world: World, job: Job) -> str:
    return world.close_execution(job.account_id, job.id)


def test_the_open_job_of_a_failed_execution_gets_another_one(world: World, customer: Customer) -> None:
    job = world.processing(customer)
    world.workflow.executions[job.id] = ExecutionState.ENDED

    assert close(world, job) == "started"

    again = world.now(job)
    assert (again.status, again.deadline_at_ms) == (JobStatus.PROCESSING, job.deadline_at_ms)
    assert world.workflow.executions[f"{job.id}-1"] is ExecutionState.RUNNING
    assert world.entries(customer) == ["top_up", "hold"]
    assert world.bus.types() == []


def test_a_job_its_own_workflow_closed_is_only_announced(world: World, customer: Customer) -> None:
    job = world.completed(customer)
    before = world.wallet(customer)

    assert close(world, job) == "announced"

    assert world.wallet(customer) == before
    assert world.bus.types() == ["image.completed", "job.completed", "wallet.captured"]
    assert world.workflow.stopped == []


def test_a_job_somebody_else_closed_is_left_to_them(world: World, customer: Customer) -> None:
    job = world.processing(customer)
    world.cancel_job(customer.caller, job.id)
    world.bus.published.clear()

    assert close(world, job) == "left"
    assert world.bus.published == []


def test_a_job_canceled_in_that_very_moment_is_left(world: World, customer: Customer) -> None:
    job = world.processing(customer)
    world.network.before("jobs.start_again", lambda: world.cancel_job(customer.caller, job.id))

    assert close(world, job) == "left"
    assert world.entries(customer) == ["top_up", "hold", "release"]


def test_a_message_delivered_twice_starts_one_execution(world: World, customer: Customer) -> None:
    job = world.processing(customer)
    close(world, job)

    assert close(world, job) == "left"
    assert list(world.workflow.executions) == [job.id, f"{job.id}-1"]


def test_an_execution_without_a_job_is_an_error(world: World, customer: Customer) -> None:
    with pytest.raises(NotFound):
        world.close_execution(customer.account_id, "job_unknown")
