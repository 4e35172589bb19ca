"""The state machine under test: the deployed one, and copies of it with a state tampered with."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from PIL import Image

from infra.local.aws import ACCOUNT
from shoal.domain.brief import Kind
from shoal.domain.job import Closer, Job, JobFailure
from tests.local_cloud.lab import Lab
from tests.support.deployed import Customer, Deployed, eventually

Json = dict[str, Any]

EXECUTION_SECONDS_MAX = 90.0

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


def execution_input(job: Job) -> Json:
    """What the job's execution is started with."""
    told: Json = {"account_id": job.account_id, "job_id": job.id}
    if job.simulated:
        told["simulated"] = True
    several = job.output_count > 1 or job.kind is Kind.VIDEO
    return told | {"indexes": list(range(job.output_count))} if several else told


def function_of(state: Json) -> str:
    """The function that a state calls: the first it names, which is that of simulated work if it has two."""
    function: str = state["Arguments"]["FunctionName"]
    return function.split("'")[1] if "'" in function else function


def states_of(definition: Json) -> dict[str, Json]:
    """The states of a definition by name, those within a Map too."""
    states: dict[str, Json] = dict(definition["States"])
    for state in definition["States"].values():
        if "ItemProcessor" in state:
            states |= states_of(state["ItemProcessor"])
    return states


def asked(job: Job) -> bool:
    """Whether the provider was asked for every output of the job, and will answer later."""
    return len(job.provider_refs) == job.output_count


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
            input=json.dumps(execution_input(job)),
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

    def transitions(self, job_id: str) -> int:
        """The states the execution entered, those within a Map too; no task was retried.

        The local cloud's history has no states within a Map, but every task that was scheduled.
        """
        pages = self._states.get_paginator("get_execution_history").paginate(
            executionArn=self._execution(job_id)
        )
        types = [event["type"] for page in pages for event in page["events"]]
        within = types.count("TaskScheduled") - types.count("TaskStateEntered")
        entered = [event_type for event_type in types if event_type.endswith("StateEntered")]
        return len(entered) + int(within)

    def scenes_asked_for(self, job_id: str) -> int:
        """How many tasks were scheduled within the Map that failed."""
        return self.transitions(job_id) - len(self.path(job_id))

    def definition(self) -> Json:
        """The definition as deployed, every substitution made."""
        described = self._states.describe_state_machine(stateMachineArn=self.arn)
        definition: Json = json.loads(described["definition"])
        return definition

    def copy(self, tamper: Callable[[Json], None]) -> Machine:
        """A machine like this one, but for `tamper`'s changes, and without pauses before retries."""
        definition = self.definition()
        for state in states_of(definition).values():
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
    batch: Machine
    video: Machine
    lab: Lab

    @classmethod
    def of(cls, deployed: Deployed) -> Workshop:
        arn = deployed.cloud.outputs["StateMachineArn"]
        video_arn = arn.removesuffix("generate") + "render-video"
        return cls(
            deployed=deployed,
            machine=Machine(deployed, arn),
            batch=Machine(deployed, f"{arn}-batch"),
            video=Machine(deployed, video_arn),
            lab=Lab(deployed.cloud.endpoint),
        )

    def with_function(self, state: str, source: str, of: Machine | None = None, **more: Any) -> Machine:
        """A copy whose `state` invokes a function made from `source`; `more` are fields of the state.

        It is a copy of the machine for one output, or `of` another.
        """
        function = self.lab.function(source)

        def tamper(definition: Json) -> None:
            tampered = states_of(definition)[state]
            tampered["Arguments"]["FunctionName"] = function
            tampered.update(more)

        return (of or self.machine).copy(tamper)

    def losing(
        self, state: str, of: Machine | None = None, /, *, requests: int = 0, answers: int = 0
    ) -> Machine:
        """A copy whose `state` loses a job's first requests to its function, or the first answers of it."""
        function = function_of(states_of((of or self.machine).definition())[state])
        source = FORWARDS.format(lost_before=requests, lost_after=answers, function=function)
        return self.with_function(state, source, of)

    def processing(self, customer: Customer, prompt: str = "[timeout] a shark") -> Job:
        """An image that is begun, its token stored. Its provider never answers, or as the prompt says."""
        job = self.deployed.accept(customer, prompt)
        self.machine.start(job)
        return self.begun(customer, job.id)

    def processing_batch(self, customer: Customer, outputs: int) -> Job:
        """Likewise a task of several outputs."""
        job = self.deployed.accept_task(customer, "[timeout] mugs", outputs)
        self.batch.start(job)
        return self.begun(customer, job.id)

    def begun(self, customer: Customer, job_id: str) -> Job:
        """The job, once its provider was asked for every output."""
        return eventually(lambda: job if asked(job := self.deployed.job(customer, job_id)) else None)

    def deliver(self, job: Job, data: bytes, index: int = 0) -> None:
        """Answer one of the job's tasks like a provider that delivered these bytes."""
        key = f"{job.account_id}/{job.id}/{index}"
        bucket = self.deployed.cloud.outputs["StagingBucketName"]
        self.deployed.cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=data)
        self.answer(job, {"output": {"key": key}}, index)

    def answer(self, job: Job, output: Json, index: int = 0) -> None:
        """Let one of the job's tasks succeed with this output."""
        self.deployed.cloud.client("stepfunctions").send_task_success(
            taskToken=job.task_tokens[index], output=json.dumps(output)
        )

    def refuse(self, job: Job, error: str, cause: str, index: int = 0) -> None:
        """Let one of the job's tasks fail."""
        self.deployed.cloud.client("stepfunctions").send_task_failure(
            taskToken=job.task_tokens[index], error=error, cause=cause
        )


def picture(side_px: int = 64) -> bytes:
    """A real PNG."""
    data = io.BytesIO()
    Image.new("RGB", (side_px, side_px), "teal").save(data, "PNG")
    return data.getvalue()


def cancel_unseen(deployed: Deployed, job: Job) -> Job:
    """Close the job as a cancel does whose sender dies before it announces or stops anything."""
    failure = JobFailure("canceled", "Canceled by request.")
    return deployed.ledger.release(job, failure, Closer.CANCEL, job.created_at_ms + 1)
