"""One page that shows how Shoal is: jobs, money, providers, the API, webhooks and what waits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aws_cdk import Stack
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from ..lambdas.function import Function
from ..stage import Stage
from .metrics import PERIOD, OwnMetrics, function_metric
from .queues import Queues

COLUMNS = 4
WIDTH = 24 // COLUMNS


class Dashboard(Construct):
    """The dashboard `shoal-<stage>-<region>`, one row per question."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        stage: Stage,
        own: OwnMetrics,
        http_api: apigatewayv2.HttpApi,
        machines: Mapping[str, stepfunctions.StateMachine],
        queues: Queues,
        functions: Sequence[Function],
        failures: Iterable[cloudwatch.IMetric],
    ) -> None:
        super().__init__(scope, id_)
        cloudwatch.Dashboard(
            self,
            "Page",
            # Dashboards belong to the account, not to one of its regions.
            dashboard_name=f"{stage.prefix}-{Stack.of(self).region}",
            widgets=[
                _jobs(own),
                _providers(own),
                _routes(own),
                _api(own, http_api),
                _webhooks(own),
                _work(queues, machines),
                _health(own, failures),
                _functions(stage, functions),
            ],
        )


def _jobs(own: OwnMetrics) -> list[cloudwatch.IWidget]:
    return [
        _graph("Jobs by outcome", [own.total("JobsCompleted"), own.total("JobsFailed")]),
        _graph("Completed jobs by model", [own.by_model("JobsCompleted")]),
        _graph("Time to complete (ms)", _percentiles(own, "TimeToComplete")),
        _graph("Revenue ($)", [own.dollars("Revenue")]),
    ]


def _providers(own: OwnMetrics) -> list[cloudwatch.IWidget]:
    rate = own.total("ProviderFailures", statistic="Average", label="failed share of calls")
    return [
        _graph("Provider calls", [own.total("ProviderCalls"), own.total("ProviderFailures")]),
        _graph("Provider failure rate", [rate]),
        _graph("Provider latency (ms)", _percentiles(own, "ProviderLatency")),
        _graph("Failed jobs by model", [own.by_model("JobsFailed")]),
    ]


def _routes(own: OwnMetrics) -> list[cloudwatch.IWidget]:
    return [
        _graph("Calls by route", [own.by_route("ProviderCalls")]),
        _graph("Failed share of calls by route", [own.by_route("ProviderFailures", "Average")]),
        _graph("Latency by route (ms, p95)", [own.by_route("ProviderLatency", "p95")]),
        _graph("Cost by route (micro-dollars)", [own.by_route("ProviderCost")]),
    ]


def _api(own: OwnMetrics, http_api: apigatewayv2.HttpApi) -> list[cloudwatch.IWidget]:
    latencies = [
        http_api.metric_latency(period=PERIOD, statistic=statistic, label=statistic)
        for statistic in ("p50", "p95")
    ]
    return [
        _graph("Requests", [http_api.metric_count(period=PERIOD, statistic="Sum")]),
        _graph("API latency (ms)", latencies),
        _graph("Answers 4xx", [own.total("ApiErrors4xx")]),
        _graph(
            "Answers 5xx",
            [own.total("ApiErrors5xx"), http_api.metric_server_error(period=PERIOD, statistic="Sum")],
        ),
    ]


def _webhooks(own: OwnMetrics) -> list[cloudwatch.IWidget]:
    return [
        _graph("Webhook attempts", [own.total("WebhookAttempts"), own.total("WebhookFailures")]),
        _graph("Event to receipt (ms)", _percentiles(own, "WebhookDeliveryTime")),
        _graph("Oldest undelivered event (ms)", [own.total("UndeliveredEventAge", statistic="Maximum")]),
        _graph("Webhooks disabled", [own.total("WebhooksDisabled")]),
    ]


def _work(queues: Queues, machines: Mapping[str, stepfunctions.StateMachine]) -> list[cloudwatch.IWidget]:
    waiting = {
        "polls": queues.poll,
        "closed executions": queues.closed_executions,
        "webhook events": queues.webhook_events,
        "deliveries": queues.deliveries,
        "retries": queues.retries,
    }
    return [
        _graph(
            "Messages waiting",
            [
                queue.metric_approximate_number_of_messages_visible(
                    period=PERIOD, statistic="Maximum", label=name
                )
                for name, queue in waiting.items()
            ],
        ),
        _graph(
            "Age of the oldest message (s)",
            [
                queue.metric_approximate_age_of_oldest_message(period=PERIOD, statistic="Maximum", label=name)
                for name, queue in waiting.items()
            ],
        ),
        _graph(
            "Dead letters",
            [
                queue.metric_approximate_number_of_messages_visible(
                    period=PERIOD, statistic="Maximum", label=name
                )
                for name, queue in queues.dead_letters.items()
            ],
        ),
        _executions(machines),
    ]


def _executions(machines: Mapping[str, stepfunctions.StateMachine]) -> cloudwatch.IWidget:
    return _graph(
        "Executions",
        [
            metric
            for name, machine in machines.items()
            for metric in (
                machine.metric_started(period=PERIOD, label=f"{name} started"),
                machine.metric_succeeded(period=PERIOD, label=f"{name} succeeded"),
                machine.metric_failed(period=PERIOD, label=f"{name} failed"),
                machine.metric_timed_out(period=PERIOD, label=f"{name} timed out"),
            )
        ],
    )


def _health(own: OwnMetrics, failures: Iterable[cloudwatch.IMetric]) -> list[cloudwatch.IWidget]:
    return [
        _graph("Stuck jobs", [own.total("StuckJobs", statistic="Maximum")]),
        _graph("Ledger discrepancies", [own.total("LedgerDiscrepancies", statistic="Maximum")]),
        _graph("Unexpected failures by group", list(failures)),
        _graph("Mails that were refused", [own.total("MailsRefused")]),
    ]


def _functions(stage: Stage, functions: Sequence[Function]) -> list[cloudwatch.IWidget]:
    """A line for each function by its name: a search finds whole names, not what they begin with."""

    def by_function(metric: str) -> list[cloudwatch.IMetric]:
        return [function_metric(metric, each.name_on(stage), label=each.verb) for each in functions]

    return [
        _graph("Errors by function", by_function("Errors")),
        _graph("Throttles by function", by_function("Throttles")),
    ]


def _percentiles(own: OwnMetrics, name: str) -> list[cloudwatch.Metric]:
    return [own.total(name, statistic=statistic, label=statistic) for statistic in ("p50", "p95", "p99")]


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=WIDTH)
