"""Every public route and the Lambda behind it. The stack builds the API from this table.

In a path, `{id}` is one segment. `{id+}` is all that follows, for an id that may hold a slash: API Gateway
decodes `%2F` before it looks for a route.
"""

from __future__ import annotations

from functools import cache

ROUTES: dict[str, str] = {
    "POST /v1/generate": "submit_job",
    "POST /api/v1/image": "submit_job",
    "GET /v1/jobs/{id}": "read_job",
    "GET /api/v1/jobs/{id}": "read_job",
    "POST /v1/jobs/{id}/cancel": "cancel_job",
    "POST /api/v1/jobs/{id}/cancel": "cancel_job",
    "POST /v1/tasks/{id}/cancel": "cancel_job",
    "POST /api/v1/videos": "submit_job",
    "GET /api/v1/videos/{id}": "read_video",
    "GET /api/v1/videos": "list_videos",
    "POST /api/v1/videos/{id}/cancel": "cancel_job",
    "GET /api/v1/credits": "read_wallet",
    "GET /v1/tasks/{id}": "read_task",
    "GET /v1/tasks": "list_tasks",
    "GET /v1/models": "read_models",
    "GET /v1/models/{id+}": "read_models",
    "POST /v1/quote": "quote_job",
    "GET /v1/usage/summary": "summarize_usage",
    "GET /v1/wallet": "read_wallet",
    "GET /api/v1/wallet": "read_wallet",
    "GET /v1/usage": "list_jobs",
    "GET /api/v1/usage": "list_jobs",
    "POST /api/v1/webhooks": "manage_webhooks",
    "GET /api/v1/webhooks": "manage_webhooks",
    "GET /api/v1/webhooks/{id}": "manage_webhooks",
    "PATCH /api/v1/webhooks/{id}": "manage_webhooks",
    "DELETE /api/v1/webhooks/{id}": "manage_webhooks",
    "POST /api/v1/webhooks/{id}/rotate": "manage_webhooks",
    "POST /api/v1/webhooks/{id}/test": "manage_deliveries",
    "POST /api/v1/webhooks/{id}/recover": "manage_deliveries",
    "GET /api/v1/webhooks/{id}/deliveries": "manage_deliveries",
    "POST /api/v1/webhooks/{id}/deliveries/{delivery_id}/resend": "manage_deliveries",
    "GET /v1/webhook-secret": "manage_webhook_secret",
    "POST /v1/webhook-secret": "manage_webhook_secret",
    "POST /v1/webhook-secret/rotate": "manage_webhook_secret",
    "POST /mcp": "serve_mcp",
    "POST /callbacks/{provider}/{job}/{mac}": "receive_callback",
    "GET /docs/api": "read_document",
    "GET /llms.txt": "read_document",
    "GET /docs/llms.txt": "read_document",
    "GET /api/v1/openapi.json": "read_document",
    "GET /.well-known/openapi.json": "read_document",
    "POST /stripe/webhook": "receive_payment",
    "GET /dashboard": "show_dashboard",
    "GET /dashboard/{path+}": "show_dashboard",
    "POST /dashboard/{path+}": "show_dashboard",
    "GET /dashboard/operate": "operate",
    "GET /dashboard/operate/{path+}": "operate",
    "POST /dashboard/operate/{path+}": "operate",
    "GET /dashboard/top-up": "top_up",
    "POST /dashboard/top-up": "top_up",
    "GET /healthz": "read_health",
    "$default": "reject_route",
}


@cache
def methods_of(path: str) -> tuple[str, ...]:
    """What a path such as `/v1/jobs/{id}` may be asked with, sorted; `HEAD` goes with `GET`.

    Empty for a path without a route.
    """
    parts = (route.partition(" ") for route in ROUTES)
    methods = {method for method, space, known in parts if space and known == path}
    return tuple(sorted(methods | {"HEAD"} if "GET" in methods else methods))
