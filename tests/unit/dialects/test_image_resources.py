"""What the image dialect answers: the published fields, spelled for the route."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from shoal.dialects.answers import image as answers
from shoal.dialects.fields import iso_seconds
from shoal.dialects.image import (
    acceptance,
    job_resource,
    status_word,
    usage_resource,
    wallet_resource,
)
from shoal.domain.job import Job, JobStatus
from shoal.domain.money import Asset
from shoal.domain.wallet import Wallet
from shoal.ports.jobs import JobPage
from tests.support.factories import ACCOUNT, CREATED_MS, JOB, a_completed_job, a_failed_job, a_job, url_of

FIELDS = [
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
CREATED = "2025-11-24T10:40:00Z"
STARTED = "2025-11-24T10:40:02Z"


def resource(job: Job, complete: answers.Success = "completed", now_ms: int = CREATED_MS) -> answers.Job:
    return job_resource(job, complete=complete, url_of=url_of, now_ms=now_ms)


def test_a_submit_is_answered_with_three_fields() -> None:
    assert acceptance(a_job()) == {"job_id": JOB, "status": "queued", "estimated_cost": "$0.02"}


def test_a_free_trial_is_estimated_at_nothing() -> None:
    assert acceptance(a_job(free_trial=True))["estimated_cost"] == "$0.00"


def test_a_queued_job_has_the_nine_fields_and_says_null_where_nothing_is_known() -> None:
    assert resource(a_job()) == {
        "job_id": JOB,
        "status": "queued",
        "image_url": None,
        "cost": None,
        "error": None,
        "queued_at": CREATED,
        "started_at": None,
        "completed_at": None,
        "created_at": CREATED,
    }


def test_a_processing_job_has_started() -> None:
    job = a_job(status=JobStatus.PROCESSING, started_at_ms=CREATED_MS + 2_000)

    assert resource(job) == resource(a_job()) | {"status": "processing", "started_at": STARTED}


def test_a_completed_job_has_its_picture_and_its_cost() -> None:
    assert resource(a_completed_job()) == {
        "job_id": JOB,
        "status": "completed",
        "image_url": f"https://cdn.test/images/{JOB}/0.png",
        "cost": "$0.02",
        "error": None,
        "queued_at": CREATED,
        "started_at": STARTED,
        "completed_at": "2025-11-24T10:40:34Z",
        "created_at": CREATED,
    }


def test_a_completed_free_trial_cost_nothing() -> None:
    assert resource(a_completed_job(free_trial=True, cost=0))["cost"] == "$0.00"


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELED, JobStatus.EXPIRED])
def test_a_job_that_ended_otherwise_has_an_error_and_never_completed(status: JobStatus) -> None:
    assert resource(a_failed_job(status)) == {
        "job_id": JOB,
        "status": "failed",
        "image_url": None,
        "cost": None,
        "error": "Provider request timed out after 180s.",
        "queued_at": CREATED,
        "started_at": STARTED,
        "completed_at": None,
        "created_at": CREATED,
    }


@pytest.mark.parametrize("status", JobStatus)
@pytest.mark.parametrize("complete", ["complete", "completed"])
def test_the_fields_stand_in_the_documents_order_in_every_status(
    status: JobStatus, complete: answers.Success
) -> None:
    made = a_completed_job() if status is JobStatus.COMPLETED else a_job(status=status)

    shown = resource(made, complete)

    assert list(shown) == FIELDS
    assert shown["status"] in ("queued", "processing", "failed", complete)


@pytest.mark.parametrize(
    ("status", "quick_start", "status_page"),
    [
        (JobStatus.QUEUED, "queued", "queued"),
        (JobStatus.PROCESSING, "processing", "processing"),
        (JobStatus.COMPLETED, "complete", "completed"),
        (JobStatus.FAILED, "failed", "failed"),
        (JobStatus.CANCELED, "failed", "failed"),
        (JobStatus.EXPIRED, "failed", "failed"),
    ],
)
def test_only_success_is_spelled_in_two_ways(status: JobStatus, quick_start: str, status_page: str) -> None:
    assert status_word(a_job(status=status), "complete") == quick_start
    assert status_word(a_job(status=status), "completed") == status_page


def test_moments_are_iso_8601_to_the_second_in_utc() -> None:
    assert iso_seconds(0) == "1970-01-01T00:00:00Z"
    assert iso_seconds(CREATED_MS) == CREATED
    assert iso_seconds(CREATED_MS + 876) == CREATED
    assert iso_seconds(CREATED_MS + 877) == "2025-11-24T10:40:01Z"
    assert iso_seconds(None) is None


def test_a_wallet_shows_four_amounts() -> None:
    wallet = Wallet(ACCOUNT, Asset.USD, balance=10_000_000, held=20_000, free_generations=3)

    assert wallet_resource(wallet) == {
        "balance": "$10.00",
        "held": "$0.02",
        "available": "$9.98",
        "free_generations_left": 3,
    }


def test_a_usage_page_lists_requests_and_where_to_go_on() -> None:
    page = JobPage((a_completed_job(), a_failed_job(), a_job()), next_cursor="01JD7Q3V9GM8T2XKZ5N4R6W0YB")

    shown = usage_resource(page, complete="complete")

    assert shown["next_cursor"] == "01JD7Q3V9GM8T2XKZ5N4R6W0YB"
    assert [row["status"] for row in shown["requests"]] == ["complete", "failed", "queued"]
    assert shown["requests"][0] == {
        "job_id": JOB,
        "status": "complete",
        "model": "shoal-image",
        "mode": "2k",
        "prompt": "A shark",
        "cost": "$0.02",
        "error": None,
        "created_at": CREATED,
        "completed_at": "2025-11-24T10:40:34Z",
    }
    assert [row["cost"] for row in shown["requests"]] == ["$0.02", None, None]


def test_the_last_usage_page_says_so() -> None:
    assert usage_resource(JobPage((), None), complete="completed") == {"requests": [], "next_cursor": None}


@pytest.mark.parametrize("job", [a_job(), a_completed_job(), a_failed_job(JobStatus.CANCELED)])
def test_no_resource_shows_what_is_nobodys_business(job: Job) -> None:
    secret: dict[str, Any] = {
        "task_tokens": {0: "token-1"},
        "provider_refs": {0: "sim_1"},
        "key_id": "key_1",
        "submission": replace(job.submission, webhook_url="https://hooks.test"),
    }
    shown = str(resource(replace(job, **secret)))

    assert not re.search("token-1|sim_1|key_1|acc_|hooks", shown)
