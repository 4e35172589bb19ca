"""Webhooks from outside: a client of their routes, and what a receiver does to verify a delivery."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from standardwebhooks import Webhook
from svix.webhooks import Webhook as SvixWebhook

from tests.support.client import Client, Json

TOLERANCE_S = 300
JSON = "application/json"


@dataclass(frozen=True)
class WebhooksClient:
    """`create` gives the raw answer; the others expect success and give its body."""

    client: Client

    def create(self, url: str, *events: str, name: str = "n8n production") -> Any:
        """POST /api/v1/webhooks"""
        body = {"name": name, "url": url, "events": list(events or ("*",))}
        return self.client.request("POST", "/api/v1/webhooks", json=body)

    def subscribe(self, url: str, *events: str) -> tuple[str, str]:
        """The id and the secret of a new webhook."""
        answer = self.create(url, *events)
        assert answer.status_code == 201, answer.text
        body = answer.json()
        return body["webhook"]["id"], body["secret"]

    def call(self, method: str, path: str, **more: Any) -> Json:
        """`path` below /api/v1/webhooks."""
        answer = self.client.request(method, f"/api/v1/webhooks{path}", **more)
        assert answer.status_code in (200, 202), answer.text
        body: Json = answer.json()
        return body

    def webhook(self, webhook_id: str) -> Json:
        found: Json = self.call("GET", f"/{webhook_id}")["webhook"]
        return found

    def deliveries(self, webhook_id: str, **query: Any) -> list[Json]:
        """The newest first."""
        found: list[Json] = self.call("GET", f"/{webhook_id}/deliveries", params=query)["deliveries"]
        return found


def assert_signed(secret: str, headers: Mapping[str, str], body: bytes, *, now_s: float | None = None) -> Any:
    """Every published verifier accepts the delivery; with `now_s` only those whose clock can be set.

    Returns the event.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    assert lower["content-type"] == JSON
    assert vidshark_accepts(secret, lower, body, time.time() if now_s is None else now_s)
    if now_s is None:
        svix = {name.replace("webhook-", "svix-"): value for name, value in lower.items()}
        SvixWebhook(secret).verify(body, svix)
        return Webhook(secret).verify(body, lower)
    return None


def vidshark_accepts(secret: str, headers: Mapping[str, str], body: bytes, now_s: float) -> bool:
    """The verifier of the VidShark document, line by line; of several `v1` it keeps the last one."""
    parts = dict(part.split("=", 1) for part in headers["vidshark-signature"].split(","))
    if not parts.get("t", "").isdigit() or not parts.get("v1"):
        return False
    if abs(now_s - int(parts["t"])) > TOLERANCE_S:
        return False
    message = parts["t"].encode() + b"." + body
    expected = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, parts["v1"])
