"""TellEvents: put on the bus what happened apart from any job."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from shoal.domain.errors import Unavailable
from shoal.ports.system import Bus, Outbox, TimeLeft, unlimited

logger = logging.getLogger(__name__)

RESERVE_S = 1.5
"""With less time left nothing more is told: a call to the bus and one to the table take less, as a rule."""


@dataclass(frozen=True, slots=True)
class TellEvents:
    outbox: Outbox
    bus: Bus

    def __call__(self, time_left: TimeLeft = unlimited) -> int:
        """How many events were told, the oldest first. What the bus does not take waits for the next run, and
        so does what the time is too short for.

        An event is forgotten only after it was told: one that is told again keeps its id.
        """
        told = 0
        try:
            for untold in self.outbox.untold():
                if time_left() < RESERVE_S:
                    break
                self.bus.publish(untold.events)
                self.outbox.forget(untold)
                told += len(untold.events)
        except Unavailable:
            logger.warning("events left to the next run", exc_info=True)
        return told
