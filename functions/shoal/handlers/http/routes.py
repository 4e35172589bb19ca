"""Every public route and the Lambda behind it. The stack builds the API from this table."""

from __future__ import annotations

ROUTES: dict[str, str] = {
    "POST /v1/generate": "submit_job",
    "POST /api/v1/image": "submit_job",
    "GET /v1/jobs/{id}": "read_job",
    "GET /api/v1/jobs/{id}": "read_job",
    "POST /v1/jobs/{id}/cancel": "cancel_job",
    "POST /api/v1/jobs/{id}/cancel": "cancel_job",
    "POST /v1/tasks/{id}/cancel": "cancel_job",
    "GET /v1/tasks/{id}": "read_task",
    "GET /v1/tasks": "list_tasks",
    "GET /v1/models": "read_models",
    "GET /v1/models/{id}": "read_models",
    "POST /v1/quote": "quote_job",
    "GET /v1/usage/summary": "summarize_usage",
    "GET /v1/wallet": "read_wallet",
    "GET /api/v1/wallet": "read_wallet",
    "GET /v1/usage": "list_jobs",
    "GET /api/v1/usage": "list_jobs",
    "POST /callbacks/{provider}/{job}/{mac}": "receive_callback",
    "GET /healthz": "read_health",
    "$default": "reject_route",
}
