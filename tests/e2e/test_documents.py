"""The stories of the quick start and of the job-status page, played over HTTP."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest

from tests.support.deployed import TEST_DEADLINE_S, Customer, Deployed

JOB_ID = re.compile(r"job_[0-7][0-9A-HJKMNP-TV-Z]{25}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
NINE_FIELDS = [
    "job_id",
    "status",
    "image_url",
    "cost",
    "error",
    "queued_at",
    "started_at",
    "completed_at",
    "created_at",
]


def moment(text: str) -> datetime:
    assert MOMENT.fullmatch(text), text
    return datetime.fromisoformat(text)


def test_the_quick_start_makes_a_picture(deployed: Deployed, customer: Customer) -> None:
    body = {"mode": "2k", "prompt": "A shark swimming in neon-lit deep ocean"}

    accepted = customer.client.request("POST", "/v1/generate", json=body)

    assert accepted.status_code == 202
    assert accepted.headers["Content-Type"] == "application/json"
    assert JOB_ID.fullmatch(accepted.json()["job_id"])
    assert accepted.json() == {
        "job_id": accepted.json()["job_id"],
        "status": "queued",
        "estimated_cost": "$0.02",
    }
    job = customer.client.wait(accepted.json()["job_id"], prefix="/v1")
    assert (job["status"], job["cost"]) == ("complete", "$0.02")
    assert deployed.http.get(job["image_url"]).status_code == 200


def test_the_job_status_page_tells_of_a_completed_job(customer: Customer) -> None:
    accepted = customer.client.request("POST", "/api/v1/image", json={"prompt": "A shark in neon waters"})
    assert (accepted.status_code, accepted.json()["estimated_cost"]) == (202, "$0.02")

    job = customer.client.wait(accepted.json()["job_id"])

    assert list(job) == NINE_FIELDS
    assert (job["status"], job["cost"], job["error"]) == ("completed", "$0.02", None)
    assert job["queued_at"] == job["created_at"]
    assert moment(job["created_at"]) <= moment(job["started_at"]) <= moment(job["completed_at"])


@pytest.mark.parametrize(
    ("prompt", "error"),
    [
        ("[fail] a shark", "The provider failed to generate the image."),
        ("[nsfw] a shark", "The prompt was refused by content moderation."),
        ("[timeout] a shark", f"Provider request timed out after {TEST_DEADLINE_S}s."),
    ],
)
def test_the_job_status_page_tells_of_a_failed_job(customer: Customer, prompt: str, error: str) -> None:
    job = customer.client.wait(customer.client.submit(prompt))

    assert list(job) == NINE_FIELDS
    assert (job["status"], job["error"]) == ("failed", error)
    assert (job["image_url"], job["cost"], job["completed_at"]) == (None, None, None)
    assert moment(job["started_at"])
    assert customer.client.wallet()["balance"] == "$10.00"


def test_a_job_that_waits_is_queued_and_one_that_runs_is_processing(
    deployed: Deployed, customer: Customer
) -> None:
    unstarted = deployed.accept(customer)
    assert the_rest_is_null(customer.client.job(unstarted.id, "/v1")) == "queued"

    running = customer.client.submit("[slow:2] a shark")
    seen = {customer.client.job(running)["status"]}
    while not seen & {"completed", "failed"}:
        job = customer.client.job(running)
        seen.add(job["status"])
        if job["status"] == "processing":
            assert moment(job["started_at"])
            assert (job["image_url"], job["cost"], job["completed_at"]) == (None, None, None)

    assert seen - {"queued"} == {"processing", "completed"}
    assert customer.client.cancel(unstarted.id).status_code == 200


def the_rest_is_null(job: dict[str, Any]) -> str:
    """The status of a job of which nothing more is known yet."""
    known = {"job_id", "status", "queued_at", "created_at"}
    assert {name for name, value in job.items() if value is not None} == known
    status: str = job["status"]
    return status


def test_either_route_reads_a_job_in_its_own_words(customer: Customer) -> None:
    job_id = customer.client.submit()
    assert customer.client.wait(job_id)["status"] == "completed"
    assert customer.client.job(job_id, "/v1")["status"] == "complete"
    assert customer.client.job(job_id) == customer.client.job(job_id, "/v1") | {"status": "completed"}


def test_a_canceled_job_costs_nothing_and_is_canceled_once(customer: Customer) -> None:
    job_id = customer.client.submit("[timeout] a shark", mode="4k")
    assert customer.client.wallet()["held"] == "$0.03"

    canceled = customer.client.request("POST", f"/api/v1/jobs/{job_id}/cancel")

    assert canceled.status_code == 200
    assert list(canceled.json()) == NINE_FIELDS
    assert (canceled.json()["status"], canceled.json()["error"]) == ("failed", "Canceled by request.")
    assert customer.client.wallet() == {
        "balance": "$10.00",
        "held": "$0.00",
        "available": "$10.00",
        "free_generations_left": 3,
    }
    again = customer.client.cancel(job_id)
    assert again.status_code == 409
    assert again.json() == {
        "error": {
            "code": "CONFLICT",
            "message": "The job has already ended. It is canceled.",
            "status": 409,
            "details": {"status": "canceled"},
        }
    }


def test_a_completed_job_cannot_be_canceled(customer: Customer) -> None:
    job_id = customer.client.submit()
    done = customer.client.wait(job_id)

    assert customer.client.cancel(job_id).status_code == 409
    assert customer.client.job(job_id) == done
    assert customer.client.wallet()["balance"] == "$9.99"
