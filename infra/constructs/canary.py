"""Who moves the API's functions to a new version: CodeDeploy, a few requests first, with alarms as judges."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from ..nag import accept_wildcard
from ..stage import Canary, Stage
from .service_role import ServiceRole

JUDGES = (
    "ApiServerErrors",
    "HttpFailures",
    "WebFailures",
    "WorkflowFailures",
    "ConsumersFailures",
    "LedgerDiscrepancies",
    "PollDeadLetters",
    "ClosedExecutionsDeadLetters",
    "WebhookEventsDeadLetters",
    "AsyncFailuresDeadLetters",
)
"""Alarms of the watch stack that take a new version back, or keep it from being begun with: CodeDeploy takes
ten (API reference, "AlarmConfiguration"). Failures are counted within minutes; discrepancies and dead letters
come after half an hour or more, and mean that nothing should change before somebody has looked."""
CONFIGURATIONS: Mapping[Canary, codedeploy.ILambdaDeploymentConfig] = {
    "10-percent-5-minutes": codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES,
    "10-percent-10-minutes": codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_10_MINUTES,
}


def judge_name(stage: Stage, alarm: str) -> str:
    """Fixed, so that a canary names alarms of a stack that is deployed after it."""
    return f"{stage.prefix}-{alarm}"


class Canaries(Construct):
    """A deployment group for each alias: CodeDeploy moves it, and CloudFormation undoes all if one fails."""

    def __init__(
        self, scope: Construct, id_: str, *, stage: Stage, aliases: Mapping[str, lambda_.Alias]
    ) -> None:
        super().__init__(scope, id_)
        role = self._role(stage)
        judges = [
            cloudwatch.Alarm.from_alarm_arn(self, name, self._alarm_arn(judge_name(stage, name)))
            for name in JUDGES
        ]
        application = codedeploy.LambdaApplication(self, "Application", application_name=stage.prefix)
        for verb, alias in aliases.items():
            codedeploy.LambdaDeploymentGroup(
                self,
                "".join(word.capitalize() for word in verb.split("_")),
                application=application,
                deployment_group_name=f"{stage.prefix}-{verb.replace('_', '-')}",
                alias=alias,
                role=role,
                deployment_config=CONFIGURATIONS[stage.canary],
                alarms=judges,
                auto_rollback=codedeploy.AutoRollbackConfig(
                    deployment_in_alarm=True, failed_deployment=True, stopped_deployment=True
                ),
            )

    def _role(self, stage: Stage) -> iam.IRole:
        functions = Stack.of(self).format_arn(
            service="lambda",
            resource="function",
            resource_name=f"{stage.prefix}-*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        role = ServiceRole(
            self,
            "Role",
            stage=stage,
            service="codedeploy.amazonaws.com",
            statements=[
                iam.PolicyStatement(
                    actions=[
                        "lambda:GetAlias",
                        "lambda:UpdateAlias",
                        "lambda:GetProvisionedConcurrencyConfig",
                    ],
                    resources=[functions],
                ),
                iam.PolicyStatement(actions=["cloudwatch:DescribeAlarms"], resources=["*"]),
            ],
        )
        accept_wildcard(
            role, functions, because="The functions of the stage, by the beginning of their names."
        )
        accept_wildcard(
            role, "*", because="Alarms are described for the account: AWS has no resource for it."
        )
        return role.sealed

    def _alarm_arn(self, name: str) -> str:
        stack = Stack.of(self)
        return f"arn:{stack.partition}:cloudwatch:{stack.region}:{stack.account}:alarm:{name}"
