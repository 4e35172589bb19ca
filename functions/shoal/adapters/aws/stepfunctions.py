"""The state machine: executions named after their jobs, and the tasks that wait for an answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shoal.adapters.aws.client import error_code, unavailable_when_unreachable
from shoal.domain.brief import Kind
from shoal.domain.job import Job
from shoal.domain.text import json_text
from shoal.ports.jobs import ExecutionState

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

GENERATE, BATCH, RENDER_VIDEO = "generate", "generate-batch", "render-video"
"""The machines, by the last part of their names."""

_NO_LONGER_WAITING = frozenset({"TaskDoesNotExist", "TaskTimedOut"})
_CAUSE_LENGTH_MAX = 32_768


class StepFunctionsWorkflow:
    """Implements the `Workflow` port on the machine `generate` and its siblings.

    `state_machine_arn` is that of `generate`; the others differ in the last part of their names. `versions`
    are ARNs of versions, at most one of each machine: the rest are started as they were deployed last.
    """

    def __init__(self, client: SFNClient, state_machine_arn: str, versions: Iterable[str] = ()) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn
        self._versions = {version.rpartition(":")[0]: version for version in versions}

    def start(self, job: Job) -> bool:
        execution: dict[str, Any] = {"account_id": job.account_id, "job_id": job.id}
        if job.simulated:
            execution["simulated"] = True
        if machine_of(job) != GENERATE:
            execution["indexes"] = list(range(job.output_count))
        machine = self._machine_arn(job)
        try:
            with unavailable_when_unreachable():
                self._client.start_execution(
                    stateMachineArn=self._versions.get(machine, machine),
                    name=job.execution,
                    input=json_text(execution),
                )
        except ClientError as error:
            if error_code(error) == "ExecutionAlreadyExists":
                return False
            raise
        return True

    def state(self, job: Job) -> ExecutionState:
        try:
            with unavailable_when_unreachable():
                answer = self._client.describe_execution(executionArn=self._execution_arn(job))
        except ClientError as error:
            if error_code(error) == "ExecutionDoesNotExist":
                return ExecutionState.ABSENT
            raise
        return ExecutionState.RUNNING if answer["status"] == "RUNNING" else ExecutionState.ENDED

    def stop(self, job: Job) -> None:
        try:
            with unavailable_when_unreachable():
                self._client.stop_execution(executionArn=self._execution_arn(job))
        except ClientError as error:
            if error_code(error) != "ExecutionDoesNotExist":
                raise

    def _machine_arn(self, job: Job) -> str:
        return self._state_machine_arn.removesuffix(GENERATE) + machine_of(job)

    def _execution_arn(self, job: Job) -> str:
        return f"{self._machine_arn(job).replace(':stateMachine:', ':execution:')}:{job.execution}"


def machine_of(job: Job) -> str:
    """One output takes the short way; several are asked for side by side; a video has a way of its own."""
    if job.kind is Kind.VIDEO:
        return RENDER_VIDEO
    return GENERATE if job.output_count == 1 else BATCH


class StepFunctionsTaskTokens:
    """Implements the `TaskTokens` port."""

    def __init__(self, client: SFNClient) -> None:
        self._client = client

    def succeed(self, task_token: str, output: Mapping[str, Any]) -> bool:
        return self._resolve(
            self._client.send_task_success,
            taskToken=task_token,
            output=json_text(output),
        )

    def fail(self, task_token: str, error: str, cause: str) -> bool:
        return self._resolve(
            self._client.send_task_failure,
            taskToken=task_token,
            error=error,
            cause=cause[:_CAUSE_LENGTH_MAX],
        )

    def _resolve(self, call: Any, **arguments: str) -> bool:
        try:
            with unavailable_when_unreachable():
                call(**arguments)
        except ClientError as error:
            if error_code(error) in _NO_LONGER_WAITING:
                return False
            raise
        return True
