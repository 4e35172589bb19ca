"""A worker of each function behind a queue dies with a message in its hands: the work is done all the same.

A worker is stopped first, so that what comes next waits inside it, and then killed. The queues of this stack
hide messages for ten seconds only; how long those of a real one do is a matter of the template.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus

import pytest
import requests

from infra.local.cloud import local_cloud
from shoal.adapters.dynamodb.webhooks import DynamoDbSubscriptions
from tests.chaos.workers import Worker, workers
from tests.support.bus import BusLog
from tests.support.client import Json
from tests.support.deployed import Customer, Deployed, eventually
from tests.support.receiver import Receiver
from tests.support.webhooks import WebhooksClient

HIDDEN_SECONDS = "10"
PROVIDER_DEADLINE_SECONDS = 180
END_SECONDS_MAX = 120.0
QUEUES = {
    "poll-simulated": "QueuesSimulatedPoll",
    "fan-out-event": "QueuesWebhookEvents",
    "deliver-webhook": "QueuesDeliveries",
    "retry-webhook": "QueuesRetries",
    "close-execution": "QueuesClosedExecutions",
}
"""Where the functions get their messages from, by the beginning of the queue's name."""


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """A stack of this file's own: no other test may find its workers dead, or its messages back so soon."""
    folder = tmp_path_factory.mktemp("killed")
    with (
        local_cloud(folder, provider_deadline_s=PROVIDER_DEADLINE_SECONDS) as cloud,
        requests.Session() as http,
    ):
        deployed = Deployed(cloud, http, BusLog(cloud))
        for function in QUEUES:
            cloud.client("sqs").set_queue_attributes(
                QueueUrl=queue_of(deployed, function), Attributes={"VisibilityTimeout": HIDDEN_SECONDS}
            )
        yield deployed


def queue_of(deployed: Deployed, function: str) -> str:
    """The URL of the queue before a function."""
    (source,) = deployed.cloud.client("lambda").list_event_source_mappings(
        FunctionName=f"shoal-local-{function}"
    )["EventSourceMappings"]
    name: str = source["EventSourceArn"].rpartition(":")[2]
    url: str = deployed.cloud.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]
    return url


def workers_of(deployed: Deployed, function: str) -> list[Worker]:
    return [each for each in workers(deployed.cloud.folder) if each.function == function]


class Dying:
    """Stops all of a function's workers, and kills them once one has an invocation in its hands."""

    def __init__(self, deployed: Deployed, function: str) -> None:
        self._stopped = eventually(lambda: workers_of(deployed, function))
        for worker in self._stopped:
            worker.send(signal.SIGSTOP)

    def die(self) -> None:
        eventually(lambda: any(worker.in_hand for worker in self._stopped))
        for worker in self._stopped:
            worker.kill()


def warm_up(deployed: Deployed) -> None:
    """Each function has a worker that could die."""
    for function in (*QUEUES, "submit-job"):
        # What comes of a batch without messages does not matter here.
        deployed.cloud.client("lambda").invoke(FunctionName=f"shoal-local-{function}", Payload=b"{}")
        assert workers_of(deployed, function)


def known_as_good(deployed: Deployed, customer: Customer, webhook_id: str) -> None:
    """What was said to this endpoint was answered quickly, so that its deliveries take the quick lane."""
    subscriptions = DynamoDbSubscriptions(deployed.table)
    subscription = subscriptions.get(customer.account_id, webhook_id)
    subscriptions.note_success(subscription, good=True, now_ms=subscription.created_at_ms + 1)


def await_end(customer: Customer, job_id: str, status: str) -> None:
    eventually(lambda: customer.client.job(job_id)["status"] == status, seconds_max=END_SECONDS_MAX)


def abort(deployed: Deployed, job_id: str) -> None:
    """End a job's execution as nobody planned."""
    arn = deployed.cloud.outputs["StateMachineArn"].replace(":stateMachine:", ":execution:")
    execution = f"{arn}:{job_id}"
    states = deployed.cloud.client("stepfunctions")
    eventually(lambda: states.describe_execution(executionArn=execution)["status"] == "RUNNING")
    states.stop_execution(executionArn=execution)


def ends(receiver: Receiver, job_id: str) -> list[Json]:
    """What the receiver was told of the job's end."""
    events = [json.loads(each.body) for each in list(receiver.requests)]
    return [event for event in events if event["data"].get("job_id") == job_id]


def test_one_death_of_each_function_costs_nobody_a_job(customer: Customer, deployed: Deployed) -> None:
    with Receiver() as receiver, Receiver() as newcomer:
        webhooks = WebhooksClient(customer.client)
        known_as_good(deployed, customer, webhooks.subscribe(receiver.url("/hook"), "image.*")[0])
        webhooks.subscribe(newcomer.url("/hook"), "image.*")
        warm_up(deployed)
        dying = {function: Dying(deployed, function) for function in QUEUES}

        polled = customer.client.submit("A shark [poll]")
        dying["poll-simulated"].die()
        aborted = customer.client.submit("A shark [slow:20]")
        abort(deployed, aborted)
        dying["close-execution"].die()
        for function in ("fan-out-event", "deliver-webhook", "retry-webhook"):
            dying[function].die()

        for job_id in (polled, aborted):
            await_end(customer, job_id, "completed")
            told = eventually(partial(ends, receiver, job_id))
            assert len({event["id"] for event in told}) == 1
            assert eventually(partial(ends, newcomer, job_id))
    assert deployed.troubles() == []


def test_a_submit_whose_function_dies_is_one_job(customer: Customer, deployed: Deployed) -> None:
    warm_up(deployed)
    dying = Dying(deployed, "submit-job")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(customer.client.generate, idempotency_key="key-1")
        dying.die()
        assert first.result().status_code >= HTTPStatus.INTERNAL_SERVER_ERROR

    job_id = customer.client.submit(idempotency_key="key-1")

    await_end(customer, job_id, "completed")
    assert len(customer.client.usage().json()["requests"]) == 1


def begin(deployed: Deployed, customer: Customer, function: str, prompt: str) -> str:
    """A job on its way. One whose execution says nothing of simulated work is stored as a provider's."""
    if function != "store-output":
        return customer.client.submit(prompt)
    job = deployed.accept(customer, prompt)
    deployed.cloud.client("stepfunctions").start_execution(
        stateMachineArn=deployed.cloud.outputs["StateMachineArn"],
        name=job.id,
        input=json.dumps({"account_id": job.account_id, "job_id": job.id}),
    )
    return job.id


@pytest.mark.parametrize(
    ("function", "prompt", "status"),
    [
        ("simulate", "A shark", "completed"),
        ("store-output", "A shark", "completed"),
        ("settle-wallet", "A shark", "completed"),
        ("release-hold", "A shark [fail]", "failed"),
    ],
)
def test_a_death_within_an_execution_costs_nobody_a_job(
    customer: Customer, deployed: Deployed, function: str, prompt: str, status: str
) -> None:
    await_end(customer, begin(deployed, customer, function, prompt), status)
    before, dying = deployed.wallet(customer).balance, Dying(deployed, function)

    job_id = begin(deployed, customer, function, prompt)
    dying.die()

    await_end(customer, job_id, status)
    job = deployed.job(customer, job_id)
    assert job.restarts == 0, "the state was tried again"
    assert deployed.wallet(customer).balance == before - job.cost
    assert (job.cost > 0) is (status == "completed")
