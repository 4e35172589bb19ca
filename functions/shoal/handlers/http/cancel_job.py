"""POST …/{id}/cancel under jobs and tasks: stop a job and give its hold back."""

from __future__ import annotations

from shoal import bootstrap
from shoal.dialects import image, tasks
from shoal.dialects.errors import image_error, tasks_error
from shoal.domain.api_key import Scope
from shoal.handlers.http.endpoint import Answer, Request, endpoint
from shoal.handlers.http.spelling import complete_word
from shoal.observability import count_closed
from shoal.settings import CancelJobSettings

TASKS = "POST /v1/tasks/{id}/cancel"


def cancel(request: Request) -> Answer:
    """200 with the canceled job; 409 once it is terminal."""
    in_tasks = request.route == TASKS
    request.render_error = tasks_error if in_tasks else image_error
    settings = bootstrap.settings_of(CancelJobSettings)
    caller = request.authenticate(bootstrap.authenticate(settings.table), Scope.GENERATE)
    job = bootstrap.cancel_job()(caller, request.path_parameter("id"))
    count_closed(job)
    now_ms = bootstrap.clock.now_ms()
    if in_tasks:
        task = tasks.task_resource(job, public_url=settings.public_url, now_ms=now_ms)
        return Answer(200, tasks.envelope(task))
    complete = complete_word(request)
    shown = image.job_resource(job, complete=complete, public_url=settings.public_url, now_ms=now_ms)
    return Answer(200, shown)


handler = endpoint(cancel)
