"""generate_batch.asl.json run for real, as it is deployed: each output is a provider call of its own."""

from __future__ import annotations

from contextlib import suppress

import pytest
from botocore.exceptions import ClientError

from shoal.domain.job import Closer, Job, JobFailure, JobStatus
from shoal.domain.money import Asset
from tests.support.deployed import TEST_DEADLINE_S, Customer, Deployed
from tests.support.tasks import TasksClient
from tests.workflow.broken import closed_execution
from tests.workflow.machine import Json, Workshop, cancel_unseen, picture
from tests.workflow.walks import (
    BATCH_CLOSED_BEFORE_RELEASING,
    BATCH_CLOSED_BEFORE_SETTLING,
    BATCH_HAPPY,
    BATCH_REFUSED,
    BATCH_UNASKED,
    OPENED,
    TASK_COMPLETED,
    TASK_FAILED,
    assert_captured,
    assert_released,
    walked_from,
    ways_out_of,
)


def keys_of(job: Job, *indexes: int) -> list[str]:
    """Where these outputs lie: the mark of the call that made one is in its key."""
    return [f"images/{job.id}/{index}-{job.calls[index].mark}.png" for index in indexes]


def usage_of(customer: Customer) -> list[Json]:
    """What the usage summary says of the customer."""
    rows: list[Json] = TasksClient(customer.client).data("GET", "/v1/usage/summary")
    return rows


@pytest.mark.parametrize("marker", ["", "[poll]", "[callback]", "[slow:1]", "[busy:1]"])
def test_every_output_is_delivered_and_paid(
    deployed: Deployed, workshop: Workshop, customer: Customer, marker: str
) -> None:
    job_id = TasksClient(customer.client).submit(f"{marker} three mugs", num_outputs=3)

    assert workshop.batch.end(job_id) == "SUCCEEDED"
    assert workshop.batch.path(job_id) == BATCH_HAPPY
    job = assert_captured(deployed, customer, job_id)
    assert [output.key for output in job.outputs] == keys_of(job, 0, 1, 2)
    assert job.closed_by is Closer.WORKFLOW
    assert deployed.bus.types_of(job_id) == TASK_COMPLETED
    assert usage_of(customer) == [
        {"model": "nanobanana", "total_units": 3, "total_cost": "$0.0300", "request_count": 1}
    ]


def test_outputs_that_fail_are_not_paid(deployed: Deployed, workshop: Workshop, customer: Customer) -> None:
    job_id = TasksClient(customer.client).submit("four mugs [fail] [fail]", num_outputs=4)

    assert workshop.batch.end(job_id) == "SUCCEEDED"
    assert workshop.batch.path(job_id) == BATCH_HAPPY
    job = assert_captured(deployed, customer, job_id, delivered=2)
    assert [output.key for output in job.outputs] == keys_of(job, 2, 3)
    assert deployed.bus.types_of(job_id) == TASK_COMPLETED
    assert [(row["total_units"], row["total_cost"]) for row in usage_of(customer)] == [(2, "$0.0200")]


@pytest.mark.parametrize(
    ("prompt", "code", "message"),
    [
        ("[fail] [fail] mugs", "provider_failed", "The provider failed to generate the image."),
        ("[nsfw] mugs", "provider_rejected", "The prompt was refused by content moderation."),
        ("[timeout] mugs", "provider_timeout", f"Provider request timed out after {TEST_DEADLINE_S}s."),
    ],
)
def test_a_task_of_which_every_output_fails_costs_nothing(
    deployed: Deployed, workshop: Workshop, customer: Customer, prompt: str, code: str, message: str
) -> None:
    job_id = TasksClient(customer.client).submit(prompt, num_outputs=2)

    assert workshop.batch.end(job_id) == "SUCCEEDED"
    assert workshop.batch.path(job_id) == BATCH_REFUSED
    job = assert_released(deployed, customer, job_id)
    assert (job.status, job.failure) == (JobStatus.FAILED, JobFailure(code, message))
    assert deployed.bus.types_of(job_id) == TASK_FAILED
    assert usage_of(customer) == []


def test_an_output_that_times_out_costs_nothing_and_the_others_are_paid(
    deployed: Deployed, workshop: Workshop, customer: Customer
) -> None:
    job = workshop.processing_batch(customer, outputs=3)

    workshop.deliver(job, picture(), index=0)
    workshop.deliver(job, picture(), index=2)

    assert workshop.batch.end(job.id) == "SUCCEEDED"
    assert workshop.batch.path(job.id) == BATCH_HAPPY
    completed = assert_captured(deployed, customer, job.id, delivered=2)
    assert [output.key for output in completed.outputs] == keys_of(completed, 0, 2)
    assert deployed.bus.types_of(job.id) == TASK_COMPLETED


