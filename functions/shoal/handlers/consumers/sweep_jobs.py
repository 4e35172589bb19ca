"""Every minute: start what did not start, close what ran over, announce what was not announced."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from shoal.composition import jobs as bootstrap
from shoal.observability import count_failed, flush_metrics, logger, metrics


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Lambda handler. `StuckJobs` counts what nobody but the sweeper would have finished."""
    done = bootstrap.sweep_jobs()()
    stuck = done.total() - done["left"] - done["deleted"]
    metrics.add_metric(name="StuckJobs", unit=MetricUnit.Count, value=stuck)
    count_failed(done["closed"])
    logger.info("swept", extra={"done": dict(done)})
    flush_metrics()
    return dict(done)
