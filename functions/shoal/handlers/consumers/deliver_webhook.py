"""The queue of deliveries: first attempts at good endpoints."""

from __future__ import annotations

from shoal import bootstrap_webhooks
from shoal.handlers.consumers.attempts import attempts

handler = attempts(bootstrap_webhooks.deliver_webhook)
