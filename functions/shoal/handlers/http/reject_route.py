"""$default: an address the API does not have."""

from __future__ import annotations

from shoal.domain.errors import NotFound
from shoal.handlers.http.endpoint import Answer, Request, endpoint


def reject(_: Request, __: None) -> Answer:
    """Raises `NotFound`."""
    raise NotFound()


handler = endpoint(lambda: None, reject)
