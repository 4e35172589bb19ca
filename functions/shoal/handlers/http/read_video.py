"""GET /api/v1/videos/{id}: how a video is doing."""

from __future__ import annotations

from shoal.composition import jobs as bootstrap
from shoal.composition import videos as bootstrap_videos
from shoal.dialects import video
from shoal.dialects.errors import video_error
from shoal.domain.api_key import Scope
from shoal.handlers.http.endpoint import Answer, Request, endpoint
from shoal.settings import ReadVideoSettings


def read(request: Request) -> Answer:
    """200 with the video and its scenes."""
    settings = bootstrap.settings_of(ReadVideoSettings)
    request.render_error = video_error(settings.api_url)
    caller = request.authenticate(bootstrap.authenticate(settings.table), Scope.READ)
    job, scenes = bootstrap_videos.read_video()(caller, request.path_parameter("id"))
    url_of, now_ms = bootstrap.output_urls(settings), bootstrap.clock.now_ms()
    return Answer(200, video.video_resource(job, scenes, url_of=url_of, now_ms=now_ms))


handler = endpoint(read)
