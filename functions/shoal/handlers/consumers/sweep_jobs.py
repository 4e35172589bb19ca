"""Every minute: start what did not start, close what ran over, announce what was not announced."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from shoal.composition import jobs
from shoal.handlers.consumers.trigger import Trigger
from shoal.observability import count_failed, logger, metrics
from shoal.use_cases.jobs.sweep_jobs import SweepJobs


def sweep(event: dict[str, Any], sweep_jobs: SweepJobs) -> dict[str, Any]:
    """`StuckJobs` counts what nobody but the sweeper would have finished."""
    done = sweep_jobs()
    stuck = done.total() - done["left"] - done["deleted"]
    metrics.add_metric(name="StuckJobs", unit=MetricUnit.Count, value=stuck)
    count_failed(done["closed"])
    logger.info("swept", extra={"done": dict(done)})
    return dict(done)


handler = Trigger(jobs.sweep_jobs, sweep)
