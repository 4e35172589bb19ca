"""The queue of deliveries: first attempts at good endpoints."""

from __future__ import annotations

from shoal.composition import webhooks
from shoal.handlers.consumers.attempts import Attempts

handler = Attempts(webhooks.deliver_webhook)
