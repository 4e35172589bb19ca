"""GET /v1/jobs/{id}, GET /api/v1/jobs/{id}: how a job is doing."""

from __future__ import annotations

from shoal.composition import jobs as bootstrap
from shoal.dialects import image
from shoal.dialects.errors import image_error
from shoal.domain.api_key import Scope
from shoal.handlers.http.endpoint import Answer, Request, endpoint
from shoal.handlers.http.spelling import complete_word
from shoal.settings import ReadJobSettings


def read(request: Request) -> Answer:
    """200 with the nine fields of the job."""
    settings = bootstrap.settings_of(ReadJobSettings)
    caller = request.authenticate(bootstrap.authenticate(settings.table), Scope.READ)
    job = bootstrap.read_job()(caller, request.path_parameter("id"))
    return Answer(
        200,
        image.job_resource(
            job,
            complete=complete_word(request),
            url_of=bootstrap.output_urls(settings),
            now_ms=bootstrap.clock.now_ms(),
        ),
    )


handler = endpoint(read, image_error)
