"""$default: an address or a method the API does not have."""

from __future__ import annotations

import re

from shoal import bootstrap
from shoal.dialects.errors import video_error
from shoal.domain.errors import MethodNotAllowed, NotFound
from shoal.handlers.http.endpoint import Answer, Request, endpoint
from shoal.handlers.http.routes import ROUTES
from shoal.settings import RejectRouteSettings

VIDEO_PATHS = re.compile(r"/api/v1/(videos|webhooks|credits)(/.*)?")
"""Below these only the video dialect is spoken, and all its errors have one shape."""


def reject(request: Request) -> Answer:
    """405 with `Allow` where another method would do, else 404."""
    if VIDEO_PATHS.fullmatch(request.path):
        request.render_error = video_error(bootstrap.settings_of(RejectRouteSettings).api_url)
    allowed = sorted(method for method, pattern in _patterns() if pattern.fullmatch(request.path))
    if allowed:
        raise MethodNotAllowed(headers={"Allow": ", ".join(allowed)})
    raise NotFound()


def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    routes = (route.split(" ") for route in ROUTES if " " in route)
    return [(method, re.compile(re.sub(r"\{\w+\}", "[^/]+", path))) for method, path in routes]


handler = endpoint(reject)
