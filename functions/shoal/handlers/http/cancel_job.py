"""POST …/{id}/cancel under jobs, tasks and videos: stop a job and give its hold back."""

from __future__ import annotations

from shoal.composition import jobs
from shoal.handlers.http.endpoint import Answer, Endpoint, Request
from shoal.observability import count_closed


def cancel(request: Request, use: jobs.Canceling) -> Answer:
    """200 with the canceled job; 409 once it is terminal."""
    job = use.cancel_job(request.caller, request.path_parameter("id"))
    count_closed(job)
    return Answer(200, request.dialect.answer(job, use.view()))


handler = Endpoint(jobs.canceling, cancel)
