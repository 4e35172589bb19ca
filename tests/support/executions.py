"""Executions of the state machines: where each stands, and what its definition says of an error."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shoal.domain.brief import Kind
from shoal.domain.job import Job

MACHINES = Path(__file__).parents[2] / "statemachines"
ONE, BATCH, VIDEO = (
    json.loads((MACHINES / f"{name}.asl.json").read_text(encoding="utf-8"))
    for name in ("generate", "generate_batch", "render_video")
)
ITEM: dict[str, Any] = BATCH["States"]["CallProviders"]["ItemProcessor"]
SCENES: dict[str, Any] = VIDEO["States"]["RenderScenes"]
SCENE: dict[str, Any] = SCENES["ItemProcessor"]


class Crash(BaseException):
    """The process is gone: nothing in it catches this."""


class Waiting(Exception):
    """The state waits for its token."""


@dataclass
class Call:
    """One output asked for: its token, and in a Map where its iteration stands and what became of it."""

    index: int
    state: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    token: str | None = None
    waits_until_ms: int = 0
    attempts: int = 0
    result: dict[str, Any] | None = None


class Execution:
    """A job of one output runs one machine, of several another, a video a third."""

    def __init__(self, job: Job) -> None:
        self.job = job
        single = BATCH if job.output_count > 1 else ONE
        self.definition: dict[str, Any] = VIDEO if job.kind is Kind.VIDEO else single
        self.state: str = self.definition["StartAt"]
        self.input: dict[str, Any] = {}
        self.attempts = 0
        self.calls = [Call(index) for index in range(job.output_count)]

    @property
    def waits_until_ms(self) -> int:
        waiting = (call.waits_until_ms for call in self.calls if call.result is None and call.token)
        return min(waiting, default=0)


class Caught(Exception):
    """An error by name, as a token or the service reports it."""


def as_caught(error: BaseException) -> tuple[str, str]:
    if isinstance(error, Caught):
        return error.args[0], error.args[1]
    if isinstance(error, Crash):
        return "Runtime.ExitError", "signal: killed"
    details = {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": ["…"]}
    return type(error).__name__, json.dumps(details)


def first_rule(rules: list[dict[str, Any]], error: str) -> dict[str, Any] | None:
    return next((rule for rule in rules if {error, "States.ALL"} & set(rule["ErrorEquals"])), None)


def whose(execution: Execution) -> tuple[str, str]:
    return execution.job.account_id, execution.job.id
