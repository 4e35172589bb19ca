"""Ask the providers of a model for an output, one after the other, until one makes it or takes it on.

The job names the route before the request leaves: a run that finds it there with neither answer nor
output does not know whether the provider took the request, and asks again only one that is idempotent.

A run goes on from where the call of the output stands, and leaves it where the next run goes on:

    no call ── choose_route.py ────────► place_call.py starts it: ASKED

    ASKED   ── done ───────────────────► stage_output.py: delivered
            ── pending, by a reference ► AT WORK
            ── busy for a while ───────► DUE at a time
            ── no answer ──────────────► unknown: look again in 60 s, start again only who is idempotent
            ── busy for long, failed, unusable, no output ─► next route: choose_route.py

    AT WORK ── place_call.py checks it ► as ASKED, except that busy leaves it AT WORK
    DUE     ── its time has come ──────► place_call.py starts it: ASKED; its breaker opened: next route

Of a canceled job, what its cancel captured is waited for, and nobody is asked any more. Past the deadline
whatever would wait raises `ProviderTimeout`, or `JobExpired` if nobody was asked yet. An execution that took
over looks first for what the one before it has staged. Each write of the call (output_call.py) is a condition
on the one before it: of two runs one goes on, and the other looks again later.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from shoal.domain.errors import CallTaken, JobCanceled, JobError, OutcomeUnknown, ProviderBusy, ShoalError
from shoal.domain.job import Job
from shoal.domain.provider import Pending, ProviderRequest
from shoal.domain.routing import NEXT_ROUTE, Phase, is_worth_waiting
from shoal.ports.jobs import Jobs
from shoal.ports.routing import Pass, Providers
from shoal.ports.system import Beside, Clock, Ids, in_turn
from shoal.use_cases.providers.choose_route import NO_ROUTE_S, ChooseRoute
from shoal.use_cases.providers.output_call import NO_CALL, Beginning, OutputCall
from shoal.use_cases.providers.place_call import PlaceCall
from shoal.use_cases.providers.stage_output import Progress, StageOutput

logger = logging.getLogger(__name__)

LOOK_AGAIN_S = 60
"""How often a call of unknown outcome is looked at: a callback may have brought its reference."""


@dataclass(frozen=True, slots=True)
class AskProvider:
    """`make_request` says what to ask for: the same for every call of an output."""

    jobs: Jobs
    providers: Providers
    make_request: Callable[[Job, int], ProviderRequest]
    choose: ChooseRoute
    place: PlaceCall
    stage: StageOutput
    clock: Clock
    ids: Ids
    beside: Beside = in_turn

    def __call__(self, job: Job, index: int, beginning: Beginning | None = None) -> Progress:
        """The staged output, or when to look again. Raises `JobClosed`, and what ends the job.

        A `beginning` is stored with the first call that is placed, and in any case before this returns.
        """
        call = job.calls.get(index, NO_CALL)
        try:
            request = self.make_request(job, index)
        except JobError:
            if beginning:
                beginning.announce()
            raise
        output = OutputCall(self.jobs, self.ids, job, index, request, call, beginning, self.beside)
        try:
            progress = self._go_on(output)
        except CallTaken:
            # The faster run goes on with it; should that one die, this look finds the call again.
            output.begin()
            return Pending(None, LOOK_AGAIN_S)
        return output.bounded(progress, self.clock.now_ms()) if isinstance(progress, Pending) else progress

    def _go_on(self, output: OutputCall) -> Progress:
        """From where the last run left it."""
        if not output.call.number:
            return self._ask_next(output, None)
        output.begin()
        perhaps_staged = output.job.restarts or not output.ref
        if perhaps_staged and (delivered := self.stage.find_staged(output.job, output.index)):
            return delivered
        if output.ref:
            return self._act_on(output, self.place.check)
        if output.call.phase is Phase.DUE:
            return self._ask_when_due(output)
        if self.providers.get(output.call.provider).idempotent:
            return self._act_on(output, partial(self.place.start, given=Pass()))
        return Pending(None, LOOK_AGAIN_S)

    def _ask_when_due(self, output: OutputCall) -> Progress:
        now_ms, due_at_ms = self.clock.now_ms(), output.call.due_at_ms
        _check_wanted(output.job)
        output.deadline_ms(now_ms)
        if now_ms < due_at_ms:  # a repeated message, or a hint longer than a message waits
            return Pending(None, -(-(due_at_ms - now_ms) // 1000))
        if given := self.choose.admit(output.job, output.call, now_ms):
            return self._act_on(output, partial(self.place.start, given=given))
        return self._ask_next(output, ProviderBusy("its breaker opened", retry_after_seconds=NO_ROUTE_S))

    def _ask_next(self, output: OutputCall, after: ShoalError | None) -> Progress:
        """Ask the first open route behind that of the call, which ended in `after`."""
        _check_wanted(output.job)
        now_ms = self.clock.now_ms()
        answer_by_ms = output.deadline_ms(now_ms)
        if chosen := self.choose(output.job, output.call, now_ms):
            call, given = chosen
            output.call = replace(call, answer_by_ms=answer_by_ms)
            return self._act_on(output, partial(self.place.start, given=given))
        if output.call is NO_CALL:  # none is open: by when one has to be is known to the next look
            output.write(replace(NO_CALL, answer_by_ms=answer_by_ms))
        output.begin()
        if isinstance(after, ProviderBusy):
            return self._wait(output, after.retry_after_seconds)
        return self.choose.give_up(output.job, after)

    def _act_on(self, output: OutputCall, place: Callable[[OutputCall], Progress]) -> Progress:
        """Place the call, and go on as its error commands."""
        try:
            return place(output)
        except ProviderBusy as busy:
            return self._go_on_busy(output, busy)
        except OutcomeUnknown as unknown:
            logger.warning("outcome unknown", extra={"job_id": output.job.id, "reason": str(unknown)})
            return Pending(None, LOOK_AGAIN_S)
        except NEXT_ROUTE as error:
            said = {"job_id": output.job.id, "route": output.call.route, "reason": str(error)}
            logger.warning("call failed", extra=said)
            if output.ref and (delivered := self.stage.find_staged(output.job, output.index)):
                return delivered  # to an earlier look at the same work: nobody else is paid for it
            return self._ask_next(output, error)

    def _go_on_busy(self, output: OutputCall, busy: ProviderBusy) -> Progress:
        wait_s, now_ms = busy.retry_after_seconds, self.clock.now_ms()
        if output.ref:
            return Pending(output.ref, wait_s)  # it works on it: only the question failed
        if is_worth_waiting(output.call, wait_s, now_ms=now_ms, deadline_ms=output.deadline_ms(now_ms)):
            return self._wait(output, wait_s)
        return self._ask_next(output, busy)

    def _wait(self, output: OutputCall, wait_s: int) -> Pending:
        due_at_ms, tries = self.clock.now_ms() + wait_s * 1000, output.call.tries + 1
        output.write(replace(output.call, phase=Phase.DUE, tries=tries, due_at_ms=due_at_ms))
        return Pending(None, wait_s)


def _check_wanted(job: Job) -> None:
    """Raises `JobCanceled` for a job of which nothing new is asked for."""
    if job.status.terminal:
        raise JobCanceled("Canceled by request.")
