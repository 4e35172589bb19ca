"""How routes did, from the metrics that the functions emit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from shoal.adapters.aws.client import unavailable_when_unreachable
from shoal.ports.routing import RouteStats

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

NAMESPACE = "Shoal"
DAY_S = 24 * 3600
QUERIES_MAX = 500
METRICS = ("ProviderCalls", "ProviderFailures", "ProviderOutputs", "ProviderLatency", "ProviderCost")


class CloudWatchStatistics:
    """Implements the `Statistics` port. `service` is the name that all metrics of the stage carry."""

    def __init__(self, client: CloudWatchClient, service: str) -> None:
        self._client = client
        self._service = service

    def of(self, routes: Sequence[str], now_ms: int) -> Mapping[str, RouteStats]:
        names = [(route, metric) for route in routes for metric in METRICS]
        sums: dict[tuple[str, str], float] = {}
        until = datetime.fromtimestamp(now_ms / 1000, UTC) + timedelta(minutes=1)
        for start in range(0, len(names), QUERIES_MAX):
            part = names[start : start + QUERIES_MAX]
            with unavailable_when_unreachable():
                answer = self._client.get_metric_data(
                    MetricDataQueries=[self._query(n, *name) for n, name in enumerate(part)],
                    StartTime=until - timedelta(seconds=DAY_S),
                    EndTime=until,
                )
            for found in answer["MetricDataResults"]:
                sums[part[int(found["Id"][1:])]] = sum(found["Values"])
        return {
            route: _stats({metric: sums.get((route, metric), 0.0) for metric in METRICS}) for route in routes
        }

    def _query(self, number: int, route: str, metric: str) -> Any:
        dimensions = {"service": self._service, "route": route}
        return {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": NAMESPACE,
                    "MetricName": metric,
                    "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
                },
                "Period": DAY_S,
                "Stat": "Sum",
            },
        }


def _stats(sums: Mapping[str, float]) -> RouteStats:
    calls, failures, outputs, latency_ms, cost_micros = (round(sums[metric]) for metric in METRICS)
    mean_ms = round(latency_ms / calls) if calls else None
    return RouteStats(calls, failures, outputs, mean_ms, cost_micros)
