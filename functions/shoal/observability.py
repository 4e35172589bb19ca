"""Logs and metrics of every Lambda: JSON lines with the ids in play, metrics in the embedded format."""

from __future__ import annotations

import logging

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from shoal.domain.errors import InternalError, ShoalError
from shoal.domain.job import Job, JobStatus

PROVIDER_FAILURES = frozenset(
    {
        "OutcomeUnknown",
        "OutputInvalid",
        "ProviderBusy",
        "ProviderFailed",
        "ProviderTimeout",
        "ProviderUnusable",
    }
)

logger = Logger(utc=True, use_rfc3339=True)
metrics = Metrics()

# Modules below the handlers log through the standard library: give their lines the same form and keys.
logging.getLogger("shoal")
copy_config_to_registered_loggers(logger, include={"shoal"})


def log_failure(error: Exception, what: str, **about: object) -> None:
    """Log what failed, with its traceback.

    What Shoal raises on purpose is a warning: others handle it. Anything else is an `ERROR`, which an alarm
    counts.
    """
    expected = isinstance(error, ShoalError) and not isinstance(error, InternalError)
    log = logger.warning if expected else logger.error
    log(what, extra={"error": type(error).__name__, **about}, exc_info=error)


def count_refused_mail() -> None:
    """Metric of a code that the user pool would not mail, though there was somebody to mail it to."""
    metrics.add_metric(name="MailsRefused", unit=MetricUnit.Count, value=1)


def count_closed(job: Job) -> None:
    """Metrics of a job that has just ended: outcome, time and revenue, in all and by model."""
    completed = job.status is JobStatus.COMPLETED
    outcome = "JobsCompleted" if completed else "JobsFailed"
    _count_with_model(outcome, MetricUnit.Count, 1, job)
    if completed and job.closed_at_ms:
        elapsed_ms = job.closed_at_ms - job.created_at_ms
        metrics.add_metric(name="TimeToComplete", unit=MetricUnit.Milliseconds, value=elapsed_ms)
    if completed and not job.test and job.asset.in_dollars:
        _count_with_model("Revenue", MetricUnit.NoUnit, job.cost, job)


def count_failed(jobs: int) -> None:
    """Metric of jobs that were closed from outside their workflow."""
    if jobs:
        metrics.add_metric(name="JobsFailed", unit=MetricUnit.Count, value=jobs)


def count_unusable_catalog() -> None:
    """Metric of a published catalog that cannot be read."""
    metrics.add_metric(name="CatalogUnusable", unit=MetricUnit.Count, value=1)


class RouteMeter:
    """Implements the `Meter` port: each metric in all and by route."""

    def count_exchange(self, route: str, outcome: str, duration_ms: int) -> None:
        """A caller's refused prompt is no failure of the provider's."""
        failed = int(outcome in PROVIDER_FAILURES)
        unusable = int(outcome == "ProviderUnusable")
        _count_by_route(
            route,
            ("ProviderCalls", MetricUnit.Count, 1),
            ("ProviderFailures", MetricUnit.Count, failed),
            ("ProviderUnusable", MetricUnit.Count, unusable),
            ("ProviderLatency", MetricUnit.Milliseconds, duration_ms),
        )

    def count_output(self, route: str, cost_micros: int | None) -> None:
        """`ProviderCost` is in micro-dollars."""
        _count_by_route(
            route,
            ("ProviderOutputs", MetricUnit.Count, 1),
            *([] if cost_micros is None else [("ProviderCost", MetricUnit.NoUnit, cost_micros)]),
        )


def count_attempt(delivered: bool, age_ms: int, disabled: bool) -> None:
    """Metrics of one attempt at a delivery. `age_ms` is how old its event was after it."""
    metrics.add_metric(name="WebhookAttempts", unit=MetricUnit.Count, value=1)
    metrics.add_metric(name="WebhookFailures", unit=MetricUnit.Count, value=int(not delivered))
    metrics.add_metric(name="WebhooksDisabled", unit=MetricUnit.Count, value=int(disabled))
    name = "WebhookDeliveryTime" if delivered else "UndeliveredEventAge"
    metrics.add_metric(name=name, unit=MetricUnit.Milliseconds, value=age_ms)


def count_disabled() -> None:
    """Metric of a disabling that a crash kept from being counted with its attempt."""
    metrics.add_metric(name="WebhooksDisabled", unit=MetricUnit.Count, value=1)


def flush_metrics() -> None:
    """Print what was measured, if anything was."""
    if metrics.metric_set:
        metrics.flush_metrics()


def _count_with_model(name: str, unit: MetricUnit, value: int, job: Job) -> None:
    metrics.add_metric(name=name, unit=unit, value=value)
    with single_metric(name=name, unit=unit, value=value, default_dimensions=_service()) as by_model:
        by_model.add_dimension(name="model", value=job.model)


def _count_by_route(route: str, *measured: tuple[str, MetricUnit, int]) -> None:
    by_route = EphemeralMetrics()
    by_route.set_default_dimensions(**_service(), route=route)
    for name, unit, value in measured:
        metrics.add_metric(name=name, unit=unit, value=value)
        by_route.add_metric(name=name, unit=unit, value=value)
    by_route.flush_metrics()


def _service() -> dict[str, str]:
    return {"service": logger.service}
