"""GET /v1/usage, /api/v1/usage, /v1/tasks, /api/v1/videos: jobs, newest first."""

from __future__ import annotations

from shoal.composition import jobs
from shoal.handlers.http.csv import csv_answer, wants_csv
from shoal.handlers.http.endpoint import Answer, Endpoint, Request


def list_jobs(request: Request, use: jobs.Listing) -> Answer:
    """200 with one page and the cursor of the next, as JSON or, if `Accept` prefers it, as CSV."""
    spoken = request.dialect
    which, limit, cursor = spoken.parse_list(request.query)
    page = use.list_jobs(request.caller, which, limit=limit, cursor=cursor)
    if spoken.csv and wants_csv(request):
        rows = map(spoken.csv.row, page.jobs)
        return csv_answer(spoken.csv.columns, rows, next_cursor=page.next_cursor)
    return Answer(200, spoken.listing(page, use.view()))


handler = Endpoint(jobs.listing, list_jobs)
