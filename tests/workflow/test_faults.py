"""Every state fails with every error until its retries are used up: nothing finished is given away, or stuck.

Copies of the deployed machines fail; what goes on with their jobs are the deployed ones.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from shoal.domain.job import HoldState, Job
from tests.support.deployed import Customer, Deployed, eventually
from tests.workflow.broken import DIES_ONCE, FAILS, closed_execution
from tests.workflow.machine import Machine, Workshop, function_of, states_of
from tests.workflow.walks import (
    BATCH_LEFT_IN,
    COMPLETED,
    FAILED,
    HAPPY,
    LEFT_IN,
    REFUSED,
    TASK_COMPLETED,
    assert_captured,
    assert_released,
)

TRANSIENT = (
    "Unavailable",
    "TransactionConflictException",
    "ProvisionedThroughputExceededException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.Unknown",
    "Sandbox.Timedout",
    "Runtime.ExitError",
    "States.TaskFailed",
    "KeyError",
)
"""Ours, DynamoDB's, those of Lambda as a service, of a runtime that died, and a mistake of our own."""


def failing(
    workshop: Workshop, state: str, error: str, of: Machine | None = None, *, works: bool = False
) -> Machine:
    """A copy whose `state` fails for ever, before its work or after it."""
    function = function_of(states_of((of or workshop.machine).definition())[state])
    return workshop.with_function(state, FAILS.format(works=works, function=function, error=error), of)


def assert_left(deployed: Deployed, customer: Customer, job: Job, machine: Machine) -> None:
    """The execution failed, and gave nothing back."""
    assert machine.run(job) == "FAILED"
    assert deployed.job(customer, job.id).hold_state is not HoldState.RELEASED


def go_on(deployed: Deployed, customer: Customer, job: Job, machine: Machine) -> None:
    """The queue of closed executions is read, and then the next execution ends."""
    deployed.invoke("close-execution", closed_execution(job))
    if not deployed.job(customer, job.id).status.terminal:
        assert machine.end(deployed.job(customer, job.id).execution) == "SUCCEEDED"


def sweep_twice(deployed: Deployed, customer: Customer, job: Job, machine: Machine) -> None:
    """The message of the failed execution was lost, so that only the sweeper sees to the job."""
    for _ in range(2):
        if not deployed.job(customer, job.id).status.terminal:
            deployed.make_due(job)
        deployed.sweep()
        machine.end(deployed.job(customer, job.id).execution)


def assert_completed_once(
    deployed: Deployed, customer: Customer, job: Job, types: list[str] = COMPLETED
) -> None:
    assert_captured(deployed, customer, job.id)
    assert set(deployed.bus.types_of(job.id)) == set(types)
    assert len({event["detail"]["id"] for event in deployed.bus.of(job.id)}) == len(types)


@pytest.mark.parametrize("error", TRANSIENT)
@pytest.mark.parametrize("state", LEFT_IN)
def test_what_a_state_cannot_do_is_done_by_the_next_execution(
    deployed: Deployed, workshop: Workshop, customer: Customer, state: str, error: str
) -> None:
    machine, job = failing(workshop, state, error), deployed.accept(customer)

    assert_left(deployed, customer, job, machine)

    assert machine.path(job.id) == LEFT_IN[state]
    go_on(deployed, customer, job, workshop.machine)
    assert_completed_once(deployed, customer, job)


@pytest.mark.parametrize("state", ["StoreOutput", "SettleWallet"])
def test_what_a_state_did_without_an_answer_is_not_done_again(
    deployed: Deployed, workshop: Workshop, customer: Customer, state: str
) -> None:
    machine, job = failing(workshop, state, "Lambda.Unknown", works=True), deployed.accept(customer)

    assert_left(deployed, customer, job, machine)

    go_on(deployed, customer, job, workshop.machine)
    assert_completed_once(deployed, customer, job)


@pytest.mark.parametrize("state", LEFT_IN)
def test_two_sweeps_are_enough_if_the_failure_is_not_told(
    deployed: Deployed, workshop: Workshop, customer: Customer, state: str
) -> None:
    machine, job = failing(workshop, state, "Lambda.TooManyRequestsException"), deployed.accept(customer)

    assert_left(deployed, customer, job, machine)

    sweep_twice(deployed, customer, job, workshop.machine)
    assert_completed_once(deployed, customer, job)


def test_an_execution_that_takes_over_may_fail_like_the_one_before_it(
    deployed: Deployed, workshop: Workshop, customer: Customer
) -> None:
    machine, job = failing(workshop, "SettleWallet", "Unavailable"), deployed.accept(customer)
    assert_left(deployed, customer, job, machine)
    again = deployed.jobs.start_again(deployed.job(customer, job.id))
    machine.start(again, name=again.execution)
    assert machine.end(again.execution) == "FAILED"

    sweep_twice(deployed, customer, job, workshop.machine)

    assert deployed.job(customer, job.id).restarts == 2
    assert_completed_once(deployed, customer, job)


@pytest.mark.parametrize("state", LEFT_IN)
def test_what_a_cancel_captured_is_finished_by_the_next_execution(
    deployed: Deployed, workshop: Workshop, customer: Customer, state: str
) -> None:
    machine = failing(workshop, state, "Unavailable", works=state == "CallProvider")
    job = deployed.accept(customer, "[billed][slow:3] a shark")
    machine.start(job)
    eventually(lambda: deployed.job(customer, job.id).provider_refs)
    assert customer.client.cancel(job.id).status_code == 200
    assert machine.end(job.id) == "FAILED"
    assert deployed.job(customer, job.id).awaiting

    deployed.invoke("close-execution", closed_execution(job))

    assert workshop.machine.end(f"{job.id}-1") == "SUCCEEDED"
    assert_completed_once(deployed, customer, job)


@pytest.mark.parametrize("error", ["Unavailable", "Lambda.TooManyRequestsException", "Runtime.ExitError"])
@pytest.mark.parametrize("state", BATCH_LEFT_IN)
def test_what_a_state_cannot_do_for_several_outputs_is_done_by_the_next_execution(
    deployed: Deployed, workshop: Workshop, customer: Customer, state: str, error: str
) -> None:
    machine, job = failing(workshop, state, error, workshop.batch), deployed.accept_task(customer, "mugs", 2)

    assert_left(deployed, customer, job, machine)

    assert machine.path(job.id) == BATCH_LEFT_IN[state]
    go_on(deployed, customer, job, workshop.batch)
    assert_completed_once(deployed, customer, job, TASK_COMPLETED)


@pytest.mark.parametrize("works", [False, True], ids=["before its work", "after its work"])
@pytest.mark.parametrize("state", [*LEFT_IN, "ReleaseHold"])
def test_a_worker_that_is_killed_once_costs_nobody_a_job(
    deployed: Deployed, workshop: Workshop, customer: Customer, tmp_path: Path, state: str, works: bool
) -> None:
    function = function_of(states_of(workshop.machine.definition())[state])
    source = DIES_ONCE.format(folder=tmp_path, works=works, function=function)
    machine, refused = workshop.with_function(state, source), state == "ReleaseHold"
    job = deployed.accept(customer, "[fail] a shark" if refused else "a shark")

    assert machine.run(job) == "SUCCEEDED"

    assert machine.path(job.id) == (REFUSED if refused else HAPPY)
    if refused:
        assert_released(deployed, customer, job.id)
        assert deployed.bus.types_of(job.id) == FAILED
    else:
        assert_completed_once(deployed, customer, job)
