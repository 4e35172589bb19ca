"""POST …/{id}/cancel under jobs, tasks and videos: stop a job and give its hold back."""

from __future__ import annotations

from shoal.composition import jobs as bootstrap
from shoal.composition import videos as bootstrap_videos
from shoal.dialects import image, tasks, video
from shoal.dialects.errors import image_error, tasks_error, video_error
from shoal.domain.api_key import Scope
from shoal.domain.job import Job
from shoal.handlers.http.endpoint import Answer, Request, endpoint
from shoal.handlers.http.spelling import complete_word
from shoal.observability import count_closed
from shoal.settings import CancelJobSettings

TASKS = "POST /v1/tasks/{id}/cancel"
VIDEOS = "POST /api/v1/videos/{id}/cancel"


def cancel(request: Request) -> Answer:
    """200 with the canceled job; 409 once it is terminal."""
    settings = bootstrap.settings_of(CancelJobSettings)
    errors = {TASKS: tasks_error, VIDEOS: video_error(settings.api_url)}
    request.render_error = errors.get(request.route, image_error)
    caller = request.authenticate(bootstrap.authenticate(settings.table), Scope.GENERATE)
    job = bootstrap.cancel_job()(caller, request.path_parameter("id"))
    count_closed(job)
    return _answer(request, job, settings)


def _answer(request: Request, job: Job, settings: CancelJobSettings) -> Answer:
    url_of, now_ms = bootstrap.output_urls(settings), bootstrap.clock.now_ms()
    if request.route == TASKS:
        return Answer(200, tasks.envelope(tasks.task_resource(job, url_of=url_of, now_ms=now_ms)))
    if request.route == VIDEOS:
        scenes = bootstrap_videos.scenes_of(settings.table, job)
        return Answer(200, video.video_resource(job, scenes, url_of=url_of, now_ms=now_ms))
    complete = complete_word(request)
    return Answer(200, image.job_resource(job, complete=complete, url_of=url_of, now_ms=now_ms))


handler = endpoint(cancel)
