"""POST /v1/jobs/{id}/cancel, POST /api/v1/jobs/{id}/cancel: stop a job and give its hold back."""

from __future__ import annotations

from shoal import bootstrap
from shoal.dialects import image
from shoal.dialects.errors import image_error
from shoal.domain.api_key import Scope
from shoal.handlers.http.endpoint import Answer, Request, endpoint
from shoal.handlers.http.spelling import complete_word
from shoal.observability import count_closed
from shoal.settings import CancelJobSettings


def cancel(request: Request) -> Answer:
    """200 with the canceled job; 409 once it is terminal."""
    settings = bootstrap.settings_of(CancelJobSettings)
    caller = request.authenticate(bootstrap.authenticate(settings.table), Scope.GENERATE)
    job = bootstrap.cancel_job()(caller, request.path_parameter("id"))
    count_closed(job)
    return Answer(
        200,
        image.job_resource(job, complete=complete_word(request), public_url=settings.public_url),
    )


handler = endpoint(cancel, image_error)
