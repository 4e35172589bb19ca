"""The queue of retries, and of all that is sent to endpoints not known to be good."""

from __future__ import annotations

from shoal.composition import webhooks
from shoal.handlers.consumers.attempts import Attempts

handler = Attempts(webhooks.retry_webhook)
