"""GET /v1/usage, GET /api/v1/usage: historical requests, newest first."""

from __future__ import annotations

from shoal.composition import jobs as bootstrap
from shoal.dialects import image
from shoal.dialects.errors import image_error
from shoal.domain.api_key import Scope
from shoal.handlers.http.csv import csv_answer, wants_csv
from shoal.handlers.http.endpoint import Answer, Request, endpoint
from shoal.handlers.http.spelling import complete_word
from shoal.settings import ListJobsSettings


def list_requests(request: Request) -> Answer:
    """200 with one page and the cursor of the next, as JSON or, with `Accept: text/csv`, as CSV."""
    settings = bootstrap.settings_of(ListJobsSettings)
    caller = request.authenticate(bootstrap.authenticate(settings.table), Scope.READ)
    which, limit, cursor = image.parse_usage_query(request.query)
    page = bootstrap.list_jobs()(caller, which, limit=limit, cursor=cursor)
    complete = complete_word(request)
    if wants_csv(request):
        rows = (image.usage_row(job, complete) for job in page.jobs)
        return csv_answer(image.CSV_COLUMNS, rows, next_cursor=page.next_cursor)
    return Answer(200, image.usage_resource(page, complete=complete))


handler = endpoint(list_requests, image_error)
