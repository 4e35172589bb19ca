"""The sweeper: nothing is ever left waiting, held or unannounced."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shoal.domain.errors import JobClosed, Unavailable
from shoal.domain.job import FINISH_GRACE_MS, QUEUE_LIMIT_MS, Closer, Job, JobStatus
from shoal.domain.money import Asset
from shoal.ports.jobs import ExecutionState
from tests.worlds.world import DEADLINE_S, Customer, World

GRACE_S = 60


def not_started(world: World, customer: Customer) -> Job:
    """A job whose execution could not be started."""
    world.network.fail("workflow.start", Unavailable())
    job = world.queued(customer)
    world.network.heal()
    return job


def test_nothing_due_is_nothing_done(world: World, customer: Customer) -> None:
    world.queued(customer)
    world.processing(customer)
    world.completed(customer)

    assert world.sweep_jobs() == {}
    world.clock.pass_seconds(GRACE_S - 1)
    assert world.sweep_jobs() == {}


def test_a_job_without_an_execution_is_started(world: World, customer: Customer) -> None:
    job = not_started(world, customer)
    world.clock.pass_seconds(GRACE_S)

    assert world.sweep_jobs() == {"started": 1}

    assert [started.id for started in world.workflow.started] == [job.id]
    assert world.now(job).status is JobStatus.QUEUED


def test_a_started_job_is_not_started_again(world: World, customer: Customer) -> None:
    world.queued(customer)
    world.clock.pass_seconds(GRACE_S)

    assert world.sweep_jobs() == {"left": 1}
    assert len(world.workflow.started) == 1


def test_a_queued_job_whose_execution_ended_is_closed(world: World, customer: Customer) -> None:
    job = world.queued(customer)
    world.workflow.executions[job.id] = ExecutionState.ENDED
    world.clock.pass_seconds(GRACE_S)

    assert world.sweep_jobs() == {"closed": 1}

    closed = world.now(job)
    assert closed.failure is not None
    assert (closed.status, closed.failure.code) == (JobStatus.FAILED, "provider_failed")
    assert world.entries(customer) == ["top_up", "hold", "release"]


def test_a_job_that_could_not_be_started_for_long_expires(world: World, customer: Customer) -> None:
    job = not_started(world, customer)
    world.clock.ms += QUEUE_LIMIT_MS + 1

    assert world.sweep_jobs() == {"closed": 1}

    closed = world.now(job)
    assert closed.failure is not None
    assert (closed.status, closed.closed_by) == (JobStatus.EXPIRED, Closer.SWEEP)
    assert closed.failure.message.endswith("No charge was applied.")
    assert world.wallet(customer).available == 10_000_000
    assert world.bus.types() == ["job.created", "image.failed", "job.failed"]


def test_a_job_past_its_deadline_is_closed_in_the_documents_words(world: World, customer: Customer) -> None:
    job = world.processing(customer)
    world.clock.ms += DEADLINE_S * 1000 + FINISH_GRACE_MS - 1
    assert world.sweep_jobs() == {}
    world.clock.ms += 1

    assert world.sweep_jobs() == {"closed": 1}

    closed = world.now(job)
    assert closed.failure is not None
    assert closed.status is JobStatus.FAILED
    assert closed.failure.message == "Provider request timed out after 180s."
    assert world.workflow.stopped == [job.id]
    assert world.entries(customer) == ["top_up", "hold", "release"]


def test_a_closed_job_nobody_announced_is_announced_once(world: World, customer: Customer) -> None:
    job = world.processing(customer)
    world.network.fail("bus.publish", Unavailable())
    world.cancel_job(customer.caller, job.id)
    world.network.heal()
    world.clock.pass_seconds(GRACE_S)

    assert world.sweep_jobs() == {"announced": 1}
    world.clock.pass_seconds(GRACE_S)
    assert world.sweep_jobs() == {}
    assert world.bus.types() == ["job.created", "job.processing", "image.failed", "job.failed"]


def test_a_job_the_workflow_could_not_announce_is_announced_at_once(world: World, customer: Customer) -> None:
    job = world.completed(customer)
    world.tables.put(replace(world.now(job), deadline_at_ms=0, announced=False))

    assert world.sweep_jobs() == {"announced": 1}
    assert world.bus.types() == ["image.completed", "job.completed"]
    assert world.now(job).deadline_at_ms is None


def test_of_two_sweepers_one_acts(world: World, customer: Customer) -> None:
    not_started(world, customer)
    world.clock.pass_seconds(GRACE_S)
    other: list[dict[str, int]] = []
    world.network.before("jobs.claim", lambda: other.append(dict(world.sweep_jobs())))

    assert world.sweep_jobs() == {}
    assert other == [{"started": 1}]


def test_a_job_that_ends_while_it_is_swept_is_left(world: World, customer: Customer) -> None:
    world.processing(customer)
    world.clock.ms += DEADLINE_S * 1000 + FINISH_GRACE_MS
    world.network.fail("ledger.release", JobClosed("job"))

    assert world.sweep_jobs() == {"left": 1}


@pytest.mark.parametrize("failure", [Unavailable(), RuntimeError("AccessDenied")])
def test_a_job_that_cannot_be_seen_to_does_not_keep_the_others_waiting(
    world: World, customer: Customer, failure: Exception
) -> None:
    stuck = [not_started(world, customer) for _ in range(2)]
    late = world.processing(customer)
    world.clock.ms += DEADLINE_S * 1000 + FINISH_GRACE_MS
    world.network.fail("workflow.start", failure)

    assert world.sweep_jobs() == {"deferred": 2, "closed": 1}
    assert world.now(late).status is JobStatus.FAILED

    world.network.heal()
    world.clock.pass_seconds(GRACE_S)
    assert world.sweep_jobs() == {"started": 2}
    assert {job.id for job in stuck} <= {job.id for job in world.workflow.started}


def test_a_deferred_job_is_seen_to_a_minute_later(world: World, customer: Customer) -> None:
    job = not_started(world, customer)
    world.clock.pass_seconds(GRACE_S)
    world.network.fail("workflow.start", Unavailable())
    world.sweep_jobs()

    assert world.now(job).deadline_at_ms == world.clock.ms + GRACE_S * 1000


def test_the_audit_finds_nothing_after_any_of_it(world: World, customer: Customer) -> None:
    not_started(world, customer)
    world.processing(customer)
    world.clock.ms += QUEUE_LIMIT_MS + 1
    world.sweep_jobs()

    assert world.audit_ledger() == []


def test_the_audit_tells_what_is_off(world: World, customer: Customer) -> None:
    wallet = world.wallet(customer)
    world.tables.wallets[customer.account_id, Asset.USD] = replace(wallet, balance=wallet.balance + 1)

    (found,) = world.audit_ledger()
    assert (found.account_id, found.expected, found.found) == (customer.account_id, 10_000_000, 10_000_001)
