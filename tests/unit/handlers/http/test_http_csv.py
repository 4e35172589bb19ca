"""Usage as CSV for callers who ask for it."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from tests.support.api import Api, Response
from tests.worlds.world import Customer

CSV: dict[str, str | None] = {"accept": "text/csv"}


def rows(answer: Response) -> list[dict[str, str]]:
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.text.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_the_summary_has_the_same_rows_as_csv(api: Api, customer: Customer) -> None:
    api.world.completed(customer, model="nanobanana", num_outputs=2)
    api.world.completed(customer, model="flux")
    told: list[dict[str, Any]] = api.call("http_get_usage_summary", customer, query={}).json["data"]

    answer = api.call("http_get_usage_summary", customer, query={}, headers=CSV)

    assert rows(answer) == [{name: str(value) for name, value in row.items()} for row in told]
    assert answer.text.splitlines()[0] == "model,total_units,total_cost,request_count"


def test_an_empty_summary_is_a_line_of_columns(api: Api, customer: Customer) -> None:
    answer = api.call("http_get_usage_summary", customer, query={}, headers=CSV)

    assert answer.text == "model,total_units,total_cost,request_count\r\n"


@pytest.mark.parametrize(
    ("name", "done"), [("http_get_usage", "complete"), ("http_get_api_usage", "completed")]
)
def test_requests_as_csv_are_spelled_for_the_route_and_paged_by_header(
    api: Api, customer: Customer, name: str, done: str
) -> None:
    world = api.world
    jobs = []
    for body in ({"mode": "2k"}, {"model": "nanobanana", "num_outputs": 3}):
        world.clock.pass_seconds(1)
        jobs.append(world.completed(customer, **body))

    first = api.call(name, customer, query={"limit": "1"}, headers=CSV)
    cursor = first.headers["Next-Cursor"]
    last = api.call(name, customer, query={"limit": "1", "cursor": cursor}, headers=CSV)

    assert [(row["job_id"], row["status"], row["cost"]) for row in rows(first) + rows(last)] == [
        (jobs[1].id, done, "$0.03"),
        (jobs[0].id, done, "$0.02"),
    ]
    assert "Next-Cursor" not in last.headers
    assert first.text.splitlines()[0] == "job_id,status,model,mode,cost,created_at,completed_at"


def test_what_is_not_known_is_an_empty_cell(api: Api, customer: Customer) -> None:
    api.world.queued(customer, model="flux")

    (row,) = rows(api.call("http_get_usage", customer, query={}, headers=CSV))

    assert (row["status"], row["mode"], row["cost"], row["completed_at"]) == ("queued", "", "", "")


@pytest.mark.parametrize(
    "accept",
    [
        "text/csv;q=0.9",
        "TEXT/CSV",
        "application/json;q=0.1, text/csv",
        "text/csv, application/json",
        "text/csv ; q=0.5, */*",
    ],
)
def test_csv_may_be_asked_for_in_any_spelling(api: Api, customer: Customer, accept: str) -> None:
    answer = api.call("http_get_usage_summary", customer, query={}, headers={"accept": accept})

    assert answer.headers["Content-Type"].startswith("text/csv")


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "",
        "*/*",
        "application/json",
        "text/html",
        "text/csvx",
        "text/csv;q=0",
        "application/json, text/csv;q=0.9",
        "text/csv;q=nan",
    ],
)
def test_without_asking_for_it_it_is_json(api: Api, customer: Customer, accept: str | None) -> None:
    answer = api.call("http_get_usage_summary", customer, query={}, headers={"accept": accept})

    assert answer.json == {"data": [], "error": None}


def test_an_error_is_json_whatever_was_asked_for(api: Api, customer: Customer) -> None:
    answer = api.call("http_get_usage_summary", customer, query={"from": "x"}, headers=CSV)

    assert (answer.status, answer.error["code"]) == (422, "validation_error")
