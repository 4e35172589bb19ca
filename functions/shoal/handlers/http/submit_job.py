"""POST /v1/generate, POST /api/v1/image, POST /api/v1/videos: accept a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shoal.composition import jobs as bootstrap
from shoal.dialects import image, tasks, video
from shoal.dialects.errors import image_error, neutral_error, tasks_error, video_error
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
VIDEOS = "POST /api/v1/videos"


@dataclass(frozen=True, slots=True)
class Spoken:
    """A submit in the words of its dialect: what is asked, what accepting it is called, how a job looks.

    `resource` is None where an answer does not wait for the job: a video takes longer than that.
    """

    submission: Submission
    accepted: Callable[[Job], Mapping[str, Any]]
    resource: Callable[[Job], Mapping[str, Any]] | None


def submit(request: Request) -> Answer:
    """202 with the job, or the answer an earlier request with the same Idempotency-Key got."""
    settings = bootstrap.settings_of(SubmitJobSettings)
    errors = {GENERATE: neutral_error, VIDEOS: video_error(settings.api_url)}
    request.render_error = errors.get(request.route, image_error)
    bootstrap.board(settings).read_ahead()  # while the key is looked up
    caller = request.authenticate(bootstrap.authenticate(settings.table), Scope.GENERATE)
    body = request.json_object()
    if request.route == GENERATE:
        either_mode_or_model(body)
        request.render_error = tasks_error if "model" in body else image_error
    key = request.idempotency_key(caller, caller.counts_in(request.route), body)
    spoken = _spoken(request, body, settings)
    answered = bootstrap.submit_job()(caller, spoken.submission, key, spoken.accepted)
    logger.append_keys(job_id=answered.job_id)
    replayed = {"Idempotent-Replayed": "true"} if answered.replayed else {}
    answer = Answer(answered.status, answered.body, replayed)
    if spoken.resource is None:
        return answer
    return waited(request, caller, answered.job_id, answer, spoken.resource, settings.table)


def _spoken(request: Request, body: Mapping[str, Any], settings: SubmitJobSettings) -> Spoken:
    if request.route == VIDEOS:
        submission = video.parse_submission(body, load_catalog())
        return Spoken(submission, video.accepted, None)
    if request.route == GENERATE and "model" in body:
        return _tasks(body, settings)
    return _image(request, body, settings)


def _image(request: Request, body: Mapping[str, Any], settings: SubmitJobSettings) -> Spoken:
    def resource(job: Job) -> Mapping[str, Any]:
        return image.job_resource(
            job,
            complete=complete_word(request),
            url_of=bootstrap.public_urls(settings.public_url),
            now_ms=bootstrap.clock.now_ms(),
        )

    return Spoken(image.parse_submission(body, load_catalog()), image.accepted, resource)


def _tasks(body: Mapping[str, Any], settings: SubmitJobSettings) -> Spoken:
    def resource(job: Job) -> Mapping[str, Any]:
        shown = tasks.task_resource(
            job, url_of=bootstrap.public_urls(settings.public_url), now_ms=bootstrap.clock.now_ms()
        )
        return tasks.envelope(shown)

    submission = tasks.parse_submission(body, load_catalog())
    return Spoken(submission, tasks.accepted, resource)


handler = endpoint(submit)
