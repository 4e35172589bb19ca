"""The Map of render_video.asl.json over a world of fakes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.support.executions import (
    SCENE,
    SCENES,
    Call,
    Caught,
    Crash,
    Execution,
    Waiting,
    as_caught,
    first_rule,
    whose,
)

if TYPE_CHECKING:
    from tests.worlds.machine import Stage

DONE = {"done": True}


def render_scenes(stage: Stage, execution: Execution) -> dict[str, Any]:
    """Every scene as far as it gets. Raises `Waiting`, and `Caught` as soon as a scene fails."""
    for call in execution.calls:
        running = [other for other in execution.calls if other.state and other.result is None]
        if call.state is None and len(running) >= SCENES["MaxConcurrency"]:
            break
        call.state = call.state or SCENE["StartAt"]
        _iterate(stage, execution, call)
    if any(call.result is None for call in execution.calls):
        raise Waiting
    return {}


def _iterate(stage: Stage, execution: Execution, call: Call) -> None:
    while call.result is None:
        state = SCENE["States"][call.state]
        if state["Type"] == "Pass":
            call.result = DONE
            return
        if state["Type"] == "Fail":
            raise Caught(call.data["error"], json.dumps({"scene": call.index, "cause": call.data["cause"]}))
        try:
            _act(stage, execution, call, state)
        except Waiting:
            return
        except (Exception, Crash) as problem:  # noqa: BLE001 - the definition says what becomes of it
            _failed(stage, call, state, *as_caught(problem))
            continue
        call.attempts, call.token = 0, None
        _go_on(call, state)


def _act(stage: Stage, execution: Execution, call: Call, state: dict[str, Any]) -> None:
    world = stage.world
    match call.state:
        case "RenderScene":
            call.data["output"] = stage.ask(execution, call, state)
        case "StoreClip":
            event = world.store_clip(*whose(execution), call.index, call.data["output"])
            call.data["events"] = [event]
        case "PublishSceneReady":
            world.bus.publish(call.data["events"])


def _failed(stage: Stage, call: Call, state: dict[str, Any], error: str, cause: str) -> None:
    call.token = None
    retrier = first_rule(state["Retry"], error)
    if retrier and call.attempts < retrier["MaxAttempts"]:
        call.attempts += 1
        stage.world.clock.pass_seconds(1)
        return
    catcher = first_rule(state["Catch"], error)
    if catcher is None:
        raise Caught(error, cause)
    call.attempts, call.state = 0, catcher["Next"]
    call.data |= {"error": error, "cause": cause}


def _go_on(call: Call, state: dict[str, Any]) -> None:
    if state.get("End"):
        call.result = DONE
    else:
        call.state = state["Next"]
