"""Routes: which provider makes an output of a model, and who is asked next when one cannot.

What a provider's error means for the call of an output:

ProviderRejected   the caller's fault: the job fails, no other route is asked
ProviderBusy       the same route again after its hint, a few times; then the next route
ProviderFailed     the next route; without one the job fails
ProviderUnusable   the next route, and the operator is alarmed
OutcomeUnknown     nobody is asked again: the work may be under way
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, NonNegativeInt

from shoal.domain import errors
from shoal.domain.breaker import Outcome
from shoal.domain.provider import ALWAYS_THERE, EMBEDDED, SIMULATOR, is_worker

BUSY_TRIES_MAX = 3
"""How often a route that is too busy is asked before the next one."""

PATIENCE_S = 20
"""A route that wants to be left alone for longer is not waited for while there is another."""

NEXT_ROUTE = errors.ProviderFailed, errors.ProviderUnusable, errors.OutputInvalid
"""What has the next route asked."""

UNAVAILABLE_RETRY_S = 3_600
"""When a model that has no provider here is asked for again: it takes an operator."""


class Route(BaseModel):
    """One way to make a model's outputs.

    `model` is what the provider itself calls it; such names are dated, so they are in the catalog and not
    in code. `cost_micros` is what an output costs us there, in micro-dollars, if it is known;
    of a script or a narration, what each scene of it does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    provider: str
    model: str = ""
    cost_micros: NonNegativeInt | None = None

    @property
    def name(self) -> str:
        """Provider and model in one word, such as `fal/fal-ai/flux/dev`."""
        return f"{self.provider}/{self.model}"

    @property
    def key_name(self) -> str:
        """Whose key is used: `openai-background` and other variants share the one of `openai`."""
        return key_name(self.provider)


def key_name(provider: str) -> str:
    """The first word of a provider's name; all of a worker's, for each has a secret of its own."""
    return provider if is_worker(provider) else provider.partition("-")[0]


SIMULATED = Route(provider=SIMULATOR)
WITHIN = Route(provider=EMBEDDED)


class Phase(StrEnum):
    DUE = "due"
    """The provider does not have it: to be asked when its time comes."""

    ASKED = "asked"
    """Written before the provider is asked: without a reference, nobody knows whether it took the request."""


@dataclass(frozen=True, slots=True)
class ProviderCall:
    """The call an output waits for, the `number`-th: a new number for each route that is asked.

    `route` is the route's name; while none was open, it is empty and the number 0. `tries` counts how often
    the route was in our way so far: too busy, or without the file it had promised. `due_at_ms` is before when
    nobody asks it, in Unix time. `mark` is drawn for every write, so that a write finds itself again. `free`:
    the provider calls off what it works on for nothing; what is not known to be free is billed.
    `answer_by_ms` is by when the output has to be there, in Unix time: it was set before the first route was
    asked, and 0.1 set none.
    """

    number: int
    route: str
    phase: Phase
    tries: int = 0
    due_at_ms: int = 0
    mark: str = ""
    free: bool = False
    answer_by_ms: int = 0

    @property
    def billed(self) -> bool:
        """Whether its output has to be paid for, though it were called off now."""
        return self.phase is Phase.ASKED and not self.free

    @property
    def provider(self) -> str:
        return self.route.partition("/")[0]

    def to_json(self) -> str:
        fields = asdict(self)
        for newer in ("free", "answer_by_ms"):
            if not fields[newer]:
                del fields[newer]  # as calls were written before there was this word: they are compared
        return json.dumps(fields)

    @classmethod
    def from_json(cls, text: str) -> ProviderCall:
        fields = json.loads(text)
        return cls(**fields | {"phase": Phase(fields["phase"])})


@dataclass(frozen=True, slots=True)
class Board:
    """What is known of all routes, a few seconds old at most.

    `keyed` are the providers this stage has a key of; `open_until_ms` is by route: nobody asks it before.
    `simulator_allowed`: whether the stage may stand in for providers it has no keys of.
    """

    keyed: frozenset[str] = frozenset()
    open_until_ms: Mapping[str, int] = field(default_factory=dict)
    simulator_allowed: bool = False

    def has_key(self, route: Route) -> bool:
        return route.provider in ALWAYS_THERE or route.key_name in self.keyed

    def is_open(self, route: Route, now_ms: int) -> bool:
        """Whether the route's breaker lets nobody through."""
        return self.open_until_ms.get(route.name, 0) > now_ms

    def provider_of(self, routes: Sequence[Route], now_ms: int) -> str:
        """Who would be asked first. Raises `Unavailable` if nobody would.

        A model without any key is simulated where the stage allows it.
        """
        keyed = [route for route in routes if self.has_key(route)]
        usable = [route for route in keyed if not self.is_open(route, now_ms)]
        if usable:
            return usable[0].provider
        if keyed:
            soonest_ms = min(self.open_until_ms[route.name] for route in keyed)
            raise errors.Unavailable(
                "The model is briefly unavailable.", retry_after_seconds=_seconds(soonest_ms - now_ms)
            )
        if self.simulator_allowed:
            return SIMULATOR
        raise errors.Unavailable("The model is not available here.", retry_after_seconds=UNAVAILABLE_RETRY_S)

    def offers(self, routes: Sequence[Route], now_ms: int) -> bool:
        """Whether a job of a model with these routes would be accepted."""
        try:
            self.provider_of(routes, now_ms)
        except errors.Unavailable:
            return False
        return True


def routes_after(routes: Sequence[Route], name: str | None) -> Sequence[Route]:
    """Those that come after the one of this name; all of them if it is none of these, or None."""
    names = [route.name for route in routes]
    return routes[names.index(name) + 1 :] if name in names else routes


def find_route(routes: Sequence[Route], name: str) -> Route:
    """The one of this name, also if it has left the catalog since."""
    provider, _, model = name.partition("/")
    return next((route for route in routes if route.name == name), Route(provider=provider, model=model))


def is_worth_waiting(call: ProviderCall, wait_s: int, *, now_ms: int, deadline_ms: int) -> bool:
    """Whether a busy route is asked again after `wait_s` although there is another."""
    patient = call.tries + 1 < BUSY_TRIES_MAX and wait_s <= PATIENCE_S
    return patient and now_ms + wait_s * 1000 < deadline_ms


def outcome_of(error: errors.ShoalError) -> Outcome | None:
    """What an error says about the route it came from; None if nothing. A caller's fault is a success."""
    if isinstance(error, errors.ProviderUnusable):
        return Outcome.UNUSABLE
    if isinstance(
        error, errors.ProviderBusy | errors.ProviderFailed | errors.OutputInvalid | errors.OutcomeUnknown
    ):
        return Outcome.FAILURE
    return Outcome.SUCCESS if isinstance(error, errors.ProviderRejected) else None


def _seconds(ms: int) -> int:
    """Rounded up, and at least one."""
    return max(1, -(-ms // 1000))
