"""$default: an address the API does not have."""

from __future__ import annotations

from shoal.domain.errors import NotFound
from shoal.handlers.http.endpoint import Answer, Request, endpoint, error_shape


def reject(request: Request) -> Answer:
    """Raises `NotFound`."""
    request.render_error = error_shape(request.path)
    raise NotFound()


handler = endpoint(reject)
