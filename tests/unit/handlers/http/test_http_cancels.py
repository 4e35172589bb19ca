"""Cancels with an `Idempotency-Key`, in the words of every API that is spoken."""

from __future__ import annotations

import json

import pytest

from shoal.domain.errors import Unavailable
from shoal.domain.idempotency import LIFETIME_MS
from tests.support.api import Api, Response
from tests.support.events import event
from tests.worlds.world import Customer

CANCELS = ("http_post_cancel", "http_post_api_cancel", "http_post_task_cancel", "http_post_video_cancel")
KEY = {"idempotency-key": "once"}

cancels = pytest.mark.parametrize("name", CANCELS)


def cancel(api: Api, customer: Customer, name: str, job_id: str, body: str | None = None) -> Response:
    return api.call(name, customer, headers=dict(KEY), job_id=job_id, body=body)


def code_of(answer: Response) -> str:
    """However the API nests it, and in whatever letters it is."""
    return str(answer.json.get("error", answer.json)["code"]).lower()


@cancels
def test_a_repeated_cancel_gets_the_same_answer_marked(api: Api, customer: Customer, name: str) -> None:
    job, world = api.world.processing(customer), api.world

    first = cancel(api, customer, name, job.id)
    done, told = world.wallet(customer), world.bus.types()
    world.clock.pass_seconds(60)
    again = cancel(api, customer, name, job.id)

    assert (first.status, again.status, again.text) == (200, 200, first.text)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (world.wallet(customer), world.bus.types()) == (done, told)


@cancels
def test_a_cancel_whose_answer_was_lost_is_told_again(api: Api, customer: Customer, name: str) -> None:
    job = api.world.processing(customer)
    api.world.network.fail("ledger.cancel", Unavailable(), lost_reply=True)

    lost = cancel(api, customer, name, job.id)
    again = cancel(api, customer, name, job.id)

    assert (lost.status, again.status) == (503, 200)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert api.world.entries(customer) == ["top_up", "hold", "release"]


@cancels
@pytest.mark.parametrize("other", ["job", "body"])
def test_a_key_is_good_for_one_job_and_one_body(api: Api, customer: Customer, name: str, other: str) -> None:
    jobs = [api.world.processing(customer) for _ in range(2)]
    cancel(api, customer, name, jobs[0].id)

    wanted = {"job": (jobs[1].id, None), "body": (jobs[0].id, '{"reason":"late"}')}[other]
    answer = cancel(api, customer, name, *wanted)

    assert (answer.status, code_of(answer)) == (422, "idempotency_key_reused")
    assert f"It made {jobs[0].id}." in answer.text
    assert not api.world.now(jobs[1]).status.terminal


@cancels
def test_a_key_that_is_in_flight_is_refused_for_now(api: Api, customer: Customer, name: str) -> None:
    job = api.world.processing(customer)
    api.world.ledger.in_flight.add("once")

    answer = cancel(api, customer, name, job.id)

    assert (answer.status, code_of(answer), answer.headers["Retry-After"]) == (
        409,
        "idempotency_in_flight",
        "1",
    )
    assert not api.world.now(job).status.terminal


def test_a_job_that_ended_is_not_canceled_and_the_key_stays_unused(api: Api, customer: Customer) -> None:
    done, job = api.world.completed(customer), api.world.processing(customer)

    assert cancel(api, customer, "http_post_cancel", done.id).status == 409
    assert cancel(api, customer, "http_post_cancel", job.id).status == 200


def test_a_key_is_forgotten_after_a_day(api: Api, customer: Customer) -> None:
    job = api.world.processing(customer)
    cancel(api, customer, "http_post_cancel", job.id)
    api.world.clock.pass_seconds(LIFETIME_MS // 1000)

    assert cancel(api, customer, "http_post_cancel", job.id).status == 409


def test_the_events_of_cancels_bring_no_key(api: Api) -> None:
    """Or the tests of cancels without one would test those with."""
    assert all("idempotency-key" not in json.dumps(event(name)).lower() for name in CANCELS)
