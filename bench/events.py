"""The events that API Gateway would send a function for a submit and for a poll."""

from __future__ import annotations

import json
from typing import Any

from bench.stub import KEY, ULID

BODY = {"mode": "2k", "prompt": "A shark swimming in neon-lit deep ocean", "aspect_ratio": "16:9"}


def submit_event() -> dict[str, Any]:
    """POST /v1/generate with an Idempotency-Key."""
    return _event("POST", "/v1/generate", "/v1/generate") | {"body": json.dumps(BODY)}


def poll_event() -> dict[str, Any]:
    """GET /v1/jobs/{id} of a finished image."""
    job_id = f"job_{ULID}"
    return _event("GET", "/v1/jobs/{id}", f"/v1/jobs/{job_id}") | {"pathParameters": {"id": job_id}}


def _event(method: str, route: str, path: str) -> dict[str, Any]:
    """An event of payload format 2.0."""
    host = "9k2f7x1q3c.execute-api.us-east-1.amazonaws.com"
    return {
        "version": "2.0",
        "routeKey": f"ANY {route}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "accept": "*/*",
            "authorization": f"Bearer {KEY}",
            "content-type": "application/json",
            "host": host,
            "idempotency-key": "order-42",
            "user-agent": "curl/8.5.0",
            "x-amzn-trace-id": "Root=1-69243a80-2f6c1b7a4d0e5c3b1a9f8e7d",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "9k2f7x1q3c",
            "domainName": host,
            "domainPrefix": "9k2f7x1q3c",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "curl/8.5.0",
            },
            "requestId": "UiXx3hZ5DoEEJ4g=",
            "routeKey": f"ANY {route}",
            "stage": "$default",
            "time": "24/Nov/2026:10:40:00 +0000",
            "timeEpoch": 1795516800123,
        },
        "isBase64Encoded": False,
    }
