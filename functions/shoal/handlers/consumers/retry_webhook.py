"""The queue of retries, and of all that is sent to endpoints not known to be good."""

from __future__ import annotations

from shoal.composition import webhooks as bootstrap_webhooks
from shoal.handlers.consumers.attempts import attempts

handler = attempts(bootstrap_webhooks.retry_webhook)
