"""The two documents of the image dialect spell success differently: by the route's prefix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.handlers.http.endpoint import Request

if TYPE_CHECKING:
    from shoal.dialects.answers.image import Success


def complete_word(request: Request) -> Success:
    """`completed` under /api/v1 (job-status page), `complete` under /v1 (quick start)."""
    return "completed" if request.pattern.startswith("/api/") else "complete"
