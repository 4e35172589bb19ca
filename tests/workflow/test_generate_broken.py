"""generate.asl.json run with a part of its surroundings broken: copies of the deployed machine."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shoal.domain.job import HoldState
from tests.support.deployed import Customer, Deployed
from tests.workflow.broken import NEVER_ANSWERS, RAISES, closed_execution, deafen
from tests.workflow.machine import Json, Machine, Workshop
from tests.workflow.walks import (
    COMPLETED,
    COMPLETED_UNHEARD,
    FAILED,
    FAILED_UNHEARD,
    HAPPY,
    OPENED,
    REFUSED,
    UNHEARD_AND_LOST,
    UNRELEASED,
    UNSETTLED,
    UNSTORED,
    assert_captured,
    assert_released,
)


def test_what_is_stored_too_slowly_is_stored_later(
    deployed: Deployed, workshop: Workshop, customer: Customer
) -> None:
    machine = workshop.with_function("StoreOutput", NEVER_ANSWERS, TimeoutSeconds=1, Retry=[])
    job = deployed.accept(customer)

    assert machine.run(job) == "FAILED"

    assert machine.path(job.id) == UNSTORED
    deployed.invoke("close-execution", closed_execution(job))
    assert workshop.machine.end(deployed.job(customer, job.id).execution) == "SUCCEEDED"
    assert_captured(deployed, customer, job.id)


@pytest.mark.parametrize("state", HAPPY[:3])
@pytest.mark.parametrize("lost", [{"requests": 2}, {"answers": 2}], ids=["requests", "answers"])
def test_lost_requests_and_answers_are_repeated_without_a_trace(
    deployed: Deployed, workshop: Workshop, customer: Customer, state: str, lost: dict[str, int]
) -> None:
    machine = workshop.losing(state, **lost)
    job = deployed.accept(customer)

    assert machine.run(job) == "SUCCEEDED"

    assert machine.path(job.id) == HAPPY
    assert_captured(deployed, customer, job.id)
    assert set(deployed.bus.types_of(job.id)) == set(COMPLETED)
    ids = {event["detail"]["id"] for event in deployed.bus.of(job.id)}
    assert len(ids) == len(COMPLETED), "a repeated event keeps its id"


@pytest.mark.parametrize("lost", [{"requests": 2}, {"answers": 2}], ids=["requests", "answers"])
def test_a_release_whose_requests_or_answers_are_lost_is_made_once(
    deployed: Deployed, workshop: Workshop, customer: Customer, lost: dict[str, int]
) -> None:
    machine = workshop.losing("ReleaseHold", **lost)
    job = deployed.accept(customer, "[fail] a shark")

    assert machine.run(job) == "SUCCEEDED"

    assert machine.path(job.id) == REFUSED
    assert_released(deployed, customer, job.id)
    assert deployed.bus.types_of(job.id) == FAILED


def test_a_settled_job_stays_completed_though_every_answer_is_lost(
    deployed: Deployed, workshop: Workshop, customer: Customer
) -> None:
    machine = workshop.losing("SettleWallet", answers=99)
    job = deployed.accept(customer)

    assert machine.run(job) == "FAILED"

    assert machine.path(job.id) == UNSETTLED
    assert_captured(deployed, customer, job.id)
    deployed.invoke("close-execution", closed_execution(job))
    assert deployed.bus.types_of(job.id) == COMPLETED


def test_a_hold_the_workflow_cannot_release_is_left_to_the_sweeper(
    deployed: Deployed, workshop: Workshop, customer: Customer
) -> None:
    machine = workshop.with_function("ReleaseHold", RAISES.format(error="KeyError"))
    job = deployed.accept(customer, "[fail] a shark")

    assert machine.run(job) == "FAILED"

    assert machine.path(job.id) == UNRELEASED
    assert deployed.job(customer, job.id).hold_state is HoldState.HELD
    deployed.make_due(job)
    deployed.sweep()
    assert_released(deployed, customer, job.id)
    assert deployed.bus.told_of(job.id) == FAILED


def test_a_completion_the_bus_refuses_is_announced_later(
    deployed: Deployed, workshop: Workshop, customer: Customer
) -> None:
    machine = workshop.machine.copy(deafen("PublishCompleted"))
    job = deployed.accept(customer)

    assert machine.run(job) == "SUCCEEDED"

    assert machine.path(job.id) == COMPLETED_UNHEARD
    assert deployed.bus.types_of(job.id) == OPENED
    deployed.sweep()
    assert_captured(deployed, customer, job.id)
    assert deployed.bus.types_of(job.id) == COMPLETED
    deployed.sweep()
    assert deployed.bus.types_of(job.id) == COMPLETED, "announced once"


def test_a_completion_the_bus_takes_in_part_is_announced_whole(
    deployed: Deployed, workshop: Workshop, customer: Customer
) -> None:
    machine = workshop.machine.copy(deafen("PublishCompleted", but="image.completed"))
    job = deployed.accept(customer)

    assert machine.run(job) == "SUCCEEDED"

    assert machine.path(job.id) == COMPLETED_UNHEARD
    assert set(deployed.bus.types_of(job.id)) == {*OPENED, "image.completed"}
    deployed.sweep()
    assert set(deployed.bus.types_of(job.id)) == set(COMPLETED)
    assert len({event["detail"]["id"] for event in deployed.bus.of(job.id)}) == len(COMPLETED)


def test_a_failure_the_bus_refuses_is_announced_later(
    deployed: Deployed, workshop: Workshop, customer: Customer
) -> None:
    machine = workshop.machine.copy(deafen("PublishFailed"))
    job = deployed.accept(customer, "[fail] a shark")

    assert machine.run(job) == "SUCCEEDED"

    assert machine.path(job.id) == FAILED_UNHEARD
    assert deployed.bus.types_of(job.id) == OPENED
    deployed.sweep()
    assert_released(deployed, customer, job.id)
    assert deployed.bus.types_of(job.id) == FAILED


def test_an_execution_that_can_neither_announce_nor_ask_for_it_fails(
    deployed: Deployed, workshop: Workshop, customer: Customer
) -> None:
    def tamper(definition: Json) -> None:
        deafen("PublishCompleted")(definition)
        definition["States"]["AnnounceLater"]["Arguments"]["TableName"] = "no-such-table"

    machine = workshop.machine.copy(tamper)
    job = deployed.accept(customer)

    assert machine.run(job) == "FAILED"

    assert machine.path(job.id) == UNHEARD_AND_LOST
    assert deployed.bus.types_of(job.id) == OPENED
    deployed.invoke("close-execution", closed_execution(job))
    assert_captured(deployed, customer, job.id)
    assert deployed.bus.types_of(job.id) == COMPLETED


def test_announcing_later_makes_no_job_out_of_nothing(workshop: Workshop, customer: Customer) -> None:
    nobody = replace(workshop.deployed.accept(customer), id=f"job_{'0' * 26}")
    careful = announcing_only(workshop, "attribute_exists(pk)")
    careless = announcing_only(workshop, "attribute_exists(pk) OR attribute_not_exists(pk)")

    assert careful.run(nobody) == "FAILED"
    assert workshop.deployed.item(nobody) == {}

    assert careless.run(nobody) == "SUCCEEDED"
    assert workshop.deployed.item(nobody) != {}, "the condition is what keeps it out"
    workshop.deployed.delete_item(nobody)


def announcing_only(workshop: Workshop, condition: str) -> Machine:
    """A machine that does nothing but announce later, under this condition."""
    own = workshop.machine.definition()["States"]["AnnounceLater"]["Arguments"]["ConditionExpression"]
    assert own == "attribute_exists(pk)"

    def tamper(definition: Json) -> None:
        definition["StartAt"] = "AnnounceLater"
        definition["States"]["AnnounceLater"]["Arguments"]["ConditionExpression"] = condition

    return workshop.machine.copy(tamper)
