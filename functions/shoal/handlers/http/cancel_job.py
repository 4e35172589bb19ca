"""POST …/{id}/cancel under jobs, tasks and videos: stop a job and give its hold back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shoal.composition import jobs
from shoal.domain.job import Job
from shoal.handlers.http.endpoint import Answer, Endpoint, Request
from shoal.observability import count_closed


def cancel(request: Request, use: jobs.Canceling) -> Answer:
    """200 with the canceled job, or the answer an earlier request with the same Idempotency-Key got.

    409 once it is terminal. A key is good for one job: its id counts as a part of what is asked.
    """
    caller, job_id = request.caller, request.path_parameter("id")

    def render(job: Job) -> Mapping[str, Any]:
        return request.dialect.answer(job, use.view())

    asked = {"id": job_id, "body": request.body.decode(errors="replace")}
    key = request.idempotency_key(caller, caller.counts_in(request.route), asked)
    canceled = use.cancel_job.answer(caller, job_id, key, render)
    if canceled.job is None:
        return Answer(200, canceled.body, {"Idempotent-Replayed": "true"})
    count_closed(canceled.job)
    return Answer(200, canceled.body)


handler = Endpoint(jobs.canceling, cancel)
