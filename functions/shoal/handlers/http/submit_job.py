"""POST /v1/generate, POST /api/v1/image: accept a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shoal import bootstrap
from shoal.dialects import image, tasks
from shoal.dialects.errors import image_error, neutral_error, tasks_error
from shoal.dialects.fields import either_mode_or_model
from shoal.domain.api_key import Scope
from shoal.domain.catalog import load_catalog
from shoal.domain.job import Job
from shoal.domain.submission import Submission
from shoal.handlers.http.endpoint import Answer, Request, endpoint
from shoal.handlers.http.preference import waited
from shoal.handlers.http.spelling import complete_word
from shoal.observability import logger
from shoal.settings import SubmitJobSettings

GENERATE = "POST /v1/generate"


@dataclass(frozen=True, slots=True)
class Spoken:
    """A submit in the words of its dialect: what is asked, what accepting it is called, how a job looks."""

    submission: Submission
    accepted: Callable[[Job], Mapping[str, Any]]
    resource: Callable[[Job], Mapping[str, Any]]


def submit(request: Request) -> Answer:
    """202 with the job, or the answer an earlier request with the same Idempotency-Key got."""
    request.render_error = neutral_error if request.route == GENERATE else image_error
    settings = bootstrap.settings_of(SubmitJobSettings)
    caller = request.authenticate(bootstrap.authenticate(settings.table), Scope.GENERATE)
    body = request.json_object()
    if request.route == GENERATE:
        either_mode_or_model(body)
    in_tasks = request.route == GENERATE and "model" in body
    request.render_error = tasks_error if in_tasks else image_error
    key = request.idempotency_key(caller, request.route, body)
    spoken = _tasks(body, settings) if in_tasks else _image(request, body, settings)
    answered = bootstrap.submit_job()(caller, spoken.submission, key, spoken.accepted)
    logger.append_keys(job_id=answered.job_id)
    replayed = {"Idempotent-Replayed": "true"} if answered.replayed else {}
    answer = Answer(answered.status, answered.body, replayed)
    return waited(request, caller, answered.job_id, answer, spoken.resource, settings.table)


def _image(request: Request, body: Mapping[str, Any], settings: SubmitJobSettings) -> Spoken:
    def resource(job: Job) -> Mapping[str, Any]:
        return image.job_resource(
            job,
            complete=complete_word(request),
            public_url=settings.public_url,
            now_ms=bootstrap.clock.now_ms(),
        )

    return Spoken(image.parse_submission(body, load_catalog()), image.accepted, resource)


def _tasks(body: Mapping[str, Any], settings: SubmitJobSettings) -> Spoken:
    def resource(job: Job) -> Mapping[str, Any]:
        shown = tasks.task_resource(job, public_url=settings.public_url, now_ms=bootstrap.clock.now_ms())
        return tasks.envelope(shown)

    submission = tasks.parse_submission(body, load_catalog(), bootstrap.available_providers())
    return Spoken(submission, tasks.accepted, resource)


handler = endpoint(submit)
