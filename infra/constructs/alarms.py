"""Alarms, each with what it means and what to do first, and who is told of them."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from ..stage import Stage
from .canary import JUDGES, judge_name

Missing = cloudwatch.TreatMissingData
AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD


class Alarms:
    """Makes alarms in `scope` that tell the stage's topic, and the topic of the operator's that it names."""

    def __init__(self, scope: Construct, stage: Stage) -> None:
        self._scope, self._stage = scope, stage
        self._topics: list[sns.ITopic] = [_topic(scope, stage)]
        if stage.alarm_topic_arn is not None:
            self._topics.append(sns.Topic.from_topic_arn(scope, "OperatorsTopic", stage.alarm_topic_arn))

    def add(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        means: str,
        *,
        first: str,
        at_least: float = 1,
        periods: int = 1,
        missing: cloudwatch.TreatMissingData = Missing.NOT_BREACHING,
        operator: cloudwatch.ComparisonOperator = AT_LEAST,
    ) -> None:
        """An alarm: `means` says what is wrong, `first` what the operator does first."""
        alarm = cloudwatch.Alarm(
            self._scope,
            name,
            metric=metric,
            alarm_description=f"{means} First: {first}",
            alarm_name=judge_name(self._stage, name) if name in JUDGES else None,
            threshold=at_least,
            comparison_operator=operator,
            evaluation_periods=periods,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(*map(actions.SnsAction, self._topics))

    def add_silence(self, name: str, metric: cloudwatch.IMetric, means: str, *, first: str) -> None:
        """An alarm that rings when there is nothing of what a metric is to count all the time."""
        less = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
        self.add(name, metric, means, first=first, missing=Missing.BREACHING, operator=less)


def _topic(scope: Construct, stage: Stage) -> sns.Topic:
    topic = sns.Topic(scope, "Alarms", display_name=f"Shoal {stage.name} alarms", enforce_ssl=True)
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["sns:Publish"],
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            resources=[topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}},
        )
    )
    if stage.alarm_email is not None:
        topic.add_subscription(subscriptions.EmailSubscription(stage.alarm_email))
    return topic
