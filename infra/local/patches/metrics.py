"""Metrics that functions log in the embedded format become metrics.

AWS: a log line with `_aws.CloudWatchMetrics` is taken for metric data (CloudWatch embedded metric format,
specification). MiniStack keeps it as a line of the log and nothing else.
"""

from __future__ import annotations

import json
import time
from typing import Any

from ministack.services import cloudwatch, lambda_svc  # type: ignore[import-untyped]

_emit_logs = lambda_svc._emit_lambda_logs


def _emit_logs_and_metrics(
    function: dict[str, Any], request_id: str, log_text: str, *args: Any, **kwargs: Any
) -> None:
    _emit_logs(function, request_id, log_text, *args, **kwargs)
    for line in log_text.splitlines():
        if '"CloudWatchMetrics"' in line:
            _store(json.loads(line))


def _store(record: dict[str, Any]) -> None:
    for directive in record["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = {name: str(record[name]) for name in names}
            for metric in directive["Metrics"]:
                found = record[metric["Name"]]
                values = found if isinstance(found, list) else [found]
                cloudwatch._store_datum(
                    directive["Namespace"],
                    metric["Name"],
                    dimensions,
                    time.time(),
                    metric.get("Unit", "None"),
                    None,
                    values,
                    None,
                    None,
                )


def apply() -> None:
    """Put the patch in place."""
    lambda_svc._emit_lambda_logs = _emit_logs_and_metrics
