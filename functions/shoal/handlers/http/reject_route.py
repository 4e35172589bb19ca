"""$default: an address the API does not have, but for a slash at its end."""

from __future__ import annotations

from shoal.domain.errors import NotFound
from shoal.handlers.http.endpoint import Answer, Endpoint, Request
from shoal.handlers.http.routes import is_route


def reject(request: Request, _: None) -> Answer:
    """308, which keeps method and body, for an address with a slash too many. Raises `NotFound`."""
    if is_route(request.path.removesuffix("/")) and request.path.endswith("/"):
        return Answer(308, None, {"Location": request.without_slash})
    raise NotFound()


handler = Endpoint(lambda: None, reject)
