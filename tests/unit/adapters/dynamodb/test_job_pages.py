"""Pages of jobs: the range a query asks for is always one DynamoDB takes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.adapters.dynamodb.jobs import DynamoDbJobs
from shoal.adapters.dynamodb.pages import READ_BYTES_MAX, Range, read_page
from shoal.adapters.dynamodb.table import Table
from shoal.domain.errors import ValidationFailed
from shoal.domain.ids import derived_id, first_ulid_at
from shoal.ports.jobs import JobFilter
from tests.support.factories import ACCOUNT

CALL_BYTES_MAX = 2**20
"""What DynamoDB reads for one call, at most."""

MOMENTS = st.integers(0, 2**47)


class EmptyTable:
    """A DynamoDB client with nothing in it that keeps the ranges it was asked for."""

    def __init__(self) -> None:
        self.ranges: list[tuple[str, str]] = []

    def query(self, **arguments: Any) -> dict[str, Any]:
        values = arguments["ExpressionAttributeValues"]
        oldest, newest = values[":oldest"]["S"], values[":newest"]["S"]
        if newest < oldest:
            raise AssertionError("ValidationException: the upper bound is below the lower bound")
        self.ranges.append((oldest, newest))
        return {"Items": []}


class Endless:
    """A DynamoDB client that never runs out of items; keeps how many it was asked for."""

    def __init__(self, item_bytes: int = 0) -> None:
        self.limits: list[int] = []
        self.item_bytes = item_bytes

    def query(self, **arguments: Any) -> dict[str, Any]:
        limit = arguments["Limit"]
        self.limits.append(limit)
        key = {"pk": {"S": "any"}, "sk": {"S": f"JOB#{job_at(0)}"}}
        size = CALL_BYTES_MAX // self.item_bytes if self.item_bytes else limit
        item = {**key, "request": {"S": "鲨" * (self.item_bytes // 3)}}
        return {"Items": [item] * min(limit, size), "LastEvaluatedKey": key}


def ranges(which: JobFilter, cursor: str | None = None) -> list[tuple[str, str]]:
    client: Any = EmptyTable()
    page = DynamoDbJobs(Table(client, "table")).page(ACCOUNT, which, limit=20, cursor=cursor)
    assert (page.jobs, page.next_cursor) == ((), None)
    return list(client.ranges)


def job_at(at_ms: int) -> str:
    return derived_id("job", at_ms, "any").removeprefix("job_")


@given(st.none() | MOMENTS, st.none() | MOMENTS, st.none() | MOMENTS)
def test_no_filter_with_any_cursor_makes_an_impossible_range(
    from_ms: int | None, to_ms: int | None, cursor_ms: int | None
) -> None:
    cursor = None if cursor_ms is None else job_at(cursor_ms)

    assert len(ranges(JobFilter(from_ms=from_ms, to_ms=to_ms), cursor)) <= 1


@given(MOMENTS, MOMENTS, MOMENTS)
def test_a_page_has_only_what_filter_and_cursor_both_allow(from_ms: int, to_ms: int, at_ms: int) -> None:
    cursor, sort_key = job_at(to_ms // 2), f"JOB#{job_at(at_ms)}"
    found = ranges(JobFilter(from_ms=from_ms, to_ms=to_ms), cursor)

    asked_for = any(oldest <= sort_key <= newest for oldest, newest in found)
    assert asked_for == (from_ms <= at_ms < to_ms and job_at(at_ms) < cursor)


def test_a_span_that_ends_in_1970_has_an_end_all_the_same() -> None:
    assert ranges(JobFilter(to_ms=0)) == [(f"JOB#{first_ulid_at(0)}",) * 2]


def test_no_filter_asks_for_every_job() -> None:
    ((oldest, newest),) = ranges(JobFilter())

    assert oldest <= f"JOB#{job_at(0)}" < f"JOB#{job_at(2**48 - 1)}" <= newest


def test_what_is_rare_is_looked_for_in_few_calls_and_not_for_ever() -> None:
    client: Any = Endless()
    within = Range.of("any", "JOB#", None, None, None)

    page = read_page(Table(client, "table"), within, dict, lambda _: False, limit=20, read_max=1000)

    assert client.limits == [21, 42, 84, 168, 336, 500]
    assert (page.found, page.next_cursor, page.read) == ((), job_at(0), sum(client.limits))


def test_what_is_rare_among_large_items_is_looked_for_in_a_few_megabytes() -> None:
    client: Any = Endless(item_bytes=36_000)
    within = Range.of("any", "JOB#", None, None, None)

    page = read_page(Table(client, "table"), within, dict, lambda _: False, limit=20, read_max=1000)

    assert (page.found, page.next_cursor) == ((), job_at(0))
    assert READ_BYTES_MAX <= page.read * 36_000 <= READ_BYTES_MAX + CALL_BYTES_MAX


def test_a_page_of_large_items_that_are_wanted_is_full() -> None:
    client: Any = Endless(item_bytes=36_000)
    within = Range.of("any", "JOB#", None, None, None)

    page = read_page(Table(client, "table"), within, dict, lambda _: True, limit=100, read_max=1000)

    assert len(page.found) == 100


@pytest.mark.parametrize("cursor", ["", "x", "01JD7Q3V9GM8T2XKZ5N4R6W0Y", "JOB#01JD7Q3V9GM8T2XKZ5N4R6W0YB"])
def test_a_cursor_no_page_gave_out_is_refused(cursor: str) -> None:
    with pytest.raises(ValidationFailed) as failed:
        ranges(JobFilter(), cursor)

    assert failed.value.details["fields"][0]["field"] == "cursor"
