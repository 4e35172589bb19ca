"""TellEvents: put on the bus what happened apart from any job."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from shoal.domain.errors import Unavailable
from shoal.ports.system import Bus, Outbox

logger = logging.getLogger(__name__)

EVENTS_MAX = 2_000
"""Of one run: two hundred calls to the bus, some seconds. The next run goes on."""


@dataclass(frozen=True, slots=True)
class TellEvents:
    outbox: Outbox
    bus: Bus

    def __call__(self) -> int:
        """How many events were told, the oldest first. What the bus does not take waits for the next run.

        An event is forgotten only after it was told: one that is told again keeps its id.
        """
        told = 0
        try:
            for untold in self.outbox.untold():
                self.bus.publish(untold.events)
                self.outbox.forget(untold)
                told += len(untold.events)
                if told >= EVENTS_MAX:
                    break
        except Unavailable:
            logger.warning("events left to the next run", exc_info=True)
        return told
