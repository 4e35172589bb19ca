"""GET /healthz: the API answers."""

from __future__ import annotations

from shoal.composition import jobs as bootstrap
from shoal.handlers.http.endpoint import Answer, Request, endpoint
from shoal.settings import ReadHealthSettings


def read(request: Request) -> Answer:
    """200 with the stage's name."""
    return Answer(200, {"status": "ok", "stage": bootstrap.settings_of(ReadHealthSettings).stage})


handler = endpoint(read)
