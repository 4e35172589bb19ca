"""The state machine under test: the deployed one, and copies of it with a state tampered with."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from infra.local.aws import ACCOUNT, Endpoint
from shoal.domain.job import Job
from tests.local_cloud.lab import Lab
from tests.support import Customer, Deployed, eventually

Json = dict[str, Any]

EXECUTION_SECONDS_MAX = 45.0

FORWARDS = """
import collections, json, boto3
class Unavailable(Exception): pass
calls = collections.Counter()
def handler(event, context):
    calls[event["job_id"]] += 1
    if {lost_before} and calls[event["job_id"]] <= {lost_before}:
        raise Unavailable("the request was lost")
    answer = boto3.client("lambda").invoke(FunctionName="{function}", Payload=json.dumps(event))
    if calls[event["job_id"]] <= {lost_after}:
        raise Unavailable("the answer was lost")
    return json.load(answer["Payload"])
"""
"""A stand-in for a function of the stack that loses some of a job's requests, or of its answers."""

RAISES = """
class {error}(Exception): pass
def handler(event, context):
    raise {error}("KeyError: 'arn:aws:dynamodb'")
"""

NEVER_ANSWERS = "import time\ndef handler(event, context): time.sleep(3)"


@dataclass(frozen=True)
class Machine:
    """A state machine whose executions are named after their jobs."""

    deployed: Deployed
    arn: str

    def start(self, job: Job, name: str | None = None) -> None:
        """Start the job's execution, as a submit does; `name` gives it that of another job."""
        self._states.start_execution(
            stateMachineArn=self.arn,
            name=name or job.id,
            input=json.dumps({"account_id": job.account_id, "job_id": job.id}),
        )

    def status(self, job_id: str) -> str:
        """RUNNING, SUCCEEDED, FAILED or ABORTED."""
        status: str = self._states.describe_execution(executionArn=self._execution(job_id))["status"]
        return status

    def end(self, job_id: str) -> str:
        """How the execution ended."""
        return eventually(
            lambda: status if (status := self.status(job_id)) != "RUNNING" else None,
            seconds_max=EXECUTION_SECONDS_MAX,
        )

    def run(self, job: Job) -> str:
        """Start the job's execution and see how it ends."""
        self.start(job)
        return self.end(job.id)

    def abort(self, job_id: str) -> None:
        """Stop the execution, as an operator may in the console."""
        self._states.stop_execution(executionArn=self._execution(job_id))

    def path(self, job_id: str) -> tuple[str, ...]:
        """The states the execution entered, in order."""
        pages = self._states.get_paginator("get_execution_history").paginate(
            executionArn=self._execution(job_id)
        )
        entered = [event for page in pages for event in page["events"] if "StateEntered" in event["type"]]
        return tuple(event["stateEnteredEventDetails"]["name"] for event in entered)

    def definition(self) -> Json:
        """The definition as deployed, every substitution made."""
        described = self._states.describe_state_machine(stateMachineArn=self.arn)
        definition: Json = json.loads(described["definition"])
        return definition

    def copy(self, tamper: Callable[[Json], None]) -> Machine:
        """A machine like this one, but for `tamper`'s changes, and without pauses before retries."""
        definition = self.definition()
        for state in definition["States"].values():
            for retrier in state.get("Retry", []):
                retrier["MaxDelaySeconds"] = 0
        tamper(definition)
        created = self._states.create_state_machine(
            name=f"copy-{uuid4().hex}",
            definition=json.dumps(definition),
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/copy",
        )
        return Machine(self.deployed, created["stateMachineArn"])

    @property
    def _states(self) -> Any:
        return self.deployed.cloud.client("stepfunctions")

    def _execution(self, job_id: str) -> str:
        return f"{self.arn.replace(':stateMachine:', ':execution:')}:{job_id}"


@dataclass(frozen=True)
class Workshop:
    """The deployed machine, and small functions that stand in for the stack's own in copies of it."""

    deployed: Deployed
    machine: Machine
    lab: Lab

    @classmethod
    def of(cls, deployed: Deployed) -> Workshop:
        machine = Machine(deployed, deployed.cloud.outputs["StateMachineArn"])
        return cls(deployed, machine, Lab(Endpoint(deployed.cloud.endpoint_url)))

    def with_function(self, state: str, source: str, **more: Any) -> Machine:
        """A copy whose `state` invokes a function made from `source`; `more` are fields of the state."""
        function = self.lab.function(source)

        def tamper(definition: Json) -> None:
            definition["States"][state]["Arguments"]["FunctionName"] = function
            definition["States"][state].update(more)

        return self.machine.copy(tamper)

    def losing(self, state: str, *, requests: int = 0, answers: int = 0) -> Machine:
        """A copy whose `state` loses a job's first requests to its function, or the first answers of it."""
        function = self.machine.definition()["States"][state]["Arguments"]["FunctionName"]
        source = FORWARDS.format(lost_before=requests, lost_after=answers, function=function)
        return self.with_function(state, source)

    def processing(self, customer: Customer, machine: Machine | None = None) -> Job:
        """A job whose provider never answers: begun, its task token stored."""
        job = self.deployed.accept(customer, "[timeout] a shark")
        (machine or self.machine).start(job)
        return self.begun(customer, job.id)

    def begun(self, customer: Customer, job_id: str) -> Job:
        """The job, once its provider was asked."""
        return eventually(lambda: job if (job := self.deployed.job(customer, job_id)).provider_ref else None)

    def deliver(self, job: Job, data: bytes) -> None:
        """Answer the job's task like a provider that delivered these bytes."""
        key = f"{job.account_id}/{job.id}/0"
        bucket = self.deployed.cloud.outputs["StagingBucketName"]
        self.deployed.cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=data)
        self.answer(job, {"outputs": [{"key": key}]})

    def answer(self, job: Job, output: Json) -> None:
        """Let the job's task succeed with this output."""
        self.deployed.cloud.client("stepfunctions").send_task_success(
            taskToken=job.task_token, output=json.dumps(output)
        )

    def refuse(self, job: Job, error: str, cause: str) -> None:
        """Let the job's task fail."""
        self.deployed.cloud.client("stepfunctions").send_task_failure(
            taskToken=job.task_token, error=error, cause=cause
        )
