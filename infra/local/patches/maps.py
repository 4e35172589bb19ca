"""Step Functions: an iteration that fails ends its Map."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from ministack.services import stepfunctions  # type: ignore[import-untyped]

Json = dict[str, Any]

_run_items = stepfunctions._run_map_items
_run_iteration = stepfunctions._run_sub_machine


@dataclass
class MapRun:
    """One run of a Map: its first error, and the tasks of its iterations that wait for an answer.

    `answering` guards the answers to task tokens.
    """

    answering: threading.Lock
    error: Any = None
    waiting: list[Json] = field(default_factory=list)

    def check(self) -> None:
        """Raises the first error, if there was one."""
        if self.error is not None:
            raise self.error

    def fail(self, error: Any) -> None:
        """Nothing starts any more, and nobody waits any more."""
        with self.answering:
            self.error = self.error or error
            for task in self.waiting:
                if not task["event"].is_set():
                    task["error"] = {"Error": "States.Runtime", "Cause": "the Map has failed"}
                    task["event"].set()

    def wait_for(self, task: Json) -> None:
        """Remember a task that waits. Raises the first error, if there was one."""
        with self.answering:
            self.check()
            self.waiting.append(task)


answering = threading.Lock()
"""Held while an answer to a task token is looked at and given."""
current: ContextVar[MapRun | None] = ContextVar("current", default=None)
"""The run that this thread works for; threads of iterations inherit it."""


def _run_map(state: Json, raw_input: Any, execution: Json, context: Json) -> Any:
    """AWS: when an iteration fails the Map fails: the others are stopped, and no further ones start.

    MiniStack runs all of them to their ends first.
    """
    before = current.set(MapRun(answering))
    try:
        return _run_items(state, raw_input, execution, context)
    finally:
        current.reset(before)


def _iterate(states: Json, start_at: str, item: Any, execution: Json, context: Json) -> Any:
    run = current.get()
    if run is None:
        return _run_iteration(states, start_at, item, execution, context)
    run.check()
    try:
        return _run_iteration(states, start_at, item, execution, context)
    except stepfunctions._ExecutionError as error:
        run.fail(error)
        raise run.error from error


def apply() -> None:
    """Put the patches in place."""
    stepfunctions._run_map_items = _run_map
    stepfunctions._run_sub_machine = _iterate
