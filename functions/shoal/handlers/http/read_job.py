"""GET …/{id} under jobs, tasks and videos: how a job is doing."""

from __future__ import annotations

from shoal.composition import jobs
from shoal.handlers.http.endpoint import Answer, Endpoint, Request
from shoal.handlers.http.preference import wait_if_preferred


def read(request: Request, use: jobs.Reading) -> Answer:
    """200 with the job; where tasks are spoken, `Prefer: wait=N` answers as soon as it has ended."""
    spoken = request.dialect
    job = use.read_job(request.caller, request.path_parameter("id"))
    answer = Answer(200, spoken.answer(job, use.view()))
    if job.status.terminal or not spoken.read_waits:
        return answer
    return wait_if_preferred(request, job.id, answer, use)


handler = Endpoint(jobs.reading, read)
