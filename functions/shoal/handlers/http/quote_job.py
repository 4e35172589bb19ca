"""POST /v1/quote: the price of a request without running it."""

from __future__ import annotations

from shoal.composition import jobs
from shoal.dialects import tasks
from shoal.handlers.http.endpoint import Answer, Endpoint, Request
from shoal.use_cases.jobs.quote import QuoteJob


def quote(request: Request, quote_job: QuoteJob) -> Answer:
    """200 with the price a submit of the same body would freeze. Nothing is held, fetched or written."""
    submission = request.dialect.parse(request.json_object(), quote_job.catalogs.current())
    return Answer(200, tasks.envelope(tasks.quote_resource(quote_job(submission))))


handler = Endpoint(jobs.quote_job, quote)
