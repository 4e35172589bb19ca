"""Place a call with a provider: have it start an output, or say how its work is doing.

    start: write ASKED, then ask ─┬─ done ────► stage_output.py
    check: ask for AT WORK ───────┼─ pending ─► AT WORK, if a reference came with it
                                  └─ error ───► ask_provider.py

Every exchange is timed and counted, and its route's breaker is told of it: of an output once it was used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from shoal.domain.breaker import Outcome
from shoal.domain.errors import JobClosed, OutputInvalid, ProviderFailed, ShoalError, Unavailable
from shoal.domain.provider import Answer, Done, Pending, ProviderRequest
from shoal.domain.routing import Phase, Route, outcome_of
from shoal.ports.routing import Breakers, CallbackUrls, Meter, Pass, Providers
from shoal.ports.system import Clock
from shoal.use_cases.providers.call_off import call_off
from shoal.use_cases.providers.choose_route import ChooseRoute
from shoal.use_cases.providers.output_call import OutputCall
from shoal.use_cases.providers.provider_request import of_call, of_route
from shoal.use_cases.providers.stage_output import Delivered, Progress, StageOutput


@dataclass(frozen=True, slots=True)
class PlaceCall:
    """`type_of` tells the media type of a caller's staged picture."""

    providers: Providers
    breakers: Breakers
    meter: Meter
    callback_urls: CallbackUrls
    choose: ChooseRoute
    stage: StageOutput
    clock: Clock
    type_of: Callable[[bytes], str]

    def start(self, output: OutputCall, given: Pass) -> Progress:
        """Raises what providers raise."""
        provider = self.providers.get(output.call.provider)
        free = not provider.bills_called_off(output.request)
        output.write(replace(output.call, phase=Phase.ASKED, free=free))
        progress = self._exchange(output, provider.start, given)
        if isinstance(progress, Pending) and progress.ref:
            try:
                output.note_ref(progress.ref)
            except JobClosed:  # it ended while the provider was asked: nobody else will know of the work
                call_off(provider, progress.ref, output.job.id)
                raise
        return progress

    def check(self, output: OutputCall) -> Progress:
        """Raises what providers raise."""
        provider = self.providers.get(output.call.provider)
        progress = self._exchange(output, partial(provider.check, output.ref or ""))
        if isinstance(progress, Pending):
            output.note_ref(progress.ref)
        return progress

    def _exchange(
        self, output: OutputCall, ask: Callable[[ProviderRequest], Answer], given: Pass | None = None
    ) -> Progress:
        route, call = self.choose.route_of(output.job, output.call), output.call
        model = self.choose.model_of(output.job)
        request = of_call(output.request, call, self.callback_urls.url(output.job, output.index, call))
        request = of_route(request, route, model, self.type_of)
        began_ms = self.clock.now_ms()
        try:
            answer = ask(request)
        except ShoalError as error:
            self.meter.count_exchange(route.name, type(error).__name__, self.clock.now_ms() - began_ms)
            self.judge(route, given, error)
            raise
        word = "done" if isinstance(answer, Done) else "pending"
        self.meter.count_exchange(route.name, word, self.clock.now_ms() - began_ms)
        if isinstance(answer, Done):
            if output.call.free:  # it is made: a cancel from now on captures it
                output.write(replace(output.call, free=False))
            return self._use(output, route, answer, given)
        if given:
            self.judge(route, given)
        return answer

    def _use(self, output: OutputCall, route: Route, done: Done, given: Pass | None) -> Progress:
        try:
            progress = self.stage(output, done)
        except (ProviderFailed, OutputInvalid) as error:
            self.judge(route, given, error)
            raise
        except Unavailable:  # it is ours that failed
            self.judge(route, given)
            raise
        if isinstance(progress, Delivered):
            self.judge(route, given)
            self.meter.count_output(route.name, route.cost_micros)
        return progress

    def judge(self, route: Route, given: Pass | None, error: ShoalError | None = None) -> None:
        """Tell the route's breaker what an exchange says of it, if anything."""
        if outcome := outcome_of(error) if error else Outcome.SUCCESS:
            reason, now_ms = str(error or ""), self.clock.now_ms()
            self.breakers.note(route, outcome, given or Pass(), now_ms, reason=reason)
