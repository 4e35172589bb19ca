"""generate.asl.json run for real, as it is deployed."""

from __future__ import annotations

import pytest

from infra.local.cloud import TEST_CLIP_DEADLINE_SECONDS
from shoal.domain.job import Closer, JobFailure, JobStatus
from tests.support.deployed import TEST_DEADLINE_S, Customer, Deployed
from tests.support.tasks import TasksClient
from tests.workflow.machine import Json, Machine, Workshop, cancel_unseen, picture
from tests.workflow.walks import (
    CLOSED_BEFORE_BEGINNING,
    CLOSED_BEFORE_RELEASING,
    CLOSED_BEFORE_SETTLING,
    COMPLETED,
    FAILED,
    HAPPY,
    OPENED,
    REFUSED,
    UNUSABLE,
    assert_captured,
    assert_released,
    walked_from,
    ways_out_of,
)


def test_a_good_job_takes_four_states(deployed: Deployed, machine: Machine, customer: Customer) -> None:
    job_id = customer.client.submit()

    assert machine.end(job_id) == "SUCCEEDED"
    assert machine.path(job_id) == HAPPY
    job = assert_captured(deployed, customer, job_id)
    assert job.closed_by is Closer.WORKFLOW
    assert deployed.bus.types_of(job_id) == COMPLETED


@pytest.mark.parametrize("marker", ["[poll]", "[callback]", "[slow:1]", "[busy:1]"])
def test_a_provider_may_answer_later(
    deployed: Deployed, machine: Machine, customer: Customer, marker: str
) -> None:
    job_id = customer.client.submit(f"{marker} a shark")

    assert machine.end(job_id) == "SUCCEEDED"
    assert machine.path(job_id) == HAPPY
    job = assert_captured(deployed, customer, job_id)
    assert (job.provider_refs == {}) == (marker == "[busy:1]")
    assert deployed.bus.types_of(job_id) == COMPLETED


@pytest.mark.parametrize(
    ("marker", "code", "message"),
    [
        ("[fail]", "provider_failed", "The provider failed to generate the image."),
        ("[nsfw]", "provider_rejected", "The prompt was refused by content moderation."),
        ("[timeout]", "provider_timeout", f"Provider request timed out after {TEST_DEADLINE_S}s."),
    ],
)
def test_a_provider_that_fails_costs_nothing(
    deployed: Deployed, machine: Machine, customer: Customer, marker: str, code: str, message: str
) -> None:
    job_id = customer.client.submit(f"{marker} a shark")

    assert machine.end(job_id) == "SUCCEEDED"
    assert machine.path(job_id) == REFUSED
    job = assert_released(deployed, customer, job_id)
    assert (job.status, job.failure) == (JobStatus.FAILED, JobFailure(code, message))
    assert deployed.bus.types_of(job_id) == FAILED


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<html>not a picture</html>", "The provider did not deliver a readable image."),
        (picture()[:-40], "The provider did not deliver a readable image."),
        (picture(side_px=8), "The provider's image has an unusable size."),
    ],
    ids=["no picture", "truncated", "too small"],
)
def test_bytes_that_are_no_usable_picture_fail_the_job(
    deployed: Deployed, workshop: Workshop, customer: Customer, data: bytes, message: str
) -> None:
    job = workshop.processing(customer)

    workshop.deliver(job, data)

    assert workshop.machine.end(job.id) == "SUCCEEDED"
    assert workshop.machine.path(job.id) == UNUSABLE
    assert assert_released(deployed, customer, job.id).failure == JobFailure("output_invalid", message)
    assert deployed.bus.types_of(job.id) == FAILED


@pytest.mark.parametrize(
    ("output", "failure"),
    [
        ({}, JobFailure("output_invalid", "The provider delivered no image.")),
        (
            {"output": {"key": "nobody/nothing/0"}},
            JobFailure("output_invalid", "The provider's output is gone."),
        ),
    ],
    ids=["nothing", "gone"],
)
def test_an_answer_without_a_picture_fails_the_job(
    deployed: Deployed, workshop: Workshop, customer: Customer, output: Json, failure: JobFailure
) -> None:
    job = workshop.processing(customer)

    workshop.answer(job, output)

    assert workshop.machine.end(job.id) == "SUCCEEDED"
    assert workshop.machine.path(job.id) == UNUSABLE
    assert assert_released(deployed, customer, job.id).failure == failure


def test_a_job_closed_before_it_begins_is_left_alone(
    deployed: Deployed, machine: Machine, customer: Customer
) -> None:
    job = deployed.accept(customer)
    cancel_unseen(deployed, job)

    assert machine.run(job) == "SUCCEEDED"

    assert machine.path(job.id) == CLOSED_BEFORE_BEGINNING
    assert assert_released(deployed, customer, job.id).status is JobStatus.CANCELED
    assert deployed.bus.types_of(job.id) == [], "the party that closed it announces it"


def test_a_picture_that_comes_after_a_cancel_is_never_charged(
    deployed: Deployed, workshop: Workshop, customer: Customer
) -> None:
    job = workshop.processing(customer)
    cancel_unseen(deployed, job)

    workshop.deliver(job, picture())

    assert workshop.machine.end(job.id) == "SUCCEEDED"
    assert workshop.machine.path(job.id) == CLOSED_BEFORE_SETTLING
    assert assert_released(deployed, customer, job.id).status is JobStatus.CANCELED
    assert deployed.item(job)["late_output_at_ms"] > 0
    assert deployed.bus.types_of(job.id) == OPENED


def test_a_failure_that_comes_after_a_cancel_changes_nothing(
    deployed: Deployed, workshop: Workshop, customer: Customer
) -> None:
    job = workshop.processing(customer)
    canceled = cancel_unseen(deployed, job)

    workshop.refuse(job, "ProviderFailed", "too late")

    assert workshop.machine.end(job.id) == "SUCCEEDED"
    assert workshop.machine.path(job.id) == CLOSED_BEFORE_RELEASING
    assert assert_released(deployed, customer, job.id).failure == canceled.failure
    assert deployed.bus.types_of(job.id) == OPENED


def test_a_task_can_be_a_clip(deployed: Deployed, workshop: Workshop) -> None:
    def tamper(definition: Json) -> None:
        definition["States"]["CallProvider"]["TimeoutSeconds"] = TEST_CLIP_DEADLINE_SECONDS

    filmmaker = deployed.customer(credits=1)
    job = deployed.accept_task(filmmaker, "sharks", 1, model="clip")
    machine = workshop.machine.copy(tamper)

    assert machine.run(job) == "SUCCEEDED"

    task = TasksClient(filmmaker.client).task(job.id)
    assert (task["status"], task["type"], task["cost"]) == ("completed", "video_generate", "1 credit")
    clip = deployed.http.get(task["output"]["url"])
    assert (clip.headers["Content-Type"], clip.content[4:8]) == ("video/mp4", b"ftyp")


def test_every_transition_is_walked_by_a_test() -> None:
    assert walked_from("CallProvider") == ways_out_of("generate")
