"""Small functions and state machines in a bare local cloud."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

from infra.local.aws import ACCOUNT, Endpoint

ROLE = f"arn:aws:iam::{ACCOUNT}:role/lab"
WAIT_SECONDS_MAX = 30.0
PAUSE_SECONDS = 0.05
T = TypeVar("T")


@dataclass(frozen=True)
class Lab:
    """What a test of the local cloud builds in it; every name is fresh."""

    endpoint: Endpoint

    def function(self, source: str, *, timeout_seconds: int = 10, role: str = ROLE) -> str:
        """A function with `handler(event, context)` in `source`; returns its ARN."""
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("index.py", source)
        created = self.endpoint.client("lambda").create_function(
            FunctionName=f"lab-{uuid4().hex}",
            Runtime="python3.13",
            Handler="index.handler",
            Role=role,
            Timeout=timeout_seconds,
            Code={"ZipFile": code.getvalue()},
        )
        return str(created["FunctionArn"])

    def invoke(self, function: str, event: object = None) -> dict[str, Any]:
        """The function's answer: `error` (the FunctionError header, or None) and `body`."""
        answer = self.endpoint.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
        return {"error": answer.get("FunctionError"), "body": json.load(answer["Payload"])}

    def machine(self, states: dict[str, Any], *, name: str | None = None) -> str:
        """A JSONata state machine that starts with `Work`; returns its ARN."""
        definition = {"QueryLanguage": "JSONata", "StartAt": "Work", "States": states}
        created = self.endpoint.client("stepfunctions").create_state_machine(
            name=name or f"lab-{uuid4().hex}", definition=json.dumps(definition), roleArn=ROLE
        )
        return str(created["stateMachineArn"])

    def start(self, machine: str, state_input: object = None) -> str:
        """Start an execution; returns its ARN."""
        started = self.endpoint.client("stepfunctions").start_execution(
            stateMachineArn=machine, input=json.dumps(state_input or {})
        )
        return str(started["executionArn"])

    def end(self, execution: str) -> dict[str, Any]:
        """The execution's description once it has ended, with `output` decoded."""
        states = self.endpoint.client("stepfunctions")

        def ended() -> dict[str, Any] | None:
            described: dict[str, Any] = states.describe_execution(executionArn=execution)
            return None if described["status"] == "RUNNING" else described

        described = eventually(ended)
        return {**described, "output": json.loads(described.get("output") or "null")}

    def run(self, states: dict[str, Any], state_input: object = None) -> dict[str, Any]:
        """The end of one execution of a new machine."""
        return self.end(self.start(self.machine(states), state_input))


def eventually(look: Callable[[], T | None], *, seconds_max: float = WAIT_SECONDS_MAX) -> T:
    """What `look` finds once it finds something."""
    deadline = time.monotonic() + seconds_max
    while (found := look()) is None:
        assert time.monotonic() < deadline, f"nothing found in {seconds_max} s"
        time.sleep(PAUSE_SECONDS)
    return found


def task(function: str, payload: object, **more: Any) -> dict[str, Any]:
    """A Task that invokes a function."""
    arguments = {"FunctionName": function, "Payload": payload}
    resource = "arn:aws:states:::lambda:invoke"
    return {"Type": "Task", "Resource": resource, "Arguments": arguments, "End": True, **more}


def token_task(function: str, payload: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A Task that waits for an answer to its token."""
    state = task(function, {"token": "{% $states.context.Task.Token %}", **payload}, TimeoutSeconds=20)
    return {**state, "Resource": state["Resource"] + ".waitForTaskToken", **more}
