"""What webhooks need beside functions and queues: the key of their secrets, schedules of late retries."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from ..stage import Stage
from .service_role import ServiceRole


class WebhookKey(Construct):
    """The key that seals webhook secrets. Who may use it is said by the roles of the functions."""

    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        super().__init__(scope, id_)
        self.key = kms.Key(
            self,
            "Key",
            alias=f"{stage.prefix}-webhooks",
            description="Seals the secrets that sign webhooks",
            enable_key_rotation=True,
            removal_policy=stage.removal_policy,
        )


class RetrySchedules(Construct):
    """A group of one-time schedules, each of which puts one order into the queue of retries and is gone."""

    def __init__(
        self, scope: Construct, id_: str, *, stage: Stage, retries: sqs.IQueue, dead_letters: sqs.IQueue
    ) -> None:
        super().__init__(scope, id_)
        self.group = f"{stage.prefix}-retries"
        group = scheduler.CfnScheduleGroup(self, "Group", name=self.group)
        self.role = ServiceRole(
            self,
            "Role",
            stage=stage,
            service="scheduler.amazonaws.com",
            statements=[
                iam.PolicyStatement(
                    actions=["sqs:SendMessage"], resources=[retries.queue_arn, dead_letters.queue_arn]
                )
            ],
        ).sealed
        self.group_arn = group.attr_arn
        self.schedules_arn = Stack.of(self).format_arn(
            service="scheduler", resource="schedule", resource_name=f"{self.group}/*"
        )
