"""GET /v1/usage/summary: usage by model."""

from __future__ import annotations

from shoal.composition import jobs as bootstrap
from shoal.dialects import tasks
from shoal.dialects.errors import tasks_error
from shoal.domain.api_key import Scope
from shoal.handlers.http.csv import csv_answer, wants_csv
from shoal.handlers.http.endpoint import Answer, Request, endpoint
from shoal.settings import SummarizeUsageSettings


def summarize(request: Request) -> Answer:
    """200 with a row per model, as JSON or, with `Accept: text/csv`, as CSV."""
    table = bootstrap.settings_of(SummarizeUsageSettings).table
    caller = request.authenticate(bootstrap.authenticate(table), Scope.READ)
    from_day, to_day = tasks.parse_summary_query(request.query)
    rows = tasks.summary_rows(bootstrap.summarize_usage()(caller, from_day, to_day))
    return csv_answer(tasks.CSV_COLUMNS, rows) if wants_csv(request) else Answer(200, tasks.envelope(rows))


handler = endpoint(summarize, tasks_error)
