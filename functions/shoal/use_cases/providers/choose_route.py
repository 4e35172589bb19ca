"""Choose the route that is asked for an output: the first behind the last one whose breaker admits a call.

no call, next route ─┬─ a breaker admits it ────────► place_call.py: start
                     ├─ all are left alone for now ─► look again in 10 s
                     └─ none is left ───────────────► the last error ends the job
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shoal.domain.errors import JobError, ProviderFailed, ShoalError
from shoal.domain.job import Job
from shoal.domain.provider import Pending
from shoal.domain.routing import SIMULATED, Phase, ProviderCall, Route, find_route, routes_after
from shoal.ports.catalogs import Catalogs
from shoal.ports.routing import Breakers, Pass, Providers

NO_ROUTE_S = 10
"""When a job is looked at again that no route was open for."""

NOBODY = "No provider could take the request. No charge was applied."


@dataclass(frozen=True, slots=True)
class ChooseRoute:
    providers: Providers
    breakers: Breakers
    catalogs: Catalogs

    def __call__(self, job: Job, last: ProviderCall, now_ms: int) -> tuple[ProviderCall, Pass] | None:
        """The call that follows `last`, and leave to place it."""
        for route in routes_after(self._routes(job), last.route):
            if self.providers.has(route.provider) and (given := self.breakers.admit(route, now_ms)):
                return ProviderCall(last.number + 1, route.name, Phase.DUE), given
        return None

    def admit(self, job: Job, call: ProviderCall, now_ms: int) -> Pass | None:
        """Leave to place the same call again."""
        return self.breakers.admit(self.route_of(job, call), now_ms)

    def give_up(self, job: Job, after: ShoalError | None) -> Pending:
        """When to look again. Raises what ends the job: a provider's error, or that none could be asked."""
        if isinstance(after, JobError):
            raise after
        if after is None and any(self.providers.has(route.provider) for route in self._routes(job)):
            return Pending(None, NO_ROUTE_S)
        raise ProviderFailed(NOBODY)

    def route_of(self, job: Job, call: ProviderCall) -> Route:
        return find_route(self._routes(job), call.route)

    def _routes(self, job: Job) -> Sequence[Route]:
        """All ways to make the job's outputs. None if its model has left the catalog."""
        if job.simulated:
            return (SIMULATED,)
        return self.catalogs.of(job.catalog_version).routes(job.brief.model)
