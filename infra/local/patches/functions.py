"""Lambda functions: errors keep their type, workers survive them, logs cost no time, workers are few.

Workers end with the server: one that is killed stops none of them.
"""

from __future__ import annotations

import inspect
import queue
import threading
import time
from collections import defaultdict
from typing import Any

from ministack.core import lambda_runtime  # type: ignore[import-untyped]
from ministack.services import lambda_svc  # type: ignore[import-untyped]

from infra.local import lifeline
from infra.local.patches import PatchDoesNotFit

WORKERS_PER_FUNCTION_MAX = 3
LOG_WAIT_SECONDS_MAX = 0.25
END_OF_LOG = "\0END"

# MiniStack's worker script, and what the patches put in its place.
_REPORT_ERROR = r"""
            _real_stdout.write(json.dumps({"status": "error", "error": str(e), "trace": traceback.format_exc()}) + "\n")
        _real_stdout.flush()"""  # noqa: E501
_REPORT_ERROR_TYPE = r"""
            sys.stderr.write(traceback.format_exc())
            _real_stdout.write(json.dumps({"status": "ok", "raised": {
                "errorMessage": str(e), "errorType": type(e).__name__,
                "requestId": _ms_ctx.get("request_id", ""),
                "stackTrace": traceback.format_tb(e.__traceback__)[1:]}}) + "\n")
        sys.stderr.write("\n\0END\n")
        sys.stderr.flush()
        _real_stdout.flush()"""

_execute = lambda_svc._execute_function_warm
_worker_class_for = lambda_runtime._worker_class_for
_free_workers: defaultdict[str, threading.Semaphore] = defaultdict(
    lambda: threading.Semaphore(WORKERS_PER_FUNCTION_MAX)
)


class Raised(dict[str, Any]):
    """What a handler that raised leaves behind: AWS's error document."""


class Worker(lambda_runtime.Worker):  # type: ignore[misc]
    """One execution environment of a Python function.

    AWS: a handler's exception reaches the caller as `errorType` (the class's name), `errorMessage`,
    `requestId` and `stackTrace`, and its environment stays warm. MiniStack names every one
    `Runtime.HandlerError`, so that no `ErrorEquals` could match it, and kills the worker.
    """

    def invoke(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        response: dict[str, Any] = super().invoke(*args, **kwargs)
        if "raised" in response:
            response["result"] = Raised(response.pop("raised"))
        return response

    def _drain_stderr_bounded(self, *_: Any, **__: Any) -> str:
        """The lines an invocation logged, up to the mark that the worker script ends them with.

        AWS: logging takes no time of the invocation. MiniStack waits 50 ms for a handler that logs nothing.
        """
        lines: list[str] = []
        deadline = time.monotonic() + LOG_WAIT_SECONDS_MAX
        try:
            while (
                line := self._stderr_queue.get(timeout=max(0.0, deadline - time.monotonic()))
            ) != END_OF_LOG:
                lines.append(line)
        except queue.Empty:
            pass  # the worker died before the mark: what came is the log
        return "\n".join(line for line in lines if line)


def _class_for(config: dict[str, Any]) -> type:
    if str(config.get("Runtime", "")).startswith("python"):
        return Worker
    other: type = _worker_class_for(config)
    return other


def _execute_bounded(function: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
    """Run one invocation, waiting for a free worker when all of the function's are busy.

    AWS has a machine for each environment; MiniStack starts a process for each concurrent call, and a burst
    of cold starts stalls a laptop for longer than the wait for a warm worker.
    """
    config = function.get("config") or function
    with _free_workers[config["FunctionArn"]]:
        outcome: dict[str, Any] = _execute(function, event, request_id)
    if isinstance(outcome.get("body"), Raised):
        outcome["body"], outcome["error"] = dict(outcome["body"]), True
    return outcome


def apply() -> None:
    """Put the patches in place."""
    script: str = lambda_runtime._PYTHON_WORKER_SCRIPT
    if script.count(_REPORT_ERROR) != 1:
        raise PatchDoesNotFit("the Python worker script of ministack.core.lambda_runtime")
    script = script.replace(_REPORT_ERROR, _REPORT_ERROR_TYPE)
    lambda_runtime._PYTHON_WORKER_SCRIPT = f"{inspect.getsource(lifeline)}end_with_parent()\n{script}"
    lambda_runtime._worker_class_for = _class_for
    lambda_svc._execute_function_warm = _execute_bounded
