"""GET /api/v1/videos: videos, newest first."""

from __future__ import annotations

from shoal.composition import jobs as bootstrap
from shoal.composition import videos as bootstrap_videos
from shoal.dialects import video
from shoal.dialects.errors import video_error
from shoal.domain.api_key import Scope
from shoal.handlers.http.endpoint import Answer, Request, endpoint
from shoal.settings import ListVideosSettings


def list_videos(request: Request) -> Answer:
    """200 with one page and the cursor of the next."""
    settings = bootstrap.settings_of(ListVideosSettings)
    request.render_error = video_error(settings.api_url)
    caller = request.authenticate(bootstrap.authenticate(settings.table), Scope.READ)
    which, limit, cursor = video.parse_list_query(request.query)
    videos, next_cursor = bootstrap_videos.list_videos()(caller, which, limit=limit, cursor=cursor)
    url_of, now_ms = bootstrap.output_urls(settings), bootstrap.clock.now_ms()
    return Answer(200, video.video_list(videos, next_cursor, url_of=url_of, now_ms=now_ms))


handler = endpoint(list_videos)
