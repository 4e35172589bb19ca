"""generate_batch.asl.json run with a part of its surroundings broken: copies of the deployed machine."""

from __future__ import annotations

import pytest

from shoal.domain.job import HoldState
from tests.support.deployed import Customer, Deployed
from tests.workflow.broken import RAISES, closed_execution, deafen
from tests.workflow.machine import Json, Workshop
from tests.workflow.walks import (
    BATCH_COMPLETED_UNHEARD,
    BATCH_FAILED_UNHEARD,
    BATCH_HAPPY,
    BATCH_UNHEARD_AND_LOST,
    BATCH_UNRELEASED,
    OPENED,
    TASK_COMPLETED,
    TASK_FAILED,
    assert_captured,
    assert_released,
)


@pytest.mark.parametrize("state", ["CallProvider", "StoreOutput", "SettleWallet"])
@pytest.mark.parametrize("lost", [{"requests": 2}, {"answers": 2}], ids=["requests", "answers"])
def test_lost_requests_and_answers_are_repeated_without_a_trace(
    deployed: Deployed, workshop: Workshop, customer: Customer, state: str, lost: dict[str, int]
) -> None:
    machine = workshop.losing(state, workshop.batch, **lost)
    job = deployed.accept_task(customer, "mugs [fail]", 3)

    assert machine.run(job) == "SUCCEEDED"

    assert machine.path(job.id) == BATCH_HAPPY
    assert_captured(deployed, customer, job.id, delivered=2)
    assert set(deployed.bus.types_of(job.id)) == set(TASK_COMPLETED)
    ids = {event["detail"]["id"] for event in deployed.bus.of(job.id)}
    assert len(ids) == len(TASK_COMPLETED), "a repeated event keeps its id"


def test_a_hold_the_workflow_cannot_release_is_left_to_the_sweeper(
    deployed: Deployed, workshop: Workshop, customer: Customer
) -> None:
    machine = workshop.with_function("ReleaseHold", RAISES.format(error="KeyError"), workshop.batch)
    job = deployed.accept_task(customer, "[fail] [fail] mugs", 2)

    assert machine.run(job) == "FAILED"

    assert machine.path(job.id) == BATCH_UNRELEASED
    assert deployed.job(customer, job.id).hold_state is HoldState.HELD
    deployed.make_due(job)
    deployed.sweep()
    assert_released(deployed, customer, job.id)
    assert deployed.bus.told_of(job.id) == TASK_FAILED


def test_a_completion_the_bus_refuses_is_announced_later(
    deployed: Deployed, workshop: Workshop, customer: Customer
) -> None:
    machine = workshop.batch.copy(deafen("PublishCompleted"))
    job = deployed.accept_task(customer, "mugs [fail]", 2, ttl_seconds=60)

    assert machine.run(job) == "SUCCEEDED"

    assert machine.path(job.id) == BATCH_COMPLETED_UNHEARD
    assert deployed.bus.types_of(job.id) == OPENED
    deployed.sweep()
    completed = assert_captured(deployed, customer, job.id, delivered=1)
    assert completed.deadline_at_ms == completed.outputs_expire_at_ms, "its outputs are still to be deleted"
    deployed.sweep()
    assert deployed.bus.types_of(job.id) == TASK_COMPLETED, "announced once"


def test_a_failure_the_bus_refuses_is_announced_later(
    deployed: Deployed, workshop: Workshop, customer: Customer
) -> None:
    machine = workshop.batch.copy(deafen("PublishFailed"))
    job = deployed.accept_task(customer, "[fail] [fail] mugs", 2)

    assert machine.run(job) == "SUCCEEDED"

    assert machine.path(job.id) == BATCH_FAILED_UNHEARD
    deployed.sweep()
    assert_released(deployed, customer, job.id)
    assert deployed.bus.types_of(job.id) == TASK_FAILED


def test_an_execution_that_can_neither_announce_nor_ask_for_it_fails(
    deployed: Deployed, workshop: Workshop, customer: Customer
) -> None:
    def tamper(definition: Json) -> None:
        deafen("PublishCompleted")(definition)
        definition["States"]["AnnounceLater"]["Arguments"]["TableName"] = "no-such-table"

    machine = workshop.batch.copy(tamper)
    job = deployed.accept_task(customer, "mugs", 2)

    assert machine.run(job) == "FAILED"

    assert machine.path(job.id) == BATCH_UNHEARD_AND_LOST
    deployed.invoke("close-execution", closed_execution(job))
    assert_captured(deployed, customer, job.id)
    assert deployed.bus.types_of(job.id) == TASK_COMPLETED
