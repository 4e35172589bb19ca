"""`Prefer: wait=N` (RFC 7240): answer when the job has ended, or after N seconds as it is then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from shoal.composition import jobs as bootstrap
from shoal.dialects.fields import parse_wait_s
from shoal.domain.api_key import Caller
from shoal.domain.errors import Unavailable
from shoal.domain.job import Job
from shoal.handlers.http.endpoint import Answer, Request
from shoal.observability import logger
from shoal.use_cases.jobs.await_job import WAIT_SECONDS_MAX

MARGIN_S = 2
"""What is left of the Lambda's time for rendering and sending the answer."""


def waited(
    request: Request,
    caller: Caller,
    job_id: str,
    at_once: Answer,
    resource: Callable[[Job], Mapping[str, Any]],
    table: str,
) -> Answer:
    """`at_once` without a preference; else 200 with the ended job, or its current state.

    Also `at_once` when the job cannot be read: what was accepted must not look refused.
    """
    asked_s = parse_wait_s(request.headers.get("prefer"))
    wait_s = min(asked_s, WAIT_SECONDS_MAX, request.seconds_left - MARGIN_S)
    if wait_s <= 0:
        return at_once
    try:
        job = bootstrap.await_job(table)(caller.account_id, job_id, wait_s)
    except Unavailable:
        logger.warning("could not wait", extra={"job_id": job_id}, exc_info=True)
        return at_once
    headers = {**at_once.headers, "Preference-Applied": f"wait={wait_s}"}
    if job.status.terminal:
        return Answer(200, resource(job), headers)
    return replace(at_once, body=resource(job), headers=headers)
