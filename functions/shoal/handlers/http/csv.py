"""Usage as CSV (RFC 4180), for callers whose `Accept` prefers it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shoal.handlers.http.endpoint import Answer, Request


def wants_csv(request: Request) -> bool:
    """Whether `Accept` asks for text/csv."""
    accepted = (
        part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "").split(",")
    )
    return "text/csv" in accepted


def csv_answer(
    columns: Sequence[str], rows: Iterable[Mapping[str, Any]], *, next_cursor: str | None = None
) -> Answer:
    """The named columns of the rows. A further page's cursor goes into `Next-Cursor`."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    headers = {"Content-Type": "text/csv; charset=utf-8"}
    return Answer(200, text.getvalue(), headers | ({"Next-Cursor": next_cursor} if next_cursor else {}))
