"""A stage in a pocket: runs the state machines, the queues and the schedule over a world of fakes.

The states' Retry and Catch are read from the definition; what a state does is called directly. Time jumps to
whatever is due next.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from infra.lambdas import registry
from shoal.adapters.providers.simulator.simulator import Simulator
from shoal.domain.brief import Kind
from shoal.domain.errors import JobClosed, ShoalError
from shoal.domain.events import Event
from shoal.domain.job import Job, Output
from shoal.ports.jobs import ExecutionState
from tests.fakes import PollMessage
from tests.fakes.videos import CLIP
from tests.support.executions import (
    ITEM,
    ONE,
    Call,
    Caught,
    Crash,
    Execution,
    Waiting,
    as_caught,
    first_rule,
    whose,
)
from tests.worlds.video_scenes import render_scenes
from tests.worlds.world import World

RECEIVES_MAX = registry.POLL_PROVIDER.receives_max
VISIBILITY_S = registry.POLL_PROVIDER.hidden_seconds
GIVE_UP_MS = 3 * 3_600_000


@dataclass
class Delivery:
    """A message in a queue, and when it is seen next."""

    consume: Callable[[], object]
    due_ms: int
    receives: int = 0


class Stage:
    """`run()` lets everything happen that will happen, and leaves nothing to do."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.executions: dict[str, Execution] = {}
        self.deliveries: list[Delivery] = []
        self.seen_messages = 0
        self.next_sweep_ms = world.clock.ms + 60_000
        world.use_provider(
            Simulator(
                clock=world.clock,
                draw=lambda **request: b"junk" if "junk" in request["prompt"] else b"picture",
                edit=lambda **request: b"edited " + b"".join(request["pictures"]),
                film=lambda **_: CLIP,
                make=lambda **request: f"made {request['content_type']}".encode(),
                call_back=self._call_back,
                verify=lambda _headers, body, _now_ms: body.decode(),
            )
        )

    def run(self, until_ms: int | None = None) -> None:
        """Until everything is quiet, or until a moment."""
        give_up_ms = self.world.clock.ms + GIVE_UP_MS
        while True:
            self._act()
            if until_ms is None and self._quiet():
                return
            due_ms = self._next_due_ms()
            if until_ms is not None and due_ms > until_ms:
                self.world.clock.ms = max(self.world.clock.ms, until_ms)
                return
            if due_ms > give_up_ms:
                raise AssertionError("the stage does not come to rest")
            self.world.clock.ms = max(self.world.clock.ms, due_ms)

    def abort(self, job: Job) -> None:
        """End the job's execution as nobody planned."""
        execution = self.executions[self.world.now(job).execution]
        for call in execution.calls:
            if call.token:
                self.world.tokens.expire(call.token)
        self._end(execution, failed=True)

    def _act(self) -> None:
        for job in self.world.workflow.started:
            self.executions.setdefault(job.execution, Execution(job))
        for execution in self.executions.values():
            self._advance(execution)
        new = self.world.poll_queue.messages[self.seen_messages :]
        self.seen_messages += len(new)
        self.deliveries += [
            Delivery(self._polling(message), self._in(message.delay_seconds)) for message in new
        ]
        for delivery in [found for found in self.deliveries if found.due_ms <= self.world.clock.ms]:
            self._deliver(delivery)
        if self.world.clock.ms >= self.next_sweep_ms:
            self.next_sweep_ms = self._in(60)
            _survive(self.world.sweep_jobs)

    def _quiet(self) -> bool:
        running = ExecutionState.RUNNING in self.world.workflow.executions.values()
        due = any(job.deadline_at_ms is not None for job in self.world.tables.jobs.values())
        unread = len(self.world.poll_queue.messages) > self.seen_messages
        return not (running or due or unread or self.deliveries)

    def _next_due_ms(self) -> int:
        if len(self.world.poll_queue.messages) > self.seen_messages:
            return self.world.clock.ms
        waiting = [found.waits_until_ms for found in self.executions.values() if self._running(found)]
        return min([self.next_sweep_ms, *waiting, *(found.due_ms for found in self.deliveries)])

    def _in(self, seconds: float) -> int:
        return self.world.clock.ms + round(seconds * 1000)

    def _running(self, execution: Execution) -> bool:
        return self.world.workflow.executions[execution.job.execution] is ExecutionState.RUNNING

    def _deliver(self, delivery: Delivery) -> None:
        delivery.receives += 1
        if _survive(delivery.consume) or delivery.receives == RECEIVES_MAX:
            self.deliveries.remove(delivery)
        else:
            delivery.due_ms = self._in(VISIBILITY_S)

    def _polling(self, message: PollMessage) -> Callable[[], object]:
        def poll() -> None:
            try:
                self.world.poll_provider(message.look, "receipt")
            except JobClosed:
                return

        return poll

    def _call_back(self, url: str, ref: str) -> None:
        provider, job_key, mac = url.split("/")[-3:]
        _survive(lambda: self.world.receive_callback(provider, job_key, mac, {}, ref.encode()))

    def _advance(self, execution: Execution) -> None:
        while self._running(execution):
            state = execution.definition["States"][execution.state]
            if state["Type"] not in ("Task", "Map"):
                self._end(execution, failed=state["Type"] == "Fail")
                return
            try:
                execution.input |= getattr(self, f"_{_snake(execution.state)}")(execution)
            except Waiting:
                return
            except (Exception, Crash) as error:  # noqa: BLE001 - the definition says what becomes of it
                self._failed(execution, state, *as_caught(error))
                continue
            execution.attempts = 0
            if state.get("End"):
                self._end(execution)
            else:
                execution.state = state["Next"]

    def _end(self, execution: Execution, *, failed: bool = False) -> None:
        self.world.workflow.executions[execution.job.execution] = ExecutionState.ENDED
        if failed:
            job = execution.job
            close = lambda: self.world.close_execution(job.account_id, job.id)  # noqa: E731
            self.deliveries.append(Delivery(close, self._in(1)))

    def _failed(self, execution: Execution, state: dict[str, Any], error: str, cause: str) -> None:
        for call in execution.calls:
            if call.token:
                self.world.tokens.expire(call.token)  # a Map that failed stops its other iterations
            call.token = None
        retrier = first_rule(state.get("Retry", []), error)
        if retrier and execution.attempts < retrier.get("MaxAttempts", 3):
            execution.attempts += 1
            self.world.clock.pass_seconds(1)
            return
        catcher = first_rule(state["Catch"], error)
        if catcher is None:
            self._end(execution, failed=True)
            return
        execution.attempts = 0
        execution.state = catcher["Next"]
        execution.input |= {"error": error, "cause": cause}

    def _call_provider(self, execution: Execution) -> dict[str, Any]:
        return {"outputs": [self.ask(execution, execution.calls[0], ONE["States"]["CallProvider"])]}

    def _call_providers(self, execution: Execution) -> dict[str, Any]:
        """The Map: each call is retried by itself, and one that fails for good is an item with its error."""
        for call in execution.calls:
            self._iterate(execution, call)
        if any(call.result is None for call in execution.calls):
            raise Waiting
        return {"outputs": [call.result for call in execution.calls]}

    def _iterate(self, execution: Execution, call: Call) -> None:
        state = ITEM["States"][ITEM["StartAt"]]
        while call.result is None:
            try:
                call.result = self.ask(execution, call, state)
            except Waiting:
                return
            except (Exception, Crash) as problem:
                call.token = None
                error, cause = as_caught(problem)
                retrier = first_rule(state["Retry"], error)
                if retrier and call.attempts < retrier["MaxAttempts"]:
                    call.attempts += 1
                    self.world.clock.pass_seconds(1)
                elif first_rule(state["Catch"], error):
                    call.result = {"error": error, "cause": cause}
                else:
                    raise Caught(error, cause) from problem

    def ask(self, execution: Execution, call: Call, state: dict[str, Any]) -> dict[str, Any]:
        tokens, job = self.world.tokens, execution.job
        if call.token is None:
            token = call.token = tokens.issue()
            call.waits_until_ms = self._in(state["TimeoutSeconds"])
            try:
                in_video = job.kind is Kind.VIDEO
                begin = self.world.render_scene if in_video else self.world.call_provider
                begin(job.account_id, job.id, call.index, token)
            except (Exception, Crash):
                # An answered token ends the state whatever became of the Lambda that answered it.
                if token not in tokens.answers:
                    tokens.expire(token)
                    raise
        answer = tokens.answers.get(call.token)
        if answer is None:
            if self.world.clock.ms < call.waits_until_ms:
                raise Waiting
            tokens.expire(call.token)
            raise Caught("States.Timeout", "")
        if answer.error:
            raise Caught(answer.error, answer.cause)
        return dict(answer.output["output"])

    def _write_script(self, execution: Execution) -> dict[str, Any]:
        self.world.write_script(*whose(execution))
        return {}

    def _narrate(self, execution: Execution) -> dict[str, Any]:
        return {"narration": json.loads(json.dumps(self.world.narrate(*whose(execution))))}

    def _render_scenes(self, execution: Execution) -> dict[str, Any]:
        return render_scenes(self, execution)

    def _stitch_video(self, execution: Execution) -> dict[str, Any]:
        output = self.world.stitch_video(*whose(execution), execution.input["narration"])
        return {"outputs": [asdict(output)]}

    def _store_output(self, execution: Execution) -> dict[str, Any]:
        stored = self.world.store_output(*whose(execution), execution.input["outputs"])
        return {"outputs": [asdict(output) for output in stored]}

    def _settle_wallet(self, execution: Execution) -> dict[str, Any]:
        outputs = [Output.of(output) for output in execution.input["outputs"]]
        return {"events": self.world.settle_wallet(*whose(execution), outputs)[1]}

    def _release_hold(self, execution: Execution) -> dict[str, Any]:
        why = execution.input["error"], execution.input["cause"]
        return {"events": self.world.release_hold(*whose(execution), *why)[1]}

    def _publish_completed(self, execution: Execution) -> dict[str, Any]:
        events: list[Event] = execution.input["events"]
        self.world.bus.publish(events)
        return {}

    _publish_failed = _publish_ready = _publish_completed

    def _announce_later(self, execution: Execution) -> dict[str, Any]:
        with self.world.network.call("machine.announce_later"):
            self.world.tables.put(replace(self.world.now(execution.job), deadline_at_ms=0, announced=False))
        return {}


def _snake(state: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in state).lstrip("_")


def _survive(act: Callable[[], object]) -> bool:
    """Whether it went well; a Lambda that failed or died takes nobody with it."""
    try:
        act()
    except (ShoalError, Crash):
        return False
    return True
