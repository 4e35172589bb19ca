"""Events: the envelope of the contract, and ids that repeat."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.domain import families
from shoal.domain.events import (
    Event,
    closing_events,
    ending_events,
    iso_ms,
    opening_events,
    output_url,
    traceparent_of,
)
from shoal.domain.job import Job, JobStatus
from shoal.domain.money import Asset
from tests.support.factories import (
    ACCOUNT,
    CREATED_MS,
    JOB,
    PUBLIC_URL,
    REQUEST,
    VIDEOS_BUCKET,
    a_completed_job,
    a_failed_job,
    a_job,
    url_of,
)


def by_type(events: list[Event]) -> dict[str, dict[str, Any]]:
    return {event.type: event.detail for event in events}


def test_a_started_job_is_created_and_then_processing() -> None:
    events = opening_events(a_job(status=JobStatus.PROCESSING, started_at_ms=CREATED_MS + 2_000))

    assert [(event.type, event.detail["data"]["status"]) for event in events] == [
        ("job.created", "queued"),
        ("job.processing", "processing"),
    ]
    assert events[0].detail["created_at"] == "2025-11-24T10:40:00.123Z"
    assert events[1].detail["created_at"] == "2025-11-24T10:40:02.123Z"


def test_the_envelope_is_the_webhooks_plus_the_account() -> None:
    detail = by_type(ending_events(a_completed_job(), url_of))["image.completed"]

    of_the_bus = {"account_id", "schema_version", "traceparent", "files"}
    assert set(detail) == {"id", "type", "created_at", "data"} | of_the_bus
    assert detail["id"].startswith("evt_")
    assert detail["type"] == "image.completed"
    assert detail["account_id"] == ACCOUNT
    assert detail["created_at"] == "2025-11-24T10:40:34.623Z"


def test_a_completed_job_tells_its_picture_and_its_cost() -> None:
    data = by_type(ending_events(a_completed_job(), partial(output_url, public_url=f"{PUBLIC_URL}/")))[
        "job.completed"
    ]["data"]

    url = f"{PUBLIC_URL}/images/{JOB}/0.png"
    assert data == {
        "job_id": JOB,
        "dialect": "image",
        "model": "shoal-image",
        "mode": "2k",
        "test": False,
        "metadata": {"order": 1},
        "created_at": "2025-11-24T10:40:00.123Z",
        "status": "completed",
        "closed_at": "2025-11-24T10:40:34.623Z",
        "cost": "$0.02",
        "image_url": url,
        "urls": [url],
        "error": None,
    }


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELED, JobStatus.EXPIRED])
def test_a_job_that_ended_otherwise_has_failed_in_its_events(status: JobStatus) -> None:
    events = by_type(ending_events(a_failed_job(status), url_of))

    assert list(events) == ["image.failed", "job.failed"]
    data = events["image.failed"]["data"]
    assert (data["status"], data["cost"], data["image_url"], data["urls"]) == (status, "$0.00", None, [])
    assert data["error"] == {
        "code": "provider_timeout",
        "message": "Provider request timed out after 180s.",
    }


def test_the_tasks_dialect_has_an_event_of_its_own() -> None:
    events = by_type(ending_events(a_completed_job(family=families.TASKS), url_of))

    assert list(events) == ["task.completed", "job.completed"]


def test_a_cost_in_credits_is_a_whole_number() -> None:
    job = a_completed_job(asset=Asset.CREDIT, cost=3)

    assert ending_events(job, url_of)[0].detail["data"]["cost"] == "3"


def test_play_money_is_said_to_be_play_money() -> None:
    job = a_completed_job(asset=Asset.TEST_USD)

    assert ending_events(job, url_of)[0].detail["data"]["test"] is True


def test_events_made_twice_are_the_same_events() -> None:
    job = a_completed_job()
    opened = a_job(started_at_ms=CREATED_MS + 1)

    assert ending_events(job, url_of) == ending_events(job, url_of)
    assert opening_events(opened) == opening_events(opened)


def test_no_two_events_of_a_job_share_an_id() -> None:
    job = a_completed_job()
    events = opening_events(job) + ending_events(job, url_of)

    assert len({event.detail["id"] for event in events}) == 4


def test_ids_differ_between_jobs_of_the_same_moment() -> None:
    other = a_completed_job(id=JOB[:-1] + "C")

    assert not {event.detail["id"] for event in ending_events(a_completed_job(), url_of)} & {
        event.detail["id"] for event in ending_events(other, url_of)
    }


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n",
    ],
)
def test_a_trace_that_is_none_is_not_followed(header: str | None) -> None:
    assert traceparent_of(header) is None


def test_all_that_is_told_of_a_job_is_of_one_trace() -> None:
    given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    job = a_completed_job()
    followed = replace(job, submission=replace(job.submission, traceparent=traceparent_of(given)))

    def traces(job: Job) -> set[str]:
        told = [*opening_events(job), *closing_events(job, url_of, VIDEOS_BUCKET)]
        assert "wallet.captured" in by_type(told)
        return {event.detail["traceparent"] for event in told}

    (made,) = traces(job)
    assert traceparent_of(made) == made
    assert traces(followed) == {given}
    assert traces(replace(job, id=JOB[:-1] + "C")) != {made}


def test_the_largest_event_stays_below_20_kb() -> None:
    request = {**REQUEST, "prompt": "x" * 4_000, "metadata": {"note": "x" * 4_000}}

    for event in ending_events(a_completed_job(request=request), url_of):
        assert len(json.dumps(event.detail)) < 20_000
        assert "xxxx" in json.dumps(event.detail["data"]["metadata"])


def test_the_state_machine_gets_an_entry_without_the_bus() -> None:
    event = Event("job.created", {"id": "evt_1"})

    assert event.entry() == {"DetailType": "job.created", "Detail": {"id": "evt_1"}}


@pytest.mark.parametrize(
    ("at_ms", "text"), [(0, "1970-01-01T00:00:00.000Z"), (CREATED_MS, "2025-11-24T10:40:00.123Z")]
)
def test_moments_are_iso_8601_with_milliseconds(at_ms: int, text: str) -> None:
    assert iso_ms(at_ms) == text


@given(st.integers(0, 2**47))
def test_no_moment_is_off_by_a_millisecond(at_ms: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)

    assert datetime.fromisoformat(iso_ms(at_ms)) == moment
