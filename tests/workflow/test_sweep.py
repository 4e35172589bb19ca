"""The sweeper, the canceler and the consumer of closed executions, run for real: nothing is left behind."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from shoal.domain.job import QUEUE_LIMIT_MS, Closer, HoldState, Job, JobFailure, JobStatus
from tests.support.deployed import TEST_DEADLINE_S, ClockAt, Customer, Deployed, eventually
from tests.workflow.machine import Machine, Workshop
from tests.workflow.walks import COMPLETED, FAILED

FAILED_UNBEGUN = ["image.failed", "job.created", "job.failed", "wallet.released"]
CANCELED = JobFailure("canceled", "Canceled by request.")
TIMED_OUT = JobFailure("provider_timeout", f"Provider request timed out after {TEST_DEADLINE_S}s.")
EXPIRED = JobFailure("expired", "The job could not be started in time. No charge was applied.")


def assert_forgotten(deployed: Deployed, customer: Customer, job_id: str) -> Job:
    """The job ended, nothing was charged, nothing is held; it is due again for its files alone."""
    job, wallet = deployed.job(customer, job_id), deployed.wallet(customer)
    assert (job.hold_state, job.cost) == (HoldState.RELEASED, 0)
    assert (wallet.available, wallet.held) == (10_000_000, 0)
    item = deployed.item(job)
    assert "task_tokens" not in item
    assert item["announced"]
    assert item["deadline_at"] == job.files_due_at_ms
    return job


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def test_a_job_whose_execution_was_never_started_is_started(
    deployed: Deployed, machine: Machine, customer: Customer
) -> None:
    job = deployed.accept(customer)
    deployed.sweep()
    assert deployed.job(customer, job.id).status is JobStatus.QUEUED, "it is not due yet"

    deployed.make_due(job)
    deployed.sweep()

    assert machine.end(job.id) == "SUCCEEDED"
    assert deployed.job(customer, job.id).status is JobStatus.COMPLETED
    assert deployed.bus.types_of(job.id) == COMPLETED


def test_a_job_that_waited_too_long_expires(deployed: Deployed, customer: Customer) -> None:
    long_ago = ClockAt(now_ms() - QUEUE_LIMIT_MS - 1_000)
    job = deployed.accept(customer, clock=long_ago)

    deployed.sweep()

    expired = assert_forgotten(deployed, customer, job.id)
    assert (expired.status, expired.failure) == (JobStatus.EXPIRED, EXPIRED)
    assert deployed.bus.types_of(job.id) == FAILED_UNBEGUN


def test_a_queued_job_whose_execution_has_ended_gets_another_one(
    deployed: Deployed, machine: Machine, customer: Customer
) -> None:
    canceled, bereft = deployed.accept(customer), deployed.accept(customer)
    customer.client.cancel(canceled.id)
    machine.start(canceled, name=bereft.id)
    machine.end(bereft.id)

    deployed.make_due(bereft)
    deployed.sweep()

    assert machine.end(f"{bereft.id}-1") == "SUCCEEDED"
    assert deployed.job(customer, bereft.id).status is JobStatus.COMPLETED
    assert deployed.bus.types_of(bereft.id) == COMPLETED


def test_a_job_past_its_deadline_is_closed_once(
    deployed: Deployed, workshop: Workshop, customer: Customer
) -> None:
    job = workshop.processing(customer)
    deployed.make_due(job)

    deployed.sweep()
    deployed.sweep()

    closed = assert_forgotten(deployed, customer, job.id)
    assert (closed.status, closed.failure, closed.closed_by) == (JobStatus.FAILED, TIMED_OUT, Closer.SWEEP)
    assert workshop.machine.end(job.id) == "ABORTED"
    assert deployed.bus.types_of(job.id) == FAILED


def test_a_look_whose_message_is_lost_is_made_again(
    deployed: Deployed, machine: Machine, customer: Customer
) -> None:
    job = deployed.accept(customer, "[slow:5] a shark")
    machine.start(job)
    eventually(lambda: deployed.job(customer, job.id).provider_refs)
    queue = deployed.cloud.outputs["SimulatedPollQueueUrl"]
    deployed.cloud.client("sqs").purge_queue(QueueUrl=queue)

    def swept_to_its_end() -> bool:
        deployed.make_due_while_waiting(job)
        deployed.sweep()
        return deployed.job(customer, job.id).status.terminal

    eventually(swept_to_its_end)

    assert machine.end(job.id) == "SUCCEEDED"
    assert deployed.job(customer, job.id).status is JobStatus.COMPLETED
    assert deployed.bus.types_of(job.id) == COMPLETED


def test_a_closed_job_that_was_not_announced_is_announced(deployed: Deployed, customer: Customer) -> None:
    job = deployed.accept(customer)
    closed = deployed.ledger.release(job, CANCELED, Closer.CANCEL, now_ms())
    deployed.make_due(closed)

    deployed.sweep()
    deployed.sweep()

    assert assert_forgotten(deployed, customer, job.id).status is JobStatus.CANCELED
    assert deployed.bus.types_of(job.id) == FAILED_UNBEGUN


def test_sweeps_at_once_see_to_each_job_once(deployed: Deployed, customer: Customer) -> None:
    unannounced = [deployed.accept(customer) for _ in range(8)]
    for job in unannounced:
        deployed.make_due(deployed.ledger.release(job, CANCELED, Closer.CANCEL, now_ms()))

    with ThreadPoolExecutor(3) as threads:
        sweeps = list(threads.map(lambda _: deployed.sweep(), range(3)))

    done: Counter[str] = sum((Counter(sweep) for sweep in sweeps), Counter())
    assert done["announced"] >= len(unannounced), "jobs of other tests may have come due meanwhile"
    for job in unannounced:
        assert deployed.bus.types_of(job.id) == FAILED_UNBEGUN


def test_an_aborted_execution_is_followed_by_one_that_a_cancel_stops(
    deployed: Deployed, workshop: Workshop, customer: Customer
) -> None:
    job = workshop.processing(customer)

    workshop.machine.abort(job.id)

    token = job.task_tokens[0]
    again = eventually(
        lambda: now if (now := deployed.job(customer, job.id)).task_tokens[0] != token else None
    )
    assert again.calls == job.calls, "nobody was asked again"
    assert customer.client.cancel(job.id).status_code == 200
    assert workshop.machine.end(again.execution) == "ABORTED"
    assert_forgotten(deployed, customer, job.id)
    assert set(deployed.bus.types_of(job.id)) == set(FAILED)


def test_a_cancel_stops_the_work_and_announces_it_once(
    deployed: Deployed, workshop: Workshop, customer: Customer
) -> None:
    job = workshop.processing(customer)

    assert customer.client.cancel(job.id).status_code == 200

    assert workshop.machine.end(job.id) == "ABORTED"
    canceled = assert_forgotten(deployed, customer, job.id)
    assert (canceled.status, canceled.failure) == (JobStatus.CANCELED, CANCELED)
    assert deployed.bus.types_of(job.id) == FAILED
