"""The query of a usage request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.dialects.image import parse_usage_query
from shoal.domain.errors import ValidationFailed
from shoal.domain.job import JobStatus
from shoal.ports.jobs import JobFilter

FAILED = frozenset({JobStatus.FAILED, JobStatus.CANCELED, JobStatus.EXPIRED})
CURSOR = "01JD7Q3V9GM8T2XKZ5N4R6W0YB"


def refused(query: dict[str, str]) -> str:
    """The one field a refusal names."""
    with pytest.raises(ValidationFailed) as failed:
        parse_usage_query(query)
    (item,) = failed.value.details["fields"]
    return str(item["field"])


def test_no_query_means_the_newest_twenty() -> None:
    assert parse_usage_query({}) == (JobFilter(), 20, None)


@pytest.mark.parametrize(
    ("word", "statuses"),
    [
        ("queued", frozenset({JobStatus.QUEUED})),
        ("processing", frozenset({JobStatus.PROCESSING})),
        ("complete", frozenset({JobStatus.COMPLETED})),
        ("completed", frozenset({JobStatus.COMPLETED})),
        ("failed", FAILED),
    ],
)
def test_a_status_is_asked_for_in_the_dialects_words(word: str, statuses: frozenset[JobStatus]) -> None:
    assert parse_usage_query({"status": word})[0].statuses == statuses


@pytest.mark.parametrize("word", ["", "canceled", "expired", "done", "QUEUED", "queued,failed", "null"])
def test_another_status_is_refused(word: str) -> None:
    assert refused({"status": word}) == "status"


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2025-11-24T10:40:00Z", 1_763_980_800_000),
        ("2025-11-24T10:40:00.123Z", 1_763_980_800_123),
        ("2025-11-24T11:40:00+01:00", 1_763_980_800_000),
        ("2025-11-24T10:40:00", 1_763_980_800_000),
        ("2025-11-24", 1_763_942_400_000),
    ],
)
def test_a_moment_is_any_iso_8601_time_in_utc_unless_it_says_otherwise(text: str, at_ms: int) -> None:
    assert parse_usage_query({"from": text})[0].from_ms == at_ms
    whole_day_ms = 86_400_000 if len(text) == len("2025-11-24") else 0
    assert parse_usage_query({"to": text})[0].to_ms == at_ms + whole_day_ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "1763980800",
        "2025-13-01",
        "1969-12-31T23:59:59Z",
        "0001-01-01",
        "0001-01-01T00:00:00+14:00",
    ],
)
@pytest.mark.parametrize("name", ["from", "to"])
def test_any_other_moment_is_refused(name: str, text: str) -> None:
    assert refused({name: text}) == name


@given(st.integers(0, 2**46))
def test_every_millisecond_is_read_exactly(at_ms: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)

    assert parse_usage_query({"from": moment.isoformat()})[0].from_ms == at_ms


def test_a_time_span_that_ends_before_it_begins_is_refused() -> None:
    assert refused({"from": "2025-11-25", "to": "2025-11-24"}) == "from"
    assert parse_usage_query({"from": "2025-11-24", "to": "2025-11-24"})


@pytest.mark.parametrize("limit", [1, 20, 100])
def test_a_page_has_1_to_100_requests(limit: int) -> None:
    assert parse_usage_query({"limit": str(limit)})[1] == limit


@pytest.mark.parametrize(
    "text", ["", "0", "101", "-1", "1.0", "ten", "1e2", " 5", "٥", "²", "99999999999", "0000019999", "00"]
)
def test_any_other_limit_is_refused(text: str) -> None:
    assert refused({"limit": text}) == "limit"


def test_a_cursor_is_passed_on_as_it_came() -> None:
    assert parse_usage_query({"cursor": CURSOR})[2] == CURSOR


@pytest.mark.parametrize("name", ["page", "Status", "statuses", ""])
def test_an_unknown_parameter_is_refused_by_name(name: str) -> None:
    assert refused({name: "1"}) == name
