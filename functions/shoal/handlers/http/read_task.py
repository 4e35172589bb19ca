"""GET /v1/tasks/{id}: how a task is doing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shoal.composition import jobs as bootstrap
from shoal.dialects import tasks
from shoal.dialects.errors import tasks_error
from shoal.domain.api_key import Scope
from shoal.domain.job import Job
from shoal.handlers.http.endpoint import Answer, Request, endpoint
from shoal.handlers.http.preference import waited
from shoal.settings import ReadTaskSettings


def read(request: Request) -> Answer:
    """200 with the task; with `Prefer: wait=N` as soon as it has ended."""
    settings = bootstrap.settings_of(ReadTaskSettings)
    caller = request.authenticate(bootstrap.authenticate(settings.table), Scope.READ)
    job = bootstrap.read_task()(caller, request.path_parameter("id"))

    def resource(shown: Job) -> Mapping[str, Any]:
        now_ms = bootstrap.clock.now_ms()
        return tasks.envelope(
            tasks.task_resource(shown, url_of=bootstrap.output_urls(settings), now_ms=now_ms)
        )

    answer = Answer(200, resource(job))
    if job.status.terminal:
        return answer
    return waited(request, caller, job.id, answer, resource, settings.table)


handler = endpoint(read, tasks_error)
