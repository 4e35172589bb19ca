"""Functions that ask providers, sweep and cancel die with work in their hands: it is done once all the same.

The providers are fakes. As in `test_killed_workers`, a worker is stopped first and then killed.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import pytest
from botocore.exceptions import ClientError

from shoal.domain.job import HoldState, Job
from tests.e2e.test_killed_workers import END_SECONDS_MAX, HIDDEN_SECONDS, Dying, queue_of, workers_of
from tests.fakes.providers.server import FakeProvider
from tests.support.deployed import Customer, Deployed, eventually
from tests.support.tasks import TasksClient
from tests.support.upstreams import Upstreams, upstreams

BALANCE = 10_000_000
"""Of a new account, in micro-dollars."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstreams]:
    """A stack of this file's own: no other test may find its workers dead, or its messages back so soon."""
    with upstreams(tmp_path_factory.mktemp("killed")) as started:
        started.deployed.cloud.client("sqs").set_queue_attributes(
            QueueUrl=queue_of(started.deployed, "poll-provider"),
            Attributes={"VisibilityTimeout": HIDDEN_SECONDS},
        )
        yield started


def dying(deployed: Deployed, function: str) -> Dying:
    """A function that has a worker, which will die."""
    # What comes of an event that says nothing does not matter here.
    deployed.cloud.client("lambda").invoke(FunctionName=f"shoal-local-{function}", Payload=b"{}")
    assert workers_of(deployed, function)
    return Dying(deployed, function)


def begun(fake: FakeProvider) -> int:
    """How often the fake was asked to begin something."""
    return sum(asked.method == "POST" for asked in fake.requests)


def ended(deployed: Deployed, customer: Customer, job_id: str) -> Job:
    def look() -> Job | None:
        job = deployed.job(customer, job_id)
        return job if job.closed_at_ms else None

    return eventually(look, seconds_max=END_SECONDS_MAX)


@pytest.mark.parametrize(
    ("function", "model", "provider"),
    [("call-provider", "gpt-image", "openai"), ("poll-provider", "flux", "fal")],
)
def test_a_picture_whose_function_dies_is_made_and_paid_once(
    stage: Upstreams, function: str, model: str, provider: str
) -> None:
    deployed, customer, fake = stage.deployed, stage.deployed.customer(), getattr(stage, provider)
    killed, before = dying(deployed, function), begun(fake)

    job_id = TasksClient(customer.client).submit("a red fox", model=model)
    killed.die()

    job = ended(deployed, customer, job_id)
    assert (job.hold_state, job.restarts) == (HoldState.CAPTURED, 0), "tried again by who had it in hand"
    assert begun(fake) == before + 1, "the provider is asked once"
    wallet = deployed.wallet(customer)
    assert (wallet.balance, wallet.held) == (BALANCE - job.submission.unit_price, 0)


def test_what_a_sweep_that_dies_had_found_the_next_one_sees_to(stage: Upstreams) -> None:
    deployed, customer = stage.deployed, stage.deployed.customer()
    killed = dying(deployed, "sweep-jobs")
    job = deployed.accept(customer)
    deployed.make_due(job)
    with ThreadPoolExecutor(1) as pool:
        swept = pool.submit(deployed.sweep)
        killed.die()
        with pytest.raises((AssertionError, ClientError)):
            swept.result()

    assert deployed.sweep()["started"] == 1

    job = ended(deployed, customer, job.id)
    assert job.hold_state is HoldState.CAPTURED
    wallet = deployed.wallet(customer)
    assert (wallet.balance, wallet.held) == (BALANCE - job.cost, 0)


def test_a_cancel_whose_function_dies_and_that_is_sent_again_is_one(stage: Upstreams) -> None:
    deployed, customer = stage.deployed, stage.deployed.customer()
    killed = dying(deployed, "cancel-job")
    job = deployed.accept(customer)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(customer.client.cancel, job.id)
        killed.die()
        assert first.result().status_code >= HTTPStatus.INTERNAL_SERVER_ERROR

    assert customer.client.cancel(job.id).status_code == HTTPStatus.OK

    late = customer.client.cancel(job.id)
    assert late.status_code == HTTPStatus.CONFLICT
    assert late.json()["error"]["details"]["status"] == "canceled"
    assert deployed.job(customer, job.id).hold_state is HoldState.RELEASED
    wallet = deployed.wallet(customer)
    assert (wallet.balance, wallet.held) == (BALANCE, 0)
    assert deployed.ledger.discrepancies(customer.account_id) == []
