"""GET /v1/usage/summary: usage by model."""

from __future__ import annotations

from shoal.composition import money
from shoal.dialects import tasks
from shoal.handlers.http.csv import csv_answer, wants_csv
from shoal.handlers.http.endpoint import Answer, Endpoint, Request
from shoal.use_cases.money.summarize_usage import SummarizeUsage


def summarize(request: Request, summarize_usage: SummarizeUsage) -> Answer:
    """200 with a row per model, as JSON or, with `Accept: text/csv`, as CSV."""
    from_day, to_day = tasks.parse_summary_query(request.query)
    rows = tasks.summary_rows(summarize_usage(request.caller, from_day, to_day))
    return csv_answer(tasks.CSV_COLUMNS, rows) if wants_csv(request) else Answer(200, tasks.envelope(rows))


handler = Endpoint(money.summarize_usage, summarize)
