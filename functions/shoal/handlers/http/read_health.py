"""GET /healthz: the API answers."""

from __future__ import annotations

from shoal.composition import parts
from shoal.handlers.http.endpoint import Answer, Endpoint, Request


def read(_: Request, stage: str) -> Answer:
    """200 with the stage's name."""
    return Answer(200, {"status": "ok", "stage": stage})


handler = Endpoint(parts.stage, read)