@pytest.mark.parametrize(
    "spoiled",
    [{"output": {"key": "nobody/nothing/1"}}, {}],
    ids=["gone", "nothing"],
)
def test_whatever_is_wrong_with_one_answer_the_others_are_delivered(
    deployed: Deployed, workshop: Workshop, customer: Customer, spoiled: Json
) -> None:
    job = workshop.processing_batch(customer, outputs=2)

    workshop.deliver(job, picture(), index=0)
    workshop.answer(job, spoiled, index=1)

    assert workshop.batch.end(job.id) == "SUCCEEDED"
    assert_captured(deployed, customer, job.id, delivered=1)


def test_bytes_that_are_no_picture_are_not_paid(
    deployed: Deployed, workshop: Workshop, customer: Customer
) -> None:
    job = workshop.processing_batch(customer, outputs=3)

    workshop.deliver(job, b"<html>not a picture</html>", index=0)
    workshop.deliver(job, picture(), index=1)
    workshop.refuse(job, "ProviderFailed", "no luck", index=2)

    assert workshop.batch.end(job.id) == "SUCCEEDED"
    completed = assert_captured(deployed, customer, job.id, delivered=1)
    assert [output.key for output in completed.outputs] == keys_of(completed, 1)


def test_a_cancel_while_some_outputs_are_there_gives_everything_back(
    deployed: Deployed, workshop: Workshop, customer: Customer
) -> None:
    job = workshop.processing_batch(customer, outputs=3)
    workshop.deliver(job, picture(), index=1)

    assert customer.client.cancel(job.id).status_code == 200

    assert workshop.batch.end(job.id) == "ABORTED"
    canceled = assert_released(deployed, customer, job.id)
    assert (canceled.status, canceled.closed_by) == (JobStatus.CANCELED, Closer.CANCEL)
    assert deployed.bus.types_of(job.id) == TASK_FAILED
    assert usage_of(customer) == []
    with suppress(ClientError):  # AWS refuses the token of an execution that was stopped
        workshop.deliver(job, picture(), index=0)
    assert deployed.job(customer, job.id) == canceled
    assert_released(deployed, customer, job.id)


def test_pictures_that_come_after_a_cancel_are_never_charged(
    deployed: Deployed, workshop: Workshop, customer: Customer
) -> None:
    job = workshop.processing_batch(customer, outputs=2)
    cancel_unseen(deployed, job)

    for index in range(2):
        workshop.deliver(job, picture(), index=index)

    assert workshop.batch.end(job.id) == "SUCCEEDED"
    assert workshop.batch.path(job.id) == BATCH_CLOSED_BEFORE_SETTLING
    assert assert_released(deployed, customer, job.id).status is JobStatus.CANCELED
    assert deployed.item(job)["late_output_at_ms"] > 0
    assert deployed.bus.types_of(job.id) == OPENED
    assert deployed.ledger.entries_sum(customer.account_id, Asset.USD).held_delta == 0


def test_a_task_closed_before_it_begins_is_left_alone(
    deployed: Deployed, workshop: Workshop, customer: Customer
) -> None:
    job = deployed.accept_task(customer, "mugs", 2)
    canceled = cancel_unseen(deployed, job)

    assert workshop.batch.run(job) == "SUCCEEDED"

    assert workshop.batch.path(job.id) == BATCH_CLOSED_BEFORE_RELEASING
    assert assert_released(deployed, customer, job.id).failure == canceled.failure
    assert deployed.bus.types_of(job.id) == [], "the party that closed it announces it"


def test_what_came_of_a_task_by_its_deadline_is_delivered(
    deployed: Deployed, workshop: Workshop, customer: Customer
) -> None:
    job = workshop.processing_batch(customer, outputs=2)
    workshop.deliver(job, picture(), index=0)
    deployed.make_due(job)

    deployed.sweep()
    deployed.sweep()

    assert workshop.batch.end(job.id) == "SUCCEEDED"
    assert_captured(deployed, customer, job.id, delivered=1)
    assert deployed.bus.types_of(job.id) == TASK_COMPLETED


def test_an_execution_that_cannot_even_ask_is_followed_by_another(
    deployed: Deployed, workshop: Workshop, customer: Customer
) -> None:
    job = deployed.accept_task(customer, "mugs", 2)

    def tamper(definition: Json) -> None:
        definition["States"]["CallProviders"]["Items"] = "{% $states.input.nowhere %}"

    machine = workshop.batch.copy(tamper)

    assert machine.run(job) == "FAILED"
    assert machine.path(job.id) == BATCH_UNASKED
    deployed.invoke("close-execution", closed_execution(job))
    assert workshop.batch.end(deployed.job(customer, job.id).execution) == "SUCCEEDED"
    assert_captured(deployed, customer, job.id)


def test_every_transition_is_walked_by_a_test() -> None:
    assert walked_from("CallProviders") == ways_out_of("generate_batch")
