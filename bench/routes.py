"""How many AWS calls each route makes, one after the other, counted on the deployed stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests

from bench.recorder import Recorder
from bench.usage import CALL_S_MAX, IMAGE, PREFIX, Customer
from shoal.handlers.http.routes import ROUTES

SUBMIT, POLL = "POST /v1/generate", "GET /v1/jobs/{id}"
REQUESTS: Mapping[str, Mapping[str, Any] | None] = {
    SUBMIT: IMAGE.body,
    POLL: None,
    "GET /v1/tasks/{id}": None,
    "GET /v1/tasks": None,
    "GET /v1/models": None,
    "POST /v1/quote": IMAGE.body,
    "GET /v1/wallet": None,
    "GET /v1/usage": None,
    "GET /v1/usage/summary": None,
    "GET /api/v1/videos": None,
    "GET /api/v1/webhooks": None,
    "GET /healthz": None,
}
"""Routes with the body to send; `{id}` is that of the image submitted first."""


def measure(recorder: Recorder, customer: Customer) -> dict[str, int]:
    """Calls by route, of functions that are warm: each route is asked twice and counted the second time."""
    job_id, counts = "", {}
    for route, body in REQUESTS.items():
        method, path = route.split(" ")
        for _ in range(2):
            recorder.take()
            answer = requests.request(
                method,
                customer.cloud.api_url + path.replace("{id}", job_id),
                json=body,
                headers={"Authorization": f"Bearer {customer.key}"},
                timeout=CALL_S_MAX,
            )
            answer.raise_for_status()
        job_id = answer.json()["job_id"] if route == SUBMIT else job_id
        function = PREFIX + ROUTES[route].verb.replace("_", "-")
        counts[route] = sum(call.function == function for call in recorder.take())
    return counts
