"""Step Functions: task tokens, retries, stopping and publishing."""

from __future__ import annotations

import base64
import contextvars
import json
import random
import threading
from collections.abc import Callable
from typing import Any

from ministack.core.responses import json_response, new_uuid  # type: ignore[import-untyped]
from ministack.services import stepfunctions  # type: ignore[import-untyped]

from infra.local.patches import maps

TOKEN_BYTES = 525
"""700 characters of base64, about what AWS gives: an item that keeps one is paid for by its size."""
WAIT_SECONDS_MAX = 99_999_999  # a task without TimeoutSeconds, as AWS has it

Json = dict[str, Any]
Send = Callable[[Json], Any]

_arguments_of = stepfunctions._apply_jsonata_arguments
_await_token = stepfunctions._invoke_with_callback
_find_retrier = stepfunctions._find_matching_retrier
_fail = stepfunctions._fail_execution
_stop = stepfunctions._stop_execution
_put_events = stepfunctions._invoke_events_put_events


def _fresh_arguments(state: Json, state_input: Any, context: Json) -> Any:
    """The arguments of one attempt of a task.

    AWS: every attempt gets a task token of its own, and a stopped execution makes no further attempt.
    MiniStack gives all attempts the same token and goes on retrying.
    """
    execution = stepfunctions._executions.get((context.get("Execution") or {}).get("Id"))
    if execution is not None and execution["status"] != "RUNNING":
        raise stepfunctions._ExecutionError("States.Runtime", "the execution was stopped")
    if run := maps.current.get():
        run.check()
    if state.get("Resource", "").endswith(".waitForTaskToken"):
        context["Task"] = {"Token": token_of(context["StateMachine"]["Id"])}
    return _arguments_of(state, state_input, context)


def token_of(machine: str) -> str:
    """A new task token, which like AWS's carries what it belongs to, and is as long."""
    return base64.urlsafe_b64encode(f"{machine} {new_uuid()}".ljust(TOKEN_BYTES).encode()).decode()


def machine_of(token: str) -> str:
    """The ARN of the state machine whose task the token is for. Raises `ValueError` for no token of ours."""
    return base64.urlsafe_b64decode(token).decode().partition(" ")[0]


def _fail_running(execution: Json, error: str, cause: str) -> None:
    """AWS: a stopped execution stays ABORTED. MiniStack fails, and announces, it again when its task ends."""
    if execution["status"] == "RUNNING":
        _fail(execution, error, cause)


def _stop_running(request: Json) -> Any:
    """AWS: stopping an execution that has ended succeeds and changes nothing. MiniStack refuses."""
    execution = stepfunctions._executions.get(request.get("executionArn"))
    if execution is not None and execution["status"] != "RUNNING":
        return json_response({"stopDate": execution["stopDate"]})
    return _stop(request)


def _put_all_events(resource: str, arguments: Json) -> Json:
    """AWS: the task fails when the bus does not take every entry. MiniStack lets it succeed."""
    answer: Json = _put_events(resource, arguments)
    if answer.get("FailedEntryCount"):
        raise stepfunctions._ExecutionError("EventBridge.FailedEntry", json.dumps(answer))
    return answer


def _await_function(resource: str, arguments: Json, token: str, state: Json) -> Any:
    """Invoke the function of a `.waitForTaskToken` task and wait for the answer to its token.

    AWS: the function's own failure fails the task at once, the time-out runs from the start of the task, and
    an answer ends the task even while the function still runs. MiniStack ignores the failure until the
    time-out, and counts that from the function's end.
    """
    if not resource.startswith("arn:aws:states:::lambda:invoke"):
        return _await_token(resource, arguments, token, state)
    function = stepfunctions._resolve_lambda_function_ref(arguments["FunctionName"], optimized=True)
    task: Json = {"event": threading.Event(), "result": None, "error": None, "heartbeat": None}
    if run := maps.current.get():
        run.wait_for(task)
    stepfunctions._task_tokens[token] = task
    invoke = contextvars.copy_context().run  # account and region are context variables
    threading.Thread(target=invoke, args=(_invoke, function, arguments["Payload"], task), daemon=True).start()
    answered = task["event"].wait(state.get("TimeoutSeconds", WAIT_SECONDS_MAX))
    stepfunctions._task_tokens.pop(token, None)
    if not answered:
        raise stepfunctions._ExecutionError("States.Timeout", "")
    if task["error"]:
        raise stepfunctions._ExecutionError(task["error"]["Error"], task["error"]["Cause"])
    return json.loads(task["result"])


def _invoke(function: str, payload: Any, task: Json) -> None:
    try:
        stepfunctions._call_lambda(function, payload)
    except stepfunctions._ExecutionError as error:
        with maps.answering:
            if not task["event"].is_set():
                task["error"] = {"Error": error.error, "Cause": error.cause}
                task["event"].set()


def _first_answer(send: Send) -> Send:
    """AWS: the first answer to a token counts and later ones are refused.

    In MiniStack a second one that comes before the waiting thread wakes up replaces the first.
    """

    def answer(request: Json) -> Any:
        with maps.answering:
            task = stepfunctions._task_tokens.get(request.get("taskToken"))
            if task is not None and task["event"].is_set():
                request = {**request, "taskToken": ""}
            return send(request)

    return answer


def _retrier_with_limits(retriers: list[Json], error: str, counts: dict[int, int]) -> tuple[Json | None, int]:
    """AWS: MaxDelaySeconds caps the pause before a retry, JitterStrategy FULL draws it from 0 to that pause.

    MiniStack knows neither. Its own sum, IntervalSeconds * BackoffRate ** attempts, is made to give this one.
    """
    retrier, index = _find_retrier(retriers, error, counts)
    if retrier is None:
        return None, index
    delay = retry_delay(retrier, counts.get(index, 0))
    return {**retrier, "IntervalSeconds": delay, "BackoffRate": 1.0}, index


def retry_delay(retrier: Json, attempts: int) -> float:
    """Seconds to wait before the next attempt when `attempts` retries were already made."""
    delay: float = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** attempts
    delay = min(delay, retrier.get("MaxDelaySeconds", delay))
    return random.uniform(0, delay) if retrier.get("JitterStrategy") == "FULL" else delay  # noqa: S311


def apply() -> None:
    """Put the patches in place."""
    stepfunctions._apply_jsonata_arguments = _fresh_arguments
    stepfunctions._fail_execution = _fail_running
    stepfunctions._stop_execution = _stop_running
    stepfunctions._SERVICE_DISPATCH["arn:aws:states:::events:putEvents"] = _put_all_events
    stepfunctions._invoke_with_callback = _await_function
    stepfunctions._send_task_success = _first_answer(stepfunctions._send_task_success)
    stepfunctions._send_task_failure = _first_answer(stepfunctions._send_task_failure)
    stepfunctions._find_matching_retrier = _retrier_with_limits
