"""POST /v1/generate, POST /api/v1/image, POST /api/v1/videos: accept a job."""

from __future__ import annotations

from dataclasses import replace

from shoal.composition import jobs
from shoal.handlers.http.endpoint import Answer, Endpoint, Request
from shoal.handlers.http.preference import wait_if_preferred
from shoal.observability import logger


def submit(request: Request, use: jobs.Submitting) -> Answer:
    """202 with the job, or the answer an earlier request with the same Idempotency-Key got."""
    caller, body = request.caller, request.json_object()
    spoken = request.dialect_of(body)
    key = request.idempotency_key(caller, caller.counts_in(request.route), body)
    parse = lambda: replace(spoken.parse(body, use.catalog()), traceparent=request.traceparent)  # noqa: E731
    answered = use.submit_job()(caller, parse, key, spoken.accepted)
    logger.append_keys(job_id=answered.job_id)
    replayed = {"Idempotent-Replayed": "true"} if answered.replayed else {}
    answer = Answer(answered.status, answered.body, replayed)
    return wait_if_preferred(request, answered.job_id, answer, use) if spoken.submit_waits else answer


handler = Endpoint(jobs.submitting, submit, ahead=lambda _, use: use.read_ahead())
