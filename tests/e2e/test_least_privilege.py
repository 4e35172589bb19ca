"""Every function at work in a cloud that checks each of its calls against its role."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
import requests

from infra import registry
from infra.local.aws import Endpoint
from infra.local.cloud import local_cloud
from tests.local_cloud.lab import Lab
from tests.support import Customer, Deployed, eventually
from tests.support_bus import BusLog
from tests.support_fixtures import pause_sweeper
from tests.support_tasks import MODEL, TasksClient
from tests.workflow.machine import Workshop

SCANS = """
import boto3
def handler(event, context):
    return boto3.client("dynamodb").scan(TableName=event["table"])["Count"]
"""
DENIED = ("AccessDenied", "not authorized to perform", "explicit deny")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The stack in a cloud of its own that enforces IAM."""
    with (
        local_cloud(tmp_path_factory.mktemp("guarded"), enforce_iam=True) as cloud,
        requests.Session() as http,
    ):
        pause_sweeper(cloud)
        yield Deployed(cloud, http, BusLog(cloud))


def use_everything(guarded: Deployed) -> None:
    """Walk through every function, and through every call that each of them makes."""
    customer = guarded.customer()
    workshop = Workshop.of(guarded)
    assert [customer.client.request("GET", path).status_code for path in ("/healthz", "/nowhere")] == [
        200,
        404,
    ]
    for prompt in ("a shark", "[poll] a shark", "[callback] a shark", "[busy:1] a shark"):
        assert customer.client.wait(customer.client.submit(prompt))["status"] == "completed"
    assert customer.client.wait(customer.client.submit("[fail] a shark"))["status"] == "failed"
    assert customer.client.cancel(customer.client.submit("[timeout] a shark")).status_code == 200
    assert customer.client.usage().status_code == 200
    use_tasks(guarded, customer)
    lose_an_input(guarded, customer)
    lose_a_picture(workshop, customer)
    abort(workshop, customer)
    sweep(workshop, customer)
    assert guarded.invoke("audit-ledger", {}) == {"discrepancies": 0}
    assert customer.client.wallet()["held"] == "$0.00"


def use_tasks(guarded: Deployed, customer: Customer) -> None:
    """Tasks of several outputs, edited pictures, outputs that expire, and all there is to read."""
    tasks = TasksClient(customer.client)
    task = tasks.wait(tasks.submit("mugs [fail]", num_outputs=3, ttl_seconds=60))
    assert len(task["output"]["urls"]) == 2
    for way in ("", "[poll]"):
        edited = tasks.submit(f"{way} at night", input_image_urls=task["output"]["urls"])
        assert tasks.wait(edited)["status"] == "completed"
    guarded.expire_outputs(guarded.job(customer, task["id"]))
    assert guarded.sweep() == {"deleted": 1}
    assert tasks.task(task["id"])["output"]["expired"]
    for path in ("/v1/tasks", "/v1/models", "/v1/models/flux", "/v1/usage/summary"):
        assert tasks.data("GET", path)
    assert tasks.data("POST", "/v1/quote", json={"model": MODEL, "prompt": "a mug"})
    canceled = tasks.submit("[timeout] mugs", num_outputs=2)
    assert tasks.data("POST", f"/v1/tasks/{canceled}/cancel")["status"] == "canceled"


def lose_an_input(guarded: Deployed, customer: Customer) -> None:
    """A picture to edit is gone when the provider is asked again."""
    tasks, s3 = TasksClient(customer.client), guarded.cloud.client("s3")
    original = tasks.wait(tasks.submit("a mug"))["output"]["url"]
    task_id = tasks.submit("[slow:2] at night", input_image_urls=[original])
    job = eventually(lambda: job if (job := guarded.job(customer, task_id)).provider_refs else None)
    (key,) = job.request["input_keys"]
    s3.delete_object(Bucket=guarded.cloud.outputs["StagingBucketName"], Key=key)
    assert tasks.wait(task_id)["error"]["code"] == "output_invalid"


def lose_a_picture(workshop: Workshop, customer: Customer) -> None:
    """A delivered object is gone when it is to be stored."""
    job = workshop.processing(customer)
    workshop.answer(job, {"output": {"key": f"{job.account_id}/{job.id}/9"}})
    assert customer.client.wait(job.id)["error"] == "The provider's output is gone."


def abort(workshop: Workshop, customer: Customer) -> None:
    """An execution is stopped from outside."""
    job = workshop.processing(customer)
    workshop.machine.abort(job.id)
    assert customer.client.wait(job.id)["status"] == "failed"


def sweep(workshop: Workshop, customer: Customer) -> None:
    """The sweeper starts one job, closes one whose execution ended without it, and one past its deadline."""
    deployed = workshop.deployed
    unstarted, bereft = deployed.accept(customer), deployed.accept(customer)
    workshop.machine.start(unstarted, name=bereft.id)
    assert workshop.machine.end(bereft.id) == "SUCCEEDED"
    unstarted, unstarted_batch = deployed.accept(customer), deployed.accept_task(customer, "mugs", 2)
    late, late_batch = workshop.processing(customer), workshop.processing_batch(customer, 2)
    for job in (unstarted, unstarted_batch, bereft, late, late_batch):
        deployed.make_due(job)
    assert deployed.sweep() == {"started": 2, "closed": 3}
    assert customer.client.wait(unstarted.id)["status"] == "completed"
    assert customer.client.wait(unstarted_batch.id)["status"] == "completed"


def logged(guarded: Deployed, function: registry.Function) -> str:
    """All that a function has logged."""
    group = f"/aws/lambda/shoal-local-{function.verb.replace('_', '-')}"
    pages = guarded.cloud.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    return "\n".join(event["message"] for page in pages for event in page["events"])


def test_every_function_works_with_what_its_role_allows(guarded: Deployed) -> None:
    use_everything(guarded)

    for function in registry.functions():
        log = eventually(partial(logged, guarded, function))
        assert "START RequestId" in log, f"{function.verb} was not called"
        assert not any(denied in log for denied in DENIED), f"{function.verb} was denied a call:\n{log}"


def test_a_role_allows_nothing_else(guarded: Deployed) -> None:
    functions = guarded.cloud.client("lambda")
    lab = Lab(Endpoint(guarded.cloud.endpoint_url))

    def scan_as(verb: str) -> str | None:
        role = functions.get_function_configuration(FunctionName=f"shoal-local-{verb}")["Role"]
        table = {"table": guarded.cloud.outputs["TableName"]}
        error: str | None = lab.invoke(lab.function(SCANS, role=role), table)["error"]
        return error

    assert scan_as("audit-ledger") is None
    assert scan_as("sweep-jobs") == "Unhandled"
    assert scan_as("store-output") == "Unhandled"
