"""The two documents of the image dialect spell success differently: by the route's prefix."""

from __future__ import annotations

from shoal.handlers.http.endpoint import Request


def complete_word(request: Request) -> str:
    """`completed` under /api/v1 (job-status page), `complete` under /v1 (quick start)."""
    return "completed" if request.pattern.startswith("/api/") else "complete"
