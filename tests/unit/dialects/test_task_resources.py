"""What the tasks dialect answers: envelopes, its own status words, and costs to four decimals."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from shoal.dialects import tasks
from shoal.dialects.answers import tasks as answers
from shoal.domain import families
from shoal.domain.catalog import load_catalog
from shoal.domain.errors import ValidationFailed
from shoal.domain.job import Job, JobFailure, JobStatus, Output
from shoal.domain.models.tariff import Rate, Terms, Unit
from shoal.domain.money import Asset
from shoal.ports.jobs import JobPage
from shoal.use_cases.jobs.quote import Quote
from shoal.use_cases.money.summarize_usage import ModelUsage
from tests.support.factories import CREATED_MS, a_completed_job, a_failed_job, a_job, url_of

CATALOG = load_catalog()
TASK = "gen_01JD7Q3V9GM8T2XKZ5N4R6W0YB"
FIELDS = [
    "id",
    "status",
    "model",
    "type",
    "output",
    "cost",
    "error",
    "metadata",
    "created_at",
    "started_at",
    "completed_at",
    "files",
]
OF_TASK: dict[str, Any] = {
    "id": TASK,
    "family": families.TASKS,
    "model": "nanobanana",
    "mode": None,
    "terms": Terms.flat(10_000),
}


def output(index: int) -> Output:
    return Output(f"images/{TASK}/{index}.png", "image/png", 1024, 1024, 99)


def resource(job: Job, now_ms: int = CREATED_MS) -> answers.Task:
    return tasks.task_resource(job, url_of=url_of, now_ms=now_ms)


def test_a_submit_is_answered_in_the_documents_words() -> None:
    assert tasks.acceptance(a_job(**OF_TASK)) == {
        "data": {
            "id": TASK,
            "status": "pending",
            "model": "nanobanana",
            "type": "image_generate",
            "cost": "$0.00",
            "created_at": "2025-11-24T10:40:00Z",
        },
        "error": None,
    }


def test_a_completed_task_has_every_delivered_output_and_its_cost_to_four_decimals() -> None:
    done = a_completed_job(**OF_TASK, output_count=4, cost=30_000, outputs=tuple(map(output, (0, 2, 3))))

    urls = [f"https://cdn.test/images/{TASK}/{index}.png" for index in (0, 2, 3)]
    measured = {"content_type": "image/png", "bytes": 99, "width": 1024, "height": 1024}
    assert resource(done) == {
        "id": TASK,
        "status": "completed",
        "model": "nanobanana",
        "type": "image_generate",
        "output": {"url": urls[0], "urls": urls},
        "cost": "$0.0300",
        "error": None,
        "metadata": {"order": 1},
        "created_at": "2025-11-24T10:40:00Z",
        "started_at": "2025-11-24T10:40:02Z",
        "completed_at": "2025-11-24T10:40:34Z",
        "files": [{"url": url, **measured} for url in urls],
    }


def test_a_file_is_told_by_what_was_measured_of_it_and_by_what_came_beside_it() -> None:
    preview = Output(f"images/{TASK}/0-1.png", "image/png", 64, 48, 7)
    made = (
        Output(f"images/{TASK}/0.glb", "model/gltf-binary", 0, 0, 800, extras=(preview,)),
        Output(f"images/{TASK}/1.mp3", "audio/mpeg", 0, 0, 900, duration_ms=2_500),
        Output(f"images/{TASK}/2.wav", "audio/wav", 0, 0, 950, duration_ms=3_000),
    )
    shown = resource(a_completed_job(**OF_TASK, outputs=made))

    assert shown["output"]
    assert shown["output"]["urls"] == [
        f"https://cdn.test/images/{TASK}/{name}" for name in ("0.glb", "1.mp3", "2.wav")
    ]
    files = [{name: value for name, value in file.items() if name != "url"} for file in shown["files"]]
    assert files == [
        {"content_type": "model/gltf-binary", "bytes": 800},
        {"content_type": "image/png", "bytes": 7, "width": 64, "height": 48, "extra": True},
        {"content_type": "audio/mpeg", "bytes": 900, "seconds": 2.5},
        {"content_type": "audio/wav", "bytes": 950, "seconds": 3},
    ]


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (JobStatus.QUEUED, "pending"),
        (JobStatus.PROCESSING, "processing"),
        (JobStatus.COMPLETED, "completed"),
        (JobStatus.FAILED, "failed"),
        (JobStatus.CANCELED, "canceled"),
        (JobStatus.EXPIRED, "failed"),
    ],
)
def test_every_status_has_its_word_and_the_same_fields_in_the_same_order(
    status: JobStatus, word: str
) -> None:
    made = a_completed_job(**OF_TASK) if status is JobStatus.COMPLETED else a_job(**OF_TASK, status=status)

    shown = resource(made)

    assert (shown["status"], list(shown)) == (word, FIELDS)
    assert (shown["output"] is None) == (status is not JobStatus.COMPLETED)


@pytest.mark.parametrize(
    ("cost", "shown"), [(10_000, "$0.0100"), (0, "$0.0000"), (12_345, "$0.012345"), (1_000_000, "$1.0000")]
)
def test_a_cost_has_four_decimals_once_it_is_final(cost: int, shown: str) -> None:
    assert resource(a_completed_job(**OF_TASK, cost=cost))["cost"] == shown


def test_a_task_that_did_not_complete_costs_nothing() -> None:
    for job in (a_job(**OF_TASK), a_failed_job(**OF_TASK), a_failed_job(JobStatus.CANCELED, **OF_TASK)):
        assert resource(job)["cost"] == "$0.00"


def test_a_cost_in_credits_is_whole() -> None:
    paid = {**OF_TASK, "asset": Asset.CREDIT, "terms": Terms.flat(1)}

    assert resource(a_completed_job(**paid, cost=1))["cost"] == "1 credit"
    assert resource(a_job(**paid))["cost"] == "0 credits"


def test_a_failed_task_says_why() -> None:
    failed = a_failed_job(**OF_TASK, failure=JobFailure("provider_rejected", "The prompt was refused."))

    shown = resource(failed)

    assert shown["error"] == {"code": "provider_rejected", "message": "The prompt was refused."}
    assert (shown["output"], shown["completed_at"]) == (None, None)


def test_expired_outputs_are_shown_as_such_and_the_cost_stays() -> None:
    kept = a_completed_job(**OF_TASK, cost=10_000, outputs_expire_at_ms=CREATED_MS + 60_000)

    output = resource(kept, CREATED_MS + 59_999)["output"]
    assert output is not None
    assert output["url"] is not None
    expired = resource(kept, CREATED_MS + 60_000)
    assert expired["output"] == {"url": None, "urls": [], "expired": True}
    assert (expired["status"], expired["cost"], expired["error"]) == ("completed", "$0.0100", None)


def test_no_resource_shows_what_is_nobodys_business() -> None:
    secret: dict[str, Any] = {
        "task_tokens": {0: "token-1"},
        "provider_refs": {0: "sim_1"},
        "key_id": "key_1",
        "webhook_url": "https://hooks.test",
    }
    shown = str(resource(a_completed_job(**OF_TASK, **secret)))

    assert not re.search("token-1|sim_1|key_1|acc_|hooks|simulator", shown)


def test_a_list_is_an_envelope_with_a_cursor() -> None:
    page = JobPage((a_job(**OF_TASK),), "01JD7Q3V9GM8T2XKZ5N4R6W0YB")

    shown = tasks.task_list(page, url_of=url_of, now_ms=CREATED_MS)

    assert shown == {
        "data": [resource(a_job(**OF_TASK))],
        "next_cursor": "01JD7Q3V9GM8T2XKZ5N4R6W0YB",
        "error": None,
    }


def test_a_list_is_filtered_by_status_model_and_time() -> None:
    which, limit, cursor = tasks.parse_list_query(
        {
            "status": "failed",
            "model": "flux",
            "from": "1970-01-01T00:00:01Z",
            "to": "1970-01-01",
            "limit": "7",
        }
    )

    assert which.statuses == frozenset({JobStatus.FAILED, JobStatus.EXPIRED})
    assert (which.models, which.from_ms, which.to_ms) == (frozenset({"flux"}), 1_000, 86_400_000)
    assert (limit, cursor) == (7, None)


@pytest.mark.parametrize("word", ["pending", "processing", "completed", "failed", "canceled"])
def test_every_word_a_task_is_shown_with_filters_tasks_shown_with_it(word: str) -> None:
    statuses = tasks.parse_list_query({"status": word})[0].statuses

    assert statuses is not None
    assert {tasks.STATUS_WORDS[status] for status in statuses} == {word}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": "queued"}, "status"),
        ({"status": ""}, "status"),
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "1e1"}, "limit"),
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-13-01"}, "to"),
        ({"from": "1969-12-31"}, "from"),
        ({"from": "2026-01-02", "to": "2026-01-01"}, "from"),
        ({"mode": "2k"}, "mode"),
        ({"x" * 5_000: "1"}, "x" * 100),
    ],
)
def test_a_query_that_makes_no_sense_is_refused_by_name(query: dict[str, str], field: str) -> None:
    with pytest.raises(ValidationFailed) as failed:
        tasks.parse_list_query(query)
    assert [item["field"] for item in failed.value.details["fields"]] == [field]
    if set(query) <= {"from", "to"}:
        with pytest.raises(ValidationFailed):
            tasks.parse_summary_query(query)


def test_a_summary_is_asked_for_by_days() -> None:
    assert tasks.parse_summary_query({}) == (None, None)
    assert tasks.parse_summary_query({"from": "2026-01-01"}) == ("2026-01-01", None)
    asked = {"from": "2026-01-01T23:59:59Z", "to": "2026-01-31T01:00:00+02:00"}
    assert tasks.parse_summary_query(asked) == ("2026-01-01", "2026-01-30")
    with pytest.raises(ValidationFailed):
        tasks.parse_summary_query({"limit": "1"})


def test_a_summary_row_tells_units_requests_and_an_exact_cost() -> None:
    used = [ModelUsage("clip", Asset.CREDIT, 2, 2, 2), ModelUsage("flux", Asset.USD, 7, 175_001, 3)]

    assert tasks.summary_rows(used) == [
        {"model": "clip", "total_units": 2, "total_cost": "2 credits", "request_count": 2},
        {"model": "flux", "total_units": 7, "total_cost": "$0.175001", "request_count": 3},
    ]


def test_a_quote_tells_the_price_of_one_and_of_all() -> None:
    asked = {"model": "nanobanana", "prompt": "A shark", "num_outputs": 3}
    submission = tasks.parse_submission(asked, CATALOG)

    assert tasks.quote_resource(Quote(submission, 8)) == {
        "model": "nanobanana",
        "mode": None,
        "num_outputs": 3,
        "price": "$0.0100",
        "upper_bound": "$0.0300",
        "price_version": CATALOG.price_version,
        "seconds_expected": 8,
    }


def test_a_quote_of_a_measured_price_tells_its_rows_and_the_most_it_comes_to() -> None:
    asked = tasks.parse_submission({"model": "nanobanana", "prompt": "A shark", "num_outputs": 2}, CATALOG)
    terms = Terms(
        (Rate(Unit.SECOND, 62_000), Rate(Unit.INPUT_IMAGE, 1_000)),
        most={Unit.SECOND: 5_500},
        request={Unit.INPUT_IMAGE: 1_000},
    )

    quote = tasks.quote_resource(Quote(replace(asked, terms=terms), 8))

    assert (quote["price"], quote["upper_bound"]) == ("$0.3420", "$0.6830")
    assert quote["rows"] == [
        {"per": "second", "amount": "$0.0620", "units": 5.5},
        {"per": "input_image", "amount": "$0.0010", "units": 1},
    ]
    assert quote["sentence"] == "$0.062 a second and $0.001 an input image"


def test_a_summary_row_tells_what_else_was_charged_by() -> None:
    used = [ModelUsage("clip", Asset.USD, 2, 2, 2, {Unit.SECOND: 12_500, Unit.CHARACTER: 90_000})]

    assert tasks.summary_rows(used)[0]["units"] == {"second": 12.5, "character": 90}
