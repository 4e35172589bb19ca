"""Every minute: start what did not start, close what ran over, tell what is still to be told."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

from shoal.composition import jobs
from shoal.handlers.consumers.trigger import Schedule
from shoal.observability import count_failed, flush_metrics, logger, metrics
from shoal.ports.system import TimeLeft

if TYPE_CHECKING:
    from shoal.composition.jobs import Sweeping


def sweep(sweeping: Sweeping, time_left: TimeLeft) -> dict[str, Any]:
    """`StuckJobs` counts what nobody but the sweeper would have finished, or has finished yet."""
    reported: Counter[str] = Counter()

    def report(part: Counter[str]) -> None:
        """At once: a sweep may be stopped before its end."""
        count_failed(part["closed"])
        if _stuck(part):
            _count(_stuck(part))
        flush_metrics()
        reported.update(part)

    done = sweeping.sweep_jobs(time_left, report)
    rest = _stuck(done) - _stuck(reported)
    if rest or not _stuck(reported):
        _count(rest)
    told = sweeping.tell_events(time_left)
    logger.info("swept", extra={"done": dict(done), "told": told})
    return dict(done)


def _stuck(done: Counter[str]) -> int:
    return done.total() - done["left"] - done["deleted"]


def _count(stuck: int) -> None:
    metrics.add_metric(name="StuckJobs", unit=MetricUnit.Count, value=stuck)


handler = Schedule(jobs.sweeping, sweep)
