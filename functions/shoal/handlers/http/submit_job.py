"""POST /v1/generate, POST /api/v1/image: accept a job."""

from __future__ import annotations

from shoal import bootstrap
from shoal.dialects import image
from shoal.dialects.errors import image_error, invalid_field, neutral_error
from shoal.domain.api_key import Scope
from shoal.domain.catalog import load_catalog
from shoal.domain.idempotency import IdempotencyKey
from shoal.handlers.http.endpoint import Answer, Request, endpoint
from shoal.observability import logger
from shoal.settings import SubmitJobSettings

GENERATE = "POST /v1/generate"


def submit(request: Request) -> Answer:
    """202 with the job, or the answer an earlier request with the same Idempotency-Key got."""
    request.render_error = neutral_error if request.route == GENERATE else image_error
    table = bootstrap.settings_of(SubmitJobSettings).table
    caller = request.authenticate(bootstrap.authenticate(table), Scope.GENERATE)
    body = request.json_object()
    if request.route == GENERATE and "mode" not in body:
        raise invalid_field("mode", "is missing")
    if request.route == GENERATE and "model" in body:
        raise invalid_field("model", "cannot stand beside mode")
    request.render_error = image_error
    key = request.headers.get("idempotency-key")
    scoped = None if key is None else IdempotencyKey.of(caller.account_id, request.route, key, body)
    submission = image.parse_submission(body, load_catalog())
    answered = bootstrap.submit_job()(caller, submission, scoped, image.accepted)
    logger.append_keys(job_id=answered.job_id)
    replayed = {"Idempotent-Replayed": "true"} if answered.replayed else {}
    return Answer(answered.status, answered.body, replayed)


handler = endpoint(submit)
