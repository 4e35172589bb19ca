"""The alarms that wake somebody up, and where they are told."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration, Stack
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from ..stage import Stage
from .dashboard import Dashboard
from .metrics import PERIOD, OwnMetrics
from .queues import Queues

SERVER_ERRORS_MAX = 5
"""A few 503s in a burst are answered by the clients' retries; more in five minutes are an outage."""
PROVIDER_FAILURE_RATE_MAX = 0.2
WEBHOOK_FAILURE_RATE_MAX = 0.5
UNDELIVERED_SECONDS_MAX = 300
RETRY_DELAY_SECONDS_MAX = 900
"""The longest an order waits in the queue of retries because it is planned for later."""
"""First attempts follow an event within seconds."""

Missing = cloudwatch.TreatMissingData


class Monitoring(Construct):
    """Alarms on what a customer would notice or an account would lose, and one dashboard.

    No alarm uses metric math: each reads one metric, so that it deploys everywhere and explains itself.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        stage: Stage,
        http_api: apigatewayv2.HttpApi,
        machines: Mapping[str, stepfunctions.StateMachine],
        functions: Mapping[str, lambda_.Function],
        queues: Queues,
    ) -> None:
        super().__init__(scope, id_)
        self._own = OwnMetrics(service=stage.prefix)
        self._topic = self._alarm_topic(stage)
        self._alarm_on_api(http_api)
        self._alarm_on_jobs()
        self._alarm_on_webhooks(queues)
        for name, machine in machines.items():
            self._alarm_on_executions(name, machine)
        for name, queue in queues.dead_letters.items():
            metric = queue.metric_approximate_number_of_messages_visible(period=PERIOD, statistic="Maximum")
            self._alarm(
                f"{name}DeadLetters",
                metric,
                "A message was not handled: read it, remove the cause, redrive.",
            )
        for function in functions.values():
            self._alarm_on_function(function)
        Dashboard(
            self, "Dashboard", stage=stage, own=self._own, http_api=http_api, machines=machines, queues=queues
        )

    def _alarm_topic(self, stage: Stage) -> sns.Topic:
        topic = sns.Topic(self, "Alarms", display_name=f"Shoal {stage.name} alarms", enforce_ssl=True)
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["sns:Publish"],
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )
        if stage.alarm_email is not None:
            topic.add_subscription(subscriptions.EmailSubscription(stage.alarm_email))
        return topic

    def _alarm_on_api(self, http_api: apigatewayv2.HttpApi) -> None:
        self._alarm(
            "ApiServerErrors",
            http_api.metric_server_error(period=PERIOD, statistic="Sum"),
            "The API answers requests with 5xx.",
            at_least=SERVER_ERRORS_MAX,
        )

    def _alarm_on_jobs(self) -> None:
        self._alarm(
            "StuckJobs",
            self._own.total("StuckJobs", statistic="Minimum"),
            "Each sweep finds jobs it should have closed before, or there are no sweeps at all.",
            periods=2,
            missing=Missing.BREACHING,
        )
        self._alarm(
            "LedgerDiscrepancies",
            self._own.total("LedgerDiscrepancies", statistic="Maximum", period=Duration.hours(1)),
            "A wallet differs from its ledger, or a hold from its job: run `shoal audit`.",
        )
        # Each call of a provider emits 0 or 1 here, so the average is the failure rate.
        self._alarm(
            "ProviderFailureRate",
            self._own.total("ProviderFailures", statistic="Average"),
            "Providers fail too often.",
            at_least=PROVIDER_FAILURE_RATE_MAX,
            periods=3,
        )

        self._alarm(
            "ProviderUnusable",
            self._own.total("ProviderUnusable"),
            "A provider turned us away for a bad key, an empty account or an unknown model: its route is left"
            " alone, and `shoal providers status` tells why.",
        )

    def _alarm_on_webhooks(self, queues: Queues) -> None:
        """Endpoints fail all the time; most of them at once is our own failure."""
        self._alarm(
            "WebhookFailureRate",
            self._own.total("WebhookFailures", statistic="Average"),
            "Most attempts at deliveries fail: is it one account's endpoints, or the way out?",
            at_least=WEBHOOK_FAILURE_RATE_MAX,
            periods=3,
        )
        self._alarm(
            "WebhooksDisabled",
            self._own.total("WebhooksDisabled"),
            "A webhook was disabled: its account misses events until somebody enables it.",
        )
        for name, queue, planned_s in (
            ("WebhookEvents", queues.webhook_events, 0),
            ("Deliveries", queues.deliveries, 0),
            ("Retries", queues.retries, RETRY_DELAY_SECONDS_MAX),
        ):
            self._alarm(
                f"{name}Waiting",
                queue.metric_approximate_age_of_oldest_message(period=PERIOD, statistic="Maximum"),
                "The oldest order to deliver an event waits longer than planned.",
                at_least=planned_s + UNDELIVERED_SECONDS_MAX,
            )

    def _alarm_on_executions(self, name: str, machine: stepfunctions.StateMachine) -> None:
        """A job that fails ends its execution well; one that ends otherwise was left to the sweeper."""
        id_ = "".join(word.capitalize() for word in name.split("-"))
        self._alarm(
            f"{id_}ExecutionsFailed",
            machine.metric_failed(period=PERIOD),
            "Executions failed: their jobs wait for a sweep.",
        )
        self._alarm(
            f"{id_}ExecutionsTimedOut",
            machine.metric_timed_out(period=PERIOD),
            "Executions timed out: their jobs wait for a sweep.",
        )

    def _alarm_on_function(self, function: lambda_.Function) -> None:
        name = function.node.id
        self._alarm(f"{name}Errors", function.metric_errors(period=PERIOD), f"{name} raises errors.")
        self._alarm(f"{name}Throttles", function.metric_throttles(period=PERIOD), f"{name} is throttled.")

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.Metric,
        description: str,
        *,
        at_least: float = 1,
        periods: int = 1,
        missing: cloudwatch.TreatMissingData = Missing.NOT_BREACHING,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            metric=metric,
            alarm_description=description,
            threshold=at_least,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=periods,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(actions.SnsAction(self._topic))
