"""No abuse costs the stage more than is stated of it."""

from __future__ import annotations

import os

import pytest

from tests.abuse.page import FILE, measure, show, text
from tests.abuse.row import Row


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return measure()


def test_no_abuse_costs_the_stage_more_than_is_stated(rows: list[Row]) -> None:
    show(rows)

    assert [row for row in rows if not row.within] == []


def test_the_page_shows_what_was_counted(rows: list[Row]) -> None:
    if os.environ.get("SHOAL_WRITE_ABUSE"):
        FILE.write_text(text(rows), "utf-8")

    assert FILE.read_text("utf-8") == text(rows), "`make abuse` writes it again"
