"""`Prefer: wait=N` (RFC 7240): answer when the job has ended, or after N seconds as it is then."""

from __future__ import annotations

from dataclasses import replace

from shoal.composition import jobs
from shoal.dialects.fields import parse_wait_s
from shoal.domain.errors import Unavailable
from shoal.domain.rate_limit import SHORT_HOLD_S
from shoal.handlers.http.endpoint import Answer, Request
from shoal.observability import logger
from shoal.use_cases.jobs.await_job import WAIT_SECONDS_MAX

MARGIN_S = 2
"""What is left of the Lambda's time for rendering and sending the answer."""


def wait_if_preferred(
    request: Request, job_id: str, at_once: Answer, use: jobs.Submitting | jobs.Reading
) -> Answer:
    """`at_once` without a preference; else 200 with the ended job, or its current state.

    Also `at_once` where the key's requests were held long enough this minute, and when the job cannot be
    read: what was accepted must not look refused.
    """
    asked_s = parse_wait_s(request.headers.get("prefer"))
    wait_s = min(asked_s, WAIT_SECONDS_MAX, request.seconds_left - MARGIN_S)
    if wait_s > SHORT_HOLD_S and not request.caller.may_hold:
        return at_once
    if wait_s <= 0:
        return at_once
    try:
        job = use.await_job()(request.caller.account_id, job_id, wait_s)
    except Unavailable:
        logger.warning("could not wait", extra={"job_id": job_id}, exc_info=True)
        return at_once
    headers = {**at_once.headers, "Preference-Applied": f"wait={wait_s}"}
    shown = request.dialect.answer(job, use.view())
    if job.status.terminal:
        return Answer(200, shown, headers)
    return replace(at_once, body=shown, headers=headers)
