"""`Prefer: wait=N`: the answer comes when the job has ended, or after N seconds as it is then."""

from __future__ import annotations

import pytest

from shoal.domain.errors import Unavailable
from shoal.use_cases.jobs.await_job import AwaitJob
from tests.support.api import Api
from tests.worlds.machine import Stage
from tests.worlds.world import Customer

TASK = {"model": "nanobanana", "prompt": "A shark"}
IMAGE = {"mode": "2k", "prompt": "A shark"}


@pytest.fixture
def running(api: Api) -> Api:
    """The stage goes on while a caller waits."""
    world, stage = api.world, Stage(api.world)

    def sleep(seconds: float) -> None:
        stage.run(until_ms=world.clock.ms + round(seconds * 1000))

    world.await_job = AwaitJob(world.jobs, world.clock, sleep)
    return api


def test_a_quick_task_is_answered_whole(running: Api, customer: Customer) -> None:
    answer = running.generate(customer, TASK | {"num_outputs": 2}, prefer="wait=20")

    assert (answer.status, answer.headers["Preference-Applied"]) == (200, "wait=20")
    assert (answer.json["data"]["status"], answer.json["error"]) == ("completed", None)
    assert len(answer.json["data"]["output"]["urls"]) == 2


def test_a_quick_image_is_answered_whole(running: Api, customer: Customer) -> None:
    answer = running.generate(customer, IMAGE, prefer="wait=20")

    assert (answer.status, answer.json["status"]) == (200, "complete")
    assert answer.json["image_url"].startswith("https://cdn.test/images/")


def test_a_failed_task_is_answered_as_well(running: Api, customer: Customer) -> None:
    answer = running.generate(customer, TASK | {"prompt": "[fail]"}, prefer="wait=20")

    assert (answer.status, answer.json["data"]["status"]) == (200, "failed")


def test_a_slow_task_is_answered_as_it_is_when_the_time_is_up(running: Api, customer: Customer) -> None:
    began_ms = running.world.clock.ms

    answer = running.generate(customer, TASK | {"prompt": "[slow:60]"}, prefer="wait=7")

    assert (answer.status, answer.json["data"]["status"]) == (202, "processing")
    assert running.world.clock.ms - began_ms == 7_000


@pytest.mark.parametrize(("asked", "applied"), [("25", "25"), ("26", "25"), ("9999", "25")])
def test_nobody_waits_longer_than_25_seconds(
    running: Api, customer: Customer, asked: str, applied: str
) -> None:
    began_ms = running.world.clock.ms

    answer = running.generate(customer, TASK | {"prompt": "[slow:60]"}, prefer=f"wait={asked}")

    assert answer.headers["Preference-Applied"] == f"wait={applied}"
    assert running.world.clock.ms - began_ms == 25_000


def test_time_spent_on_fetching_pictures_is_not_waited_again(running: Api, customer: Customer) -> None:
    world = running.world
    world.caller_http.pages["https://slow.test"] = b"cat"
    world.network.before("caller_http.fetch", lambda: world.clock.pass_seconds(18))
    began_ms = world.clock.ms

    body = TASK | {"prompt": "[slow:60]", "input_image_urls": ["https://slow.test"]}
    answer = running.generate(customer, body, prefer="wait=25")

    assert answer.headers["Preference-Applied"] == "wait=9"
    assert world.clock.ms - began_ms == 27_000


@pytest.mark.parametrize("prefer", ["wait=0", "respond-async", "wait=soon", ""])
def test_without_a_usable_preference_the_answer_comes_at_once(
    running: Api, customer: Customer, prefer: str
) -> None:
    began_ms = running.world.clock.ms

    answer = running.generate(customer, TASK, prefer=prefer)

    assert (answer.status, answer.json["data"]["status"]) == (202, "pending")
    assert "Preference-Applied" not in answer.headers
    assert running.world.clock.ms == began_ms


def test_a_replayed_submit_waits_for_the_same_task(running: Api, customer: Customer) -> None:
    first = running.generate(customer, TASK, idempotency_key="order-1")
    again = running.generate(customer, TASK, idempotency_key="order-1", prefer="wait=10")

    assert again.headers["Idempotent-Replayed"] == "true"
    assert (again.status, again.json["data"]["status"]) == (200, "completed")
    assert again.json["data"]["id"] == first.json["data"]["id"]


def test_what_was_accepted_never_looks_refused(running: Api, customer: Customer) -> None:
    running.world.network.fail("jobs.get", Unavailable())

    answer = running.generate(customer, TASK, prefer="wait=10")

    assert (answer.status, answer.json["data"]["status"]) == (202, "pending")
    assert "Preference-Applied" not in answer.headers


def test_a_refused_submit_is_not_waited_for(running: Api, customer: Customer) -> None:
    began_ms = running.world.clock.ms

    assert running.generate(customer, TASK | {"num_outputs": 9}, prefer="wait=10").status == 422
    assert running.world.clock.ms == began_ms


def test_a_task_is_waited_for_where_it_is_read(running: Api, customer: Customer) -> None:
    job = running.world.queued(customer, model="flux", prompt="[slow:4] A shark")

    early = running.call("http_get_task", customer, job_id=job.id, headers={"prefer": "wait=2"})
    late = running.call("http_get_task", customer, job_id=job.id, headers={"prefer": "wait=20"})
    over = running.call("http_get_task", customer, job_id=job.id, headers={"prefer": "wait=20"})

    assert (early.status, early.json["data"]["status"]) == (200, "processing")
    assert (late.status, late.json["data"]["status"]) == (200, "completed")
    assert (over.json, "Preference-Applied" in over.headers) == (late.json, False)
