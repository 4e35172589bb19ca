"""Metrics: what is counted, under which dimensions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from shoal.domain.job import Job, JobStatus
from shoal.domain.money import Asset
from shoal.observability import RouteMeter, count_closed, flush_metrics
from tests.support.factories import a_completed_job, a_failed_job

Measured = dict[tuple[str, ...], dict[str, Any]]


@pytest.fixture
def measured(capsys: pytest.CaptureFixture[str]) -> Callable[[], Measured]:
    def read() -> Measured:
        """Dimensions to the values measured under them."""
        flush_metrics()
        found: Measured = {}
        for line in capsys.readouterr().out.splitlines():
            entry = json.loads(line)
            (described,) = entry["_aws"]["CloudWatchMetrics"]
            (dimensions,) = described["Dimensions"]
            values = {metric["Name"]: entry[metric["Name"]] for metric in described["Metrics"]}
            found.setdefault(tuple(sorted(dimensions)), {}).update(values)
        return found

    return read


def test_a_completed_job_counts_its_time_and_its_revenue(measured: Callable[[], Measured]) -> None:
    count_closed(a_completed_job())

    assert measured() == {
        ("service",): {"JobsCompleted": [1.0], "TimeToComplete": [34_500.0], "Revenue": [20_000.0]},
        ("model", "service"): {"JobsCompleted": [1.0], "Revenue": [20_000.0]},
    }


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELED, JobStatus.EXPIRED])
def test_a_job_that_ended_otherwise_counts_as_failed(
    measured: Callable[[], Measured], status: JobStatus
) -> None:
    count_closed(a_failed_job(status))

    assert measured() == {
        ("service",): {"JobsFailed": [1.0]},
        ("model", "service"): {"JobsFailed": [1.0]},
    }


@pytest.mark.parametrize("job", [a_completed_job(asset=Asset.TEST_USD), a_completed_job(asset=Asset.CREDIT)])
def test_neither_play_money_nor_credits_are_revenue(measured: Callable[[], Measured], job: Job) -> None:
    count_closed(job)

    assert "Revenue" not in measured()[("service",)]


@pytest.mark.parametrize(
    ("outcome", "failures"),
    [
        ("done", 0),
        ("pending", 0),
        ("ProviderRejected", 0),
        ("ProviderBusy", 1),
        ("OutcomeUnknown", 1),
        ("ProviderUnusable", 1),
        ("ProviderFailed", 1),
        ("ProviderTimeout", 1),
        ("OutputInvalid", 1),
    ],
)
def test_every_call_counts_as_failed_or_not(
    measured: Callable[[], Measured], outcome: str, failures: int
) -> None:
    RouteMeter().count_exchange("fal/flux", outcome, 120)

    counted = {
        "ProviderCalls": [1.0],
        "ProviderFailures": [float(failures)],
        "ProviderLatency": [120.0],
        "ProviderUnusable": [float(outcome == "ProviderUnusable")],
    }
    assert measured() == {("service",): counted, ("route", "service"): counted}


@pytest.mark.parametrize(("cost_micros", "told"), [(None, {}), (25_000, {"ProviderCost": [25_000.0]})])
def test_every_output_counts_with_its_cost_if_that_is_known(
    measured: Callable[[], Measured], cost_micros: int | None, told: dict[str, list[float]]
) -> None:
    RouteMeter().count_output("fal/flux", cost_micros)

    counted = {"ProviderOutputs": [1.0], **told}
    assert measured() == {("service",): counted, ("route", "service"): counted}


def test_nothing_measured_is_nothing_printed(measured: Callable[[], Measured]) -> None:
    assert measured() == {}
