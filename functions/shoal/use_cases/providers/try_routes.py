"""Ask one route after the other for something small that is answered at once: a script, a narration.

Nothing of it is delivered by itself and its price is cents, so a lost answer is no reason to wait: the next
route is asked.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from shoal.domain import errors
from shoal.domain.breaker import Outcome
from shoal.domain.routing import Route, outcome_of
from shoal.ports.routing import Breakers, Meter
from shoal.ports.system import Clock

logger = logging.getLogger(__name__)

RETRY_S = 2

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TryRoutes:
    breakers: Breakers
    meter: Meter
    clock: Clock

    def __call__(
        self, routes: Sequence[Route], has: Callable[[str], bool], ask: Callable[[Route], T], *, scenes: int
    ) -> T:
        """The first route's answer that is one, for so many scenes: what each costs is counted.

        Raises `ProviderRejected` as soon as a provider says so, what the last route raised if that ends the
        job, else `Unavailable`: then the state is tried again.
        """
        last: errors.ShoalError = errors.Unavailable(retry_after_seconds=RETRY_S)
        for route in routes:
            admitted = self.breakers.admit(route, self.clock.now_ms()) if has(route.provider) else None
            if admitted is None:
                continue
            began_ms = self.clock.now_ms()
            try:
                answer = ask(route)
            except errors.ProviderRejected as error:
                self.meter.count_exchange(route.name, type(error).__name__, self.clock.now_ms() - began_ms)
                self.breakers.note(route, Outcome.SUCCESS, admitted, self.clock.now_ms())
                raise
            except (
                errors.ProviderBusy,
                errors.ProviderFailed,
                errors.ProviderUnusable,
                errors.OutcomeUnknown,
            ) as error:
                logger.warning("route failed", extra={"route": route.name, "reason": str(error)})
                last, outcome, word = error, outcome_of(error), type(error).__name__
            else:
                self.meter.count_exchange(route.name, "done", self.clock.now_ms() - began_ms)
                cost = route.cost_micros
                self.meter.count_output(route.name, None if cost is None else cost * scenes)
                self.breakers.note(route, Outcome.SUCCESS, admitted, self.clock.now_ms())
                return answer
            self.meter.count_exchange(route.name, word, self.clock.now_ms() - began_ms)
            if outcome:
                self.breakers.note(route, outcome, admitted, self.clock.now_ms(), reason=str(last))
        if isinstance(last, errors.ProviderFailed):
            raise last
        raise errors.Unavailable(retry_after_seconds=RETRY_S) from last
