"""The state machines, each with its log; they share a role, for they call the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from infra.constructs.service_role import ServiceRole, leading_keys
from infra.nag import accept, accept_wildcard
from infra.stage import Stage

DEFINITIONS = Path(__file__).parents[2] / "statemachines"
GENERATE = "generate"
MACHINES = (GENERATE, "generate-batch")
"""By name; a machine's definition is its file, with underscores for dashes."""
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
    """`tasks`: the function behind each state that calls one, by the state's name."""

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
        role = self._role(stage, tasks, table, bus)
        substitutions = {
            **{f"{state}Function": function.function_arn for state, function in tasks.items()},
            "EventBusName": bus.event_bus_name,
            "TableName": table.table_name,
        }
        self.by_name = {name: self._machine(name, stage, role, substitutions) for name in MACHINES}

    def _machine(
        self, name: str, stage: Stage, role: ServiceRole, substitutions: Mapping[str, str]
    ) -> stepfunctions.StateMachine:
        id_ = "".join(word.capitalize() for word in name.split("-"))
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
            definition_body=stepfunctions.DefinitionBody.from_string(_definition(name, stage)),
            definition_substitutions=substitutions,
            role=role.sealed,
            logs=stepfunctions.LogOptions(
                destination=log_group, level=stepfunctions.LogLevel.ALL, include_execution_data=False
            ),
            tracing_enabled=stage.tracing,
        )
        if not stage.tracing:
            accept(machine, "AwsSolutions-SF2", because="The stage has no X-Ray.")
        return machine

    def _role(
        self,
        stage: Stage,
        tasks: Mapping[str, lambda_.IFunction],
        table: dynamodb.ITable,
        bus: events.IEventBus,
    ) -> ServiceRole:
        role = ServiceRole(
            self,
            "Role",
            stage=stage,
            service="states.amazonaws.com",
            statements=[
                iam.PolicyStatement(
                    actions=["lambda:InvokeFunction"],
                    resources=[function.function_arn for function in tasks.values()],
                ),
                iam.PolicyStatement(actions=["events:PutEvents"], resources=[bus.event_bus_arn]),
                iam.PolicyStatement(
                    actions=["dynamodb:UpdateItem"],
                    resources=[table.table_arn],
                    conditions=leading_keys("ACCOUNT#*"),
                ),
                iam.PolicyStatement(actions=list(LOG_DELIVERY_ACTIONS), resources=["*"]),
            ],
        )
        accept_wildcard(
            role, "*", because="Log deliveries belong to the account: AWS has no resource for them."
        )
        return role


def _definition(name: str, stage: Stage) -> str:
    """The machine's file, with the stage's deadline for every CallProvider in it."""
    text = (DEFINITIONS / f"{name.replace('-', '_')}.asl.json").read_text(encoding="utf-8")

    def with_deadline(part: dict[str, Any]) -> dict[str, Any]:
        if "CallProvider" in part:
            part["CallProvider"]["TimeoutSeconds"] = stage.provider_deadline_s
        return part

    return json.dumps(json.loads(text, object_hook=with_deadline), indent=2)
