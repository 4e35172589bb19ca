"""Ask the providers of a model for an output, one after the other, until one makes it or takes it on.

The job names the route before the request leaves: a run that finds it there with neither answer nor
output does not know whether the provider took the request, and asks again only one that is idempotent.

A run goes on from where the call of the output stands, and leaves it where the next run goes on:

    no call ──────┐
                  ├─ a route's breaker admits it: write ASKED, then ask ─► ASKED
    next route ◄──┘   none does: look again in 10 s; none is left: the last error ends the job

    ASKED     ── done ────────────────► staged: delivered
      │       ── pending, with a reference ─────────► AT WORK
      │       ── busy for a while ────► DUE at a time
      │       ── busy for long, failed, unusable, no output ─► next route
      └────── ── no answer ───────────► unknown: look again in 60 s, ask again only who is idempotent

    AT WORK   ── done ────────────────► staged: delivered; not fetched: asked for again, three times in all
      │       ── pending, or busy ────► AT WORK
      └────── ── failed, no output ───► next route

    DUE       ── its time has come ───► ASKED; its breaker opened: next route

Past the deadline every step raises `ProviderTimeout`. Each write of the call is a condition on the one before
it: of two runs one goes on, and the other looks again later.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from shoal.domain.breaker import Outcome
from shoal.domain.catalog import Catalog
from shoal.domain.errors import (
    CallTaken,
    ExchangeError,
    JobClosed,
    JobError,
    OutcomeUnknown,
    OutputInvalid,
    ProviderBusy,
    ProviderFailed,
    ProviderTimeout,
    ProviderUnusable,
    ShoalError,
    Unavailable,
)
from shoal.domain.job import FINISH_GRACE_MS, Job
from shoal.domain.provider import Answer, Done, Pending, ProviderRequest
from shoal.domain.routing import (
    SIMULATED,
    Phase,
    ProviderCall,
    Route,
    outcome_of,
    route_named,
    routes_after,
    worth_waiting,
)
from shoal.ports.jobs import Jobs
from shoal.ports.routing import Breakers, CallbackUrls, Meter, Pass, Providers
from shoal.ports.system import Clock, Ids
from shoal.use_cases.providers.call_off import call_off
from shoal.use_cases.providers.provider_request import of_call
from shoal.use_cases.providers.stage_output import Delivered, StageOutput

logger = logging.getLogger(__name__)

LOOK_AGAIN_S = 60
"""How often a call of unknown outcome is looked at: a callback may have brought its reference."""

FETCH_AGAIN_S = 5
FETCH_TRIES_MAX = 3
NO_ROUTE_S = 10
"""When a job is looked at again that no route was open for."""

MARK_LENGTH = 8
NOBODY = "No provider could take the request. No charge was applied."


Progress = Delivered | Pending


@dataclass(frozen=True, slots=True)
class AskProvider:
    """`make_request` says what to ask for: the same for every call of an output."""

    jobs: Jobs
    providers: Providers
    breakers: Breakers
    meter: Meter
    make_request: Callable[[Job, int], ProviderRequest]
    callback_urls: CallbackUrls
    stage: StageOutput
    catalog: Catalog
    clock: Clock
    ids: Ids

    def __call__(self, job: Job, index: int) -> Progress:
        """The staged output, or when to look again. Raises `JobClosed`, and what ends the job."""
        work = _Work(self, job, index, self.make_request(job, index))
        try:
            return work.go_on()
        except CallTaken:
            # The faster run goes on with it; should that one die, this look finds the call again.
            return Pending(None, LOOK_AGAIN_S)

    def routes_of(self, job: Job) -> Sequence[Route]:
        """All ways to make the job's outputs. None if its model has left the catalog."""
        return (SIMULATED,) if job.simulated else self.catalog.routes(job.routed_model)


