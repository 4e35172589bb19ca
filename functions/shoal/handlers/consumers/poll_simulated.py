"""The poll queue of simulated work."""

from __future__ import annotations

from functools import partial

from shoal.composition import jobs
from shoal.handlers.consumers.poll_provider import poll
from shoal.handlers.consumers.queue import Consumer

handler = Consumer(partial(jobs.poll_provider, draws=True), poll)
