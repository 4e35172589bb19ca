"""Usage as CSV (RFC 4180), for callers whose `Accept` prefers it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shoal.handlers.http.endpoint import Answer, Request

_WEIGHT = re.compile(r"[01](\.[0-9]{0,3})?")


def wants_csv(request: Request) -> bool:
    """Whether `Accept` names text/csv, and not below JSON (RFC 9110, section 12.5.1)."""
    weights = dict(map(_weigh, request.headers.get("accept", "").lower().split(",")))
    csv_weight = weights.get("text/csv", 0.0)
    return csv_weight > 0 and csv_weight >= weights.get("application/json", 0.0)


def _weigh(media_range: str) -> tuple[str, float]:
    """A media type and its weight: 1 if there is none, 0 if it is none."""
    media_type, *parameters = (part.strip() for part in media_range.split(";"))
    given = [part[2:] for part in parameters if part.startswith("q=")]
    if not given:
        return media_type, 1.0
    return media_type, float(given[0]) if _WEIGHT.fullmatch(given[0]) else 0.0


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