@dataclass(slots=True)
class _Work:
    """One run over one output. `job` is as it was last written or read."""

    ask: AskProvider
    job: Job
    index: int
    request: ProviderRequest

    @property
    def call(self) -> ProviderCall | None:
        return self.job.calls.get(self.index)

    @property
    def ref(self) -> str | None:
        return self.job.provider_refs.get(self.index)

    def go_on(self) -> Progress:
        """From where the last run left it."""
        call = self.call
        if call is None:
            return self._ask_next(None)
        if self.ref:
            return self._ask_and_go_on(call, lambda: self._check(call))
        if delivered := self.ask.stage.staged(self.job, self.index):
            return delivered
        if call.phase is Phase.DUE:
            return self._ask_when_due(call)
        if self.ask.providers.get(call.provider).idempotent:
            return self._ask_and_go_on(call, lambda: self._start(call, Pass()))
        return Pending(None, LOOK_AGAIN_S)

    def _ask_when_due(self, call: ProviderCall) -> Progress:
        now_ms = self.ask.clock.now_ms()
        if now_ms >= self._deadline_ms:
            raise ProviderTimeout(self.job.provider_deadline_s)
        if now_ms < call.due_at_ms:  # a repeated message, or a hint longer than a message waits
            return Pending(None, -(-(call.due_at_ms - now_ms) // 1000))
        admitted = self.ask.breakers.admit(self._route(call), now_ms)
        if admitted is None:
            return self._ask_next(ProviderBusy("its breaker opened", retry_after_seconds=NO_ROUTE_S))
        return self._ask_and_go_on(call, lambda: self._start(call, admitted))

    def _ask_next(self, after: ShoalError | None) -> Progress:
        """Ask the first open route behind that of the call, which ended in `after`."""
        found = self._next_route()
        if found is None:
            return self._without_routes(after)
        route, admitted = found
        call = ProviderCall(self.call.number + 1 if self.call else 1, route.name, Phase.DUE)
        return self._ask_and_go_on(call, lambda: self._start(call, admitted))

    def _next_route(self) -> tuple[Route, Pass] | None:
        now_ms = self.ask.clock.now_ms()
        if now_ms >= self._deadline_ms:
            raise ProviderTimeout(self.job.provider_deadline_s)
        last = self.call.route if self.call else None
        for route in routes_after(self.ask.routes_of(self.job), last):
            if not self.ask.providers.has(route.provider):
                continue
            if admitted := self.ask.breakers.admit(route, now_ms):
                return route, admitted
        return None

    def _without_routes(self, after: ShoalError | None) -> Progress:
        if isinstance(after, ProviderBusy) and self.call:
            return self._wait(self.call, after.retry_after_seconds)
        if isinstance(after, JobError):
            raise after
        routes = self.ask.routes_of(self.job)
        if after is None and any(self.ask.providers.has(route.provider) for route in routes):
            return Pending(None, NO_ROUTE_S)  # all of them are left alone for a moment
        raise ProviderFailed(NOBODY)

    def _ask_and_go_on(self, call: ProviderCall, ask: Callable[[], Progress]) -> Progress:
        """Ask, and go on as the answer commands."""
        try:
            return ask()
        except ProviderBusy as busy:
            return self._busy(call, busy)
        except OutcomeUnknown as unknown:
            logger.warning("outcome unknown", extra={"job_id": self.job.id, "reason": str(unknown)})
            return Pending(None, LOOK_AGAIN_S)
        except (ProviderFailed, ProviderUnusable, OutputInvalid) as error:
            said = {"job_id": self.job.id, "route": call.route, "reason": str(error)}
            logger.warning("call failed", extra=said)
            if self.ref and (delivered := self.ask.stage.staged(self.job, self.index)):
                return delivered  # to an earlier look at the same work: nobody else is paid for it
            return self._ask_next(error)

    def _busy(self, call: ProviderCall, busy: ProviderBusy) -> Progress:
        wait_s, now_ms = busy.retry_after_seconds, self.ask.clock.now_ms()
        if self.ref:
            return Pending(self.ref, wait_s)  # it works on it: only the question failed
        if worth_waiting(call, wait_s, now_ms=now_ms, deadline_ms=self._deadline_ms):
            return self._wait(call, wait_s)
        return self._ask_next(busy)

    def _wait(self, call: ProviderCall, wait_s: int) -> Pending:
        due_at_ms = self.ask.clock.now_ms() + wait_s * 1000
        self._write(replace(call, phase=Phase.DUE, tries=call.tries + 1, due_at_ms=due_at_ms))
        return Pending(None, wait_s)

    def _start(self, call: ProviderCall, admitted: Pass) -> Progress:
        """Ask a provider to begin, after writing down that it is asked."""
        route, provider = self._route(call), self.ask.providers.get(call.provider)
        self._write(replace(call, phase=Phase.ASKED))
        request = self._request(call)
        answer = self._exchange(route, lambda: provider.start(request), admitted)
        if isinstance(answer, Done):
            return self._take(call, route, answer, admitted)
        self._praise(route, admitted)
        if answer.ref:
            try:
                self.job = self.ask.jobs.note_provider_ref(self.job, self.index, answer.ref)
            except JobClosed:  # it ended while the provider was asked: nobody else will know of the work
                call_off(provider, answer.ref, self.job.id)
                raise
        return answer

    def _check(self, call: ProviderCall) -> Progress:
        route, provider = self._route(call), self.ask.providers.get(call.provider)
        ref, request = self.ref or "", self._request(call)
        answer = self._exchange(route, lambda: provider.check(ref, request), None)
        if isinstance(answer, Done):
            return self._take(call, route, answer, Pass())
        if answer.ref and answer.ref != ref:
            self.job = self.ask.jobs.note_provider_ref(self.job, self.index, answer.ref)
        return answer

    def _exchange(self, route: Route, ask: Callable[[], Answer], admitted: Pass | None) -> Answer:
        """One exchange, timed and counted, its error judged: an answer is judged by its use."""
        began_ms = self.ask.clock.now_ms()
        try:
            answer = ask()
        except ShoalError as error:
            self.ask.meter.exchanged(route.name, type(error).__name__, self.ask.clock.now_ms() - began_ms)
            self._judge(route, error, admitted or Pass())
            raise
        word = "done" if isinstance(answer, Done) else "pending"
        self.ask.meter.exchanged(route.name, word, self.ask.clock.now_ms() - began_ms)
        return answer

    def _judge(self, route: Route, error: ShoalError, given: Pass) -> None:
        if outcome := outcome_of(error):
            self.ask.breakers.note(route, outcome, given, self.ask.clock.now_ms(), reason=str(error))

    def _praise(self, route: Route, given: Pass) -> None:
        self.ask.breakers.note(route, Outcome.SUCCESS, given, self.ask.clock.now_ms())

    def _take(self, call: ProviderCall, route: Route, done: Done, given: Pass) -> Progress:
        """Bring the output to the staging place; what is not there is asked for again, a few times."""
        try:
            taken = self._fetched(call, done)
        except (ProviderFailed, OutputInvalid) as error:
            self._judge(route, error, given)
            raise
        except Unavailable:  # it is ours that failed
            self._praise(route, given)
            raise
        if isinstance(taken, Delivered):
            self._praise(route, given)
            self.ask.meter.delivered(route.name, route.cost_micros)
        return taken

    def _fetched(self, call: ProviderCall, done: Done) -> Progress:
        """Raises `ProviderFailed` for what cannot be had, `OutputInvalid` for what is no output."""
        try:
            return self.ask.stage(self.job, self.index, done.output)
        except Unavailable:
            if not self._ask_again_by(done.ref):
                # The output is lost, and that is known: asking for it again is not blind.
                self._write(replace(call, phase=Phase.DUE))
            raise
        except ExchangeError as error:
            logger.warning("output not fetched", extra={"job_id": self.job.id, "reason": str(error)})
            if not self._ask_again_by(done.ref) or call.tries + 1 >= FETCH_TRIES_MAX:
                raise ProviderFailed("The provider's output could not be fetched.") from error
            self._write(replace(call, tries=call.tries + 1))
            return Pending(self.ref, FETCH_AGAIN_S)

    def _ask_again_by(self, ref: str | None) -> bool:
        """Whether the provider can be asked for the output again; work that ended at once is noted for it."""
        if self.ref is None and ref:
            self.job = self.ask.jobs.note_provider_ref(self.job, self.index, ref)
        return self.ref is not None

    def _write(self, call: ProviderCall) -> None:
        marked = replace(call, mark=self.ask.ids.secret(MARK_LENGTH))
        self.job = self.ask.jobs.note_call(self.job, self.index, marked)

    def _request(self, call: ProviderCall) -> ProviderRequest:
        return of_call(self.request, call, self.ask.callback_urls.url(self.job, self.index, call))

    def _route(self, call: ProviderCall) -> Route:
        return route_named(self.ask.routes_of(self.job), call.route)

    @property
    def _deadline_ms(self) -> int:
        """By when the provider has to have answered; the state machine has its own eye on it."""
        due_ms = self.job.deadline_at_ms
        return self.ask.clock.now_ms() if due_ms is None else due_ms - FINISH_GRACE_MS
