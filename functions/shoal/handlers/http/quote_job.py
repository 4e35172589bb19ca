"""POST /v1/quote: the price of a request without running it."""

from __future__ import annotations

from shoal.composition import jobs as bootstrap
from shoal.dialects import image, tasks
from shoal.dialects.errors import tasks_error
from shoal.dialects.fields import either_mode_or_model
from shoal.domain.api_key import Scope
from shoal.domain.catalog import load_catalog
from shoal.handlers.http.endpoint import Answer, Request, endpoint
from shoal.settings import QuoteJobSettings


def quote(request: Request) -> Answer:
    """200 with the price a submit of the same body would freeze. Nothing is held, fetched or written."""
    table = bootstrap.settings_of(QuoteJobSettings).table
    request.authenticate(bootstrap.authenticate(table), Scope.READ)
    body = request.json_object()
    either_mode_or_model(body)
    submission = (
        image.parse_submission(body, load_catalog())
        if "mode" in body
        else tasks.parse_submission(body, load_catalog())
    )
    return Answer(200, tasks.envelope(tasks.quote_resource(bootstrap.quote_job()(submission))))


handler = endpoint(quote, tasks_error)
