"""The state machines, each with its log and its role."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from ..lambdas.function import ASK_TIMEOUT_SECONDS
from ..lambdas.grants import ACCOUNTS
from ..nag import accept, accept_wildcard
from ..paths import STATE_MACHINES
from ..stage import Stage
from .service_role import ServiceRole, item_conditions

GENERATE = "generate"
RENDER_VIDEO = "render-video"
MACHINES = (GENERATE, "generate-batch", RENDER_VIDEO)
"""By name; a machine's definition is its file, with underscores for dashes."""
DIGEST_LENGTH = 16
LOG_DELIVERY_ACTIONS = (
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
)


def machine_name(stage: Stage, name: str) -> str:
    """Full name of a state machine; fixed, so that functions may be told its ARN before it exists."""
    return f"{stage.prefix}-{name}"


class Workflows(Construct):
    """`tasks`: the function behind each state that calls one, by the state's name: a version where the stage
    has versions.

    `versions`: ARNs of this deployment's versions of the machines; none where the stage has none.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        stage: Stage,
        tasks: Mapping[str, lambda_.IFunction],
        table: dynamodb.ITable,
        bus: events.IEventBus,
    ) -> None:
        super().__init__(scope, id_)
        self._stage, self._table, self._bus = stage, table, bus
        self.versions: list[str] = []
        self.by_name = {name: self._machine(name, tasks) for name in MACHINES}

    def _machine(self, name: str, tasks: Mapping[str, lambda_.IFunction]) -> stepfunctions.StateMachine:
        stage, id_ = self._stage, "".join(word.capitalize() for word in name.split("-"))
        definition = _definition(name, stage)
        functions = {f"{state}Function": function.function_arn for state, function in tasks.items()}
        called = {name: arn for name, arn in functions.items() if f"${{{name}}}" in definition}
        substitutions = {
            **called,
            "EventBusName": self._bus.event_bus_name,
            "TableName": self._table.table_name,
            "Partition": Stack.of(self).partition,
        }
        log_group = logs.LogGroup(
            self,
            f"{id_}Log",
            log_group_name=f"/aws/vendedlogs/states/{machine_name(stage, name)}",
            retention=stage.log_retention,
            removal_policy=stage.removal_policy,
        )
        machine = stepfunctions.StateMachine(
            self,
            id_,
            state_machine_name=machine_name(stage, name),
            state_machine_type=stepfunctions.StateMachineType.STANDARD,
            definition_body=stepfunctions.DefinitionBody.from_string(definition),
            definition_substitutions=substitutions,
            role=self._role(id_, [tasks[name.removesuffix("Function")] for name in called]).sealed,
            logs=stepfunctions.LogOptions(
                destination=log_group, level=stepfunctions.LogLevel.ALL, include_execution_data=False
            ),
            tracing_enabled=stage.tracing,
        )
        if not stage.tracing:
            accept(machine, "AwsSolutions-SF2", because="The stage has no X-Ray.")
        if stage.versions:
            made_of = json.dumps([definition, Stack.of(self).resolve(substitutions), stage.tracing])
            self.versions.append(self._version(machine, sha256(made_of.encode()).hexdigest()))
        return machine

    def _version(self, machine: stepfunctions.StateMachine, digest: str) -> str:
        """The ARN of a version of the machine as it is now. Later ones leave it for a rollback.

        `digest`: of what the machine is made of. What changes that makes another version, and so another one
        of each function that is told of it.
        """
        version = stepfunctions.CfnStateMachineVersion(
            self,
            f"{machine.node.id}Version{digest[:DIGEST_LENGTH]}",
            state_machine_arn=machine.state_machine_arn,
            state_machine_revision_id=machine.state_machine_revision_id,
        )
        version.apply_removal_policy(RemovalPolicy.RETAIN)
        return version.ref

    def _role(self, id_: str, called: list[lambda_.IFunction]) -> ServiceRole:
        arns = [arn for function in called for arn in _callable(function)]
        role = ServiceRole(
            self,
            f"{id_}Role",
            stage=self._stage,
            service="states.amazonaws.com",
            statements=[
                iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=arns),
                iam.PolicyStatement(actions=["events:PutEvents"], resources=[self._bus.event_bus_arn]),
                iam.PolicyStatement(
                    actions=["dynamodb:UpdateItem"],
                    resources=[self._table.table_arn],
                    conditions=item_conditions(ACCOUNTS),
                ),
                iam.PolicyStatement(actions=list(LOG_DELIVERY_ACTIONS), resources=["*"]),
            ],
        )
        for arn in (arn for arn in arns if arn.endswith(":*")):
            accept_wildcard(role, arn, because="Executions that run on call earlier versions of a function.")
        accept_wildcard(
            role, "*", because="Log deliveries belong to the account: AWS has no resource for them."
        )
        return role


def _callable(function: lambda_.IFunction) -> list[str]:
    """What an execution may call of a function: an execution goes on with the versions it has begun with."""
    if not isinstance(function, lambda_.Version):
        return [function.function_arn]
    return [function.lambda_.function_arn, f"{function.lambda_.function_arn}:*"]


def _definition(name: str, stage: Stage) -> str:
    """The machine's file, with the stage's time-outs for the states in it that wait for a provider.

    The job's own deadline ends the waiting; the state's is for what became of that: a provider may have been
    asked just before it, and its function has to end first.
    """
    text = (STATE_MACHINES / f"{name.replace('-', '_')}.asl.json").read_text(encoding="utf-8")

    waits_s = {"CallProvider": stage.provider_deadline_s, "RenderScene": stage.clip_deadline_s}

    def with_time_out(part: dict[str, Any]) -> dict[str, Any]:
        for state in waits_s.keys() & part.keys():
            part[state]["TimeoutSeconds"] = waits_s[state] + ASK_TIMEOUT_SECONDS
        return part

    # The files name the partition `aws`, so that what reads them as they are understands them.
    anywhere = text.replace("arn:aws:", "arn:${Partition}:")
    return json.dumps(json.loads(anywhere, object_hook=with_time_out), indent=2)
