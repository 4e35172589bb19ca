"""Webhooks: which endpoints get events, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shoal_client import signatures
from shoal_client.resources import Delivery, NewWebhook, Webhook
from shoal_client.transport import Transport, part

WebhookPage = tuple[list[Webhook], str | None]
DeliveryPage = tuple[list[Delivery], str | None]
ROOT = "/api/v1/webhooks"


@dataclass(frozen=True)
class Webhooks:
    """`verify` needs no client: it is `shoal_client.verify` too."""

    transport: Transport
    verify = staticmethod(signatures.verify)

    def create(
        self, url: str, events: Sequence[str], *, name: str = "", idempotency_key: str | None = None
    ) -> NewWebhook:
        """Subscribe; store the secret now. Raises `InvalidRequest` for an address nobody may choose."""
        body = {"name": name, "url": url, "events": [*events]}
        made: NewWebhook = self.transport.spend(ROOT, body, idempotency_key)
        return made

    def get(self, webhook_id: str) -> Webhook:
        webhook: Webhook = self.transport.get(f"{ROOT}/{part(webhook_id)}")["webhook"]
        return webhook

    def list(self, *, cursor: str | None = None, limit: int | None = None) -> WebhookPage:
        """One page, newest first, and the cursor of the next."""
        page = self.transport.get(ROOT, {"cursor": cursor, "limit": limit})
        return page["webhooks"], page["next_cursor"]

    def change(self, webhook_id: str, **changes: Any) -> Webhook:
        """`changes`: name, url, events, enabled."""
        webhook: Webhook = self.transport.patch(f"{ROOT}/{part(webhook_id)}", changes)["webhook"]
        return webhook

    def delete(self, webhook_id: str) -> None:
        self.transport.delete(f"{ROOT}/{part(webhook_id)}")

    def rotate(self, webhook_id: str, *, idempotency_key: str | None = None) -> NewWebhook:
        """A new secret; the one before it signs beside it for 24 hours."""
        made: NewWebhook = self.transport.spend(f"{ROOT}/{part(webhook_id)}/rotate", None, idempotency_key)
        return made

    def test(self, webhook_id: str, event_type: str | None = None) -> Delivery:
        """Send a made-up event and wait for what becomes of it."""
        body = None if event_type is None else {"type": event_type}
        delivery: Delivery = self.transport.post(f"{ROOT}/{part(webhook_id)}/test", body)["delivery"]
        return delivery

    def deliveries(
        self, webhook_id: str, *, cursor: str | None = None, limit: int | None = None, **query: Any
    ) -> DeliveryPage:
        """One page, newest first, and the cursor of the next. `query`: status, type, from_, to."""
        sent = {"cursor": cursor, "limit": limit, **query}
        page = self.transport.get(f"{ROOT}/{part(webhook_id)}/deliveries", sent)
        return page["deliveries"], page["next_cursor"]

    def resend(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Raises `Conflict` while the webhook is disabled."""
        path = f"{ROOT}/{part(webhook_id)}/deliveries/{part(delivery_id)}/resend"
        delivery: Delivery = self.transport.post(path)["delivery"]
        return delivery
