"""The poll queue of simulated work."""

from __future__ import annotations

from shoal.composition import jobs
from shoal.handlers.consumers.poll_provider import poll
from shoal.handlers.consumers.queue import Consumer

handler = Consumer(jobs.poll_provider, poll)
