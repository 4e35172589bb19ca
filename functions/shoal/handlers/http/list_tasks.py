"""GET /v1/tasks: tasks, newest first."""

from __future__ import annotations

from shoal.composition import jobs as bootstrap
from shoal.dialects import tasks
from shoal.dialects.errors import tasks_error
from shoal.domain.api_key import Scope
from shoal.handlers.http.endpoint import Answer, Request, endpoint
from shoal.settings import ListTasksSettings


def list_tasks(request: Request) -> Answer:
    """200 with one page and the cursor of the next."""
    settings = bootstrap.settings_of(ListTasksSettings)
    caller = request.authenticate(bootstrap.authenticate(settings.table), Scope.READ)
    which, limit, cursor = tasks.parse_list_query(request.query)
    page = bootstrap.list_tasks()(caller, which, limit=limit, cursor=cursor)
    body = tasks.task_list(page, url_of=bootstrap.output_urls(settings), now_ms=bootstrap.clock.now_ms())
    return Answer(200, body)


handler = endpoint(list_tasks, tasks_error)
