"""The patch of metrics."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from tests.local_cloud.lab import Lab

EMITS = """
import json
def handler(event, context):
    print("an ordinary line")
    print(json.dumps({
        "_aws": {"Timestamp": 1, "CloudWatchMetrics": [{
            "Namespace": event["namespace"],
            "Dimensions": [["service"], ["service", "route"]],
            "Metrics": [{"Name": "Calls", "Unit": "Count"}, {"Name": "Latency", "Unit": "Milliseconds"}],
        }]},
        "service": "shoal", "route": "fal/flux", "Calls": [1.0, 1.0], "Latency": 250,
    }))
"""


def total(lab: Lab, namespace: str, metric: str, **dimensions: str) -> float:
    """The sum of a metric under exactly these dimensions."""
    now = datetime.now(UTC)
    named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    query = {"Namespace": namespace, "MetricName": metric, "Dimensions": named}
    found = lab.endpoint.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "m", "MetricStat": {"Metric": query, "Period": 86_400, "Stat": "Sum"}}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
    )
    return float(sum(found["MetricDataResults"][0]["Values"]))


def test_what_a_function_logs_in_the_embedded_format_are_metrics(lab: Lab) -> None:
    namespace, function = f"Lab{uuid4().hex}", lab.function(EMITS)

    for _ in range(2):
        assert json.dumps(lab.invoke(function, {"namespace": namespace})["error"]) == "null"

    assert total(lab, namespace, "Calls", service="shoal") == 4
    assert total(lab, namespace, "Calls", service="shoal", route="fal/flux") == 4
    assert total(lab, namespace, "Latency", service="shoal", route="fal/flux") == 500
    assert total(lab, namespace, "Calls", service="another") == 0
