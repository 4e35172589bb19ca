"""From when to when: a date above means its whole day."""

from __future__ import annotations

import pytest

from shoal.dialects.fields import DAY_MS, parse_range
from shoal.dialects.image import parse_usage_query
from shoal.dialects.tasks import parse_list_query, parse_summary_query
from shoal.dialects.webhooks import parse_deliveries_query
from shoal.domain.errors import ValidationFailed

DAY = "2026-01-31"
DAY_BEGINS_MS = 1_769_817_600_000


def test_one_day_is_the_whole_of_it() -> None:
    """`from` and `to` of one day gave no rows in lists, and the whole day in the summary."""
    query, whole = {"from": DAY, "to": DAY}, (DAY_BEGINS_MS, DAY_BEGINS_MS + DAY_MS)

    assert parse_range(query) == whole
    for which in (parse_usage_query(query)[0], parse_list_query(query)[0], parse_deliveries_query(query)[0]):
        assert (which.from_ms, which.to_ms) == whole
    assert parse_summary_query(query) == (DAY, DAY)


@pytest.mark.parametrize("day", ["20260131", "2026-W05-6"])
def test_a_date_is_a_date_in_any_form_of_iso_8601(day: str) -> None:
    assert parse_range({"to": day}) == (None, DAY_BEGINS_MS + DAY_MS)


def test_a_moment_is_a_moment_at_midnight_too() -> None:
    query = {"to": f"{DAY}T00:00:00Z"}

    assert parse_range(query) == (None, DAY_BEGINS_MS)
    assert parse_summary_query(query) == (None, DAY)


@pytest.mark.parametrize(
    ("begin", "end"),
    [("2026-02-01", DAY), ("2026-02-01T00:00:00Z", DAY), (f"{DAY}T01:00:00Z", f"{DAY}T00:00:00Z")],
)
def test_the_end_is_not_before_the_beginning(begin: str, end: str) -> None:
    with pytest.raises(ValidationFailed):
        parse_range({"from": begin, "to": end})


def test_a_day_may_begin_in_its_middle() -> None:
    assert parse_range({"from": f"{DAY}T12:00:00Z", "to": DAY}) == (
        DAY_BEGINS_MS + DAY_MS // 2,
        DAY_BEGINS_MS + DAY_MS,
    )
