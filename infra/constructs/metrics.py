"""The metrics that the alarms and the dashboard read."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

NAMESPACE = "Shoal"
PERIOD = Duration.minutes(5)


@dataclass(frozen=True, kw_only=True)
class OwnMetrics:
    """Metrics that Shoal's code emits. `service` is the name Powertools puts on all of them."""

    service: str

    def total(
        self, name: str, *, statistic: str = "Sum", period: Duration = PERIOD, label: str | None = None
    ) -> cloudwatch.Metric:
        """A metric over all models. An alarm finds it by exactly these dimensions."""
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={"service": self.service},
            statistic=statistic,
            period=period,
            label=label,
        )

    def by_model(self, name: str) -> cloudwatch.MathExpression:
        """The sum of a metric split by model, whatever models there are."""
        search = f'{{{NAMESPACE},model,service}} service="{self.service}" MetricName="{name}"'
        return _search(search, "Sum")

    def by_route(self, name: str, statistic: str = "Sum") -> cloudwatch.MathExpression:
        """A metric split by route, whatever routes there are."""
        search = f'{{{NAMESPACE},route,service}} service="{self.service}" MetricName="{name}"'
        return _search(search, statistic)

    def dollars(self, name: str) -> cloudwatch.MathExpression:
        """The sum of a metric in micro-dollars, in dollars."""
        return cloudwatch.MathExpression(
            expression="micro / 1000000",
            using_metrics={"micro": self.total(name)},
            label=f"{name} ($)",
            period=PERIOD,
        )


def function_metric(
    name: str, function_name: str | None = None, *, label: str | None = None
) -> cloudwatch.Metric:
    """The sum of a Lambda metric: of one function, or of all functions of account and region."""
    return cloudwatch.Metric(
        namespace="AWS/Lambda",
        metric_name=name,
        dimensions_map={"FunctionName": function_name} if function_name else {},
        statistic="Sum",
        period=PERIOD,
        label=label,
    )


def _search(search: str, statistic: str) -> cloudwatch.MathExpression:
    # The empty label keeps the name of each metric that the search finds.
    return cloudwatch.MathExpression(
        expression=f"SEARCH('{search}', '{statistic}')", using_metrics={}, label="", period=PERIOD
    )
