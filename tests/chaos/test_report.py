"""The chaos is judged by what it promises, and only by that."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tests.chaos.orders import KINDS, Order
from tests.chaos.report import IMAGE_SECONDS_MAX, Report

GOOD = Report(
    orders=[
        Order("image", KINDS["image"][1], job_id="job_1", status="completed", seconds=3.0),
        Order("image, canceled", KINDS["image, canceled"][1], job_id="job_2", status="failed", seconds=2.0),
    ],
    untold=[],
    undelivered=[],
    discrepancies=0,
    dead_letters={},
    kills=Counter(),
    pauses=Counter(),
    faults=Counter(),
)


def order(**changes: object) -> Order:
    return replace(GOOD.orders[0], **changes)  # type: ignore[arg-type]


def test_what_was_asked_for_is_no_problem() -> None:
    assert GOOD.problems == []


@pytest.mark.parametrize(
    ("report", "problem"),
    [
        (replace(GOOD, orders=[order(status="failed")]), "image job_1: failed"),
        (replace(GOOD, orders=[order(problem="no picture")]), "image job_1: no picture"),
        (replace(GOOD, orders=[order(seconds=IMAGE_SECONDS_MAX + 1)]), "an image took 241 s"),
        (replace(GOOD, untold=["job_1"]), "job_1: not exactly one end on the bus"),
        (replace(GOOD, undelivered=["job_1"]), "job_1: not exactly one end at the webhook"),
        (replace(GOOD, discrepancies=2), "the audit finds 2 discrepancies"),
    ],
)
def test_each_broken_promise_is_told(report: Report, problem: str) -> None:
    assert report.problems == [problem]
