"""Every public route: a row each.

From the rows follow the API's routes, whether and how a caller is authenticated, in whose words errors are
told, and what the documents say of both.

In a path, `{id}` is one segment. `{id+}` is all that follows, for an id that may hold a slash: API Gateway
decodes `%2F` before it looks for a route.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from shoal.domain.api_key import Scope

ROOT_SEGMENTS = 4
"""`/api/v1/videos` and all below it belong together: with the empty one before the first slash, four."""

BODY_BYTES_MAX = 1_000_000
WITH_DATA_BYTES_MAX = 5_500_000
"""Where `data:` URIs may come; what stands beside them is bounded as anywhere. An event may have 6 MB."""
FILE_BYTES_MAX = 4_400_000
"""Of a file, which comes to a function in base64."""


class Route(NamedTuple):
    """`verb` is the Lambda behind it, `dialect` what is spoken there, by its name in `dialects.spoken.APIS`.

    Without a `dialect`, errors are neutral. `scope` is what the caller's key must have; without one, no key
    is asked for. `body_bytes_max` is what a body may have.
    """

    name: str
    verb: str
    dialect: str | None = None
    scope: Scope | None = None
    body_bytes_max: int = BODY_BYTES_MAX

    @property
    def polls(self) -> bool:
        """Whether it reads one job, task or video by its id, as callers do again and again."""
        return self.verb == "read_job"

    @property
    def path(self) -> str:
        """Empty for `$default`."""
        return self.name.partition(" ")[2]


GENERATE, READ, WEBHOOKS = Scope.GENERATE, Scope.READ, Scope.WEBHOOKS
ROUTES: Mapping[str, Route] = {
    route.name: route
    for route in (
        Route("POST /v1/generate", "submit_job", "generate", GENERATE, WITH_DATA_BYTES_MAX),
        Route("POST /api/v1/image", "submit_job", "image", GENERATE),
        Route("GET /v1/jobs/{id}", "read_job", "image-v1", READ),
        Route("GET /api/v1/jobs/{id}", "read_job", "image", READ),
        Route("POST /v1/jobs/{id}/cancel", "cancel_job", "image-v1", GENERATE),
        Route("POST /api/v1/jobs/{id}/cancel", "cancel_job", "image", GENERATE),
        Route("POST /v1/tasks/{id}/cancel", "cancel_job", "tasks", GENERATE),
        Route("POST /api/v1/videos", "submit_job", "video", GENERATE),
        Route("GET /api/v1/videos/{id}", "read_job", "video", READ),
        Route("GET /api/v1/videos", "list_jobs", "video", READ),
        Route("POST /api/v1/videos/{id}/cancel", "cancel_job", "video", GENERATE),
        Route("GET /api/v1/credits", "read_wallet", "video", READ),
        Route("GET /v1/tasks/{id}", "read_job", "tasks", READ),
        Route("GET /v1/tasks", "list_jobs", "tasks", READ),
        Route("GET /v1/models", "read_models", "tasks", READ),
        Route("GET /v1/models/{id+}", "read_models", "tasks", READ),
        Route("POST /v1/quote", "quote_job", "quote", READ, WITH_DATA_BYTES_MAX),
        Route("POST /v1/files", "manage_files", "tasks", GENERATE, FILE_BYTES_MAX),
        Route("GET /v1/files", "manage_files", "tasks", READ),
        Route("GET /v1/files/{id}", "manage_files", "tasks", READ),
        Route("DELETE /v1/files/{id}", "manage_files", "tasks", GENERATE),
        Route("GET /v1/usage/summary", "summarize_usage", "tasks", READ),
        Route("GET /v1/wallet", "read_wallet", "image-v1", READ),
        Route("GET /api/v1/wallet", "read_wallet", "image", READ),
        Route("GET /v1/usage", "list_jobs", "image-v1", READ),
        Route("GET /api/v1/usage", "list_jobs", "image", READ),
        Route("POST /api/v1/webhooks", "manage_webhooks", "video", WEBHOOKS),
        Route("GET /api/v1/webhooks", "manage_webhooks", "video", WEBHOOKS),
        Route("GET /api/v1/webhooks/{id}", "manage_webhooks", "video", WEBHOOKS),
        Route("PATCH /api/v1/webhooks/{id}", "manage_webhooks", "video", WEBHOOKS),
        Route("DELETE /api/v1/webhooks/{id}", "manage_webhooks", "video", WEBHOOKS),
        Route("POST /api/v1/webhooks/{id}/rotate", "manage_webhooks", "video", WEBHOOKS),
        Route("POST /api/v1/webhooks/{id}/test", "manage_deliveries", "video", WEBHOOKS),
        Route("POST /api/v1/webhooks/{id}/recover", "manage_deliveries", "video", WEBHOOKS),
        Route("GET /api/v1/webhooks/{id}/deliveries", "manage_deliveries", "video", WEBHOOKS),
        Route(
            "POST /api/v1/webhooks/{id}/deliveries/{delivery_id}/resend",
            "manage_deliveries",
            "video",
            WEBHOOKS,
        ),
        Route("GET /v1/webhook-secret", "manage_webhook_secret", "tasks", WEBHOOKS),
        Route("POST /v1/webhook-secret", "manage_webhook_secret", "tasks", WEBHOOKS),
        Route("POST /v1/webhook-secret/rotate", "manage_webhook_secret", "tasks", WEBHOOKS),
        Route("POST /mcp", "serve_mcp", None, READ, WITH_DATA_BYTES_MAX),
        Route("POST /callbacks/{provider}/{job}/{mac}", "receive_callback"),
        Route("GET /docs/api", "read_document"),
        Route("GET /llms.txt", "read_document"),
        Route("GET /docs/llms.txt", "read_document"),
        Route("GET /api/v1/openapi.json", "read_document"),
        Route("GET /.well-known/openapi.json", "read_document"),
        Route("GET /docs/events", "read_document"),
        Route("GET /docs/events.md", "read_document"),
        Route("GET /api/v1/asyncapi.json", "read_document"),
        Route("POST /stripe/webhook", "receive_payment"),
        Route("GET /dashboard", "show_dashboard"),
        Route("GET /dashboard/{path+}", "show_dashboard"),
        Route("POST /dashboard/{path+}", "show_dashboard"),
        Route("GET /dashboard/operate", "operate"),
        Route("GET /dashboard/operate/{path+}", "operate"),
        Route("POST /dashboard/operate/{path+}", "operate"),
        Route("GET /dashboard/top-up", "top_up"),
        Route("POST /dashboard/top-up", "top_up"),
        Route("GET /healthz", "read_health"),
        Route("$default", "reject_route"),
    )
}


@cache
def methods_of(path: str) -> tuple[str, ...]:
    """What a path such as `/v1/jobs/{id}` may be asked with, sorted; `HEAD` goes with `GET`.

    Empty for a path without a route.
    """
    methods = {route.name.partition(" ")[0] for route in ROUTES.values() if path and route.path == path}
    return tuple(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def is_route(path: str) -> bool:
    """Whether the API has an address such as `/v1/jobs/job_1`."""
    parts = path.split("/")
    return any(_fits(route.path.split("/"), parts) for route in ROUTES.values() if route.path)


def _fits(pattern: list[str], parts: list[str]) -> bool:
    return len(pattern) == len(parts) and all(
        (part and asked.startswith("{")) or asked == part for asked, part in zip(pattern, parts, strict=True)
    )


def dialect_around(path: str) -> str | None:
    """What is spoken at and below a path's root, such as `/api/v1/videos`; None where no one dialect is."""
    spoken = {route.dialect for route in ROUTES.values() if _root_of(route.path) == _root_of(path)}
    return spoken.pop() if len(spoken) == 1 else None


def _root_of(path: str) -> list[str]:
    return path.split("/")[:ROOT_SEGMENTS]
