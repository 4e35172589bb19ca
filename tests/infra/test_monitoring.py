"""Alarms read metrics that exist, and somebody hears them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from infra.lambdas import registry
from infra.paths import FUNCTIONS
from tests.infra.stages import DEV
from tests.infra.template import Template, synthesized, text


def alarms_of(template: Template) -> dict[str, dict[str, Any]]:
    """Alarms by name."""
    return {
        re.sub(r"^Monitoring|[0-9A-F]{8}$", "", id_): resource["Properties"]
        for id_, resource in template.of_type("AWS::CloudWatch::Alarm").items()
    }


def page_of(template: Template) -> dict[str, Any]:
    page: dict[str, Any] = json.loads(text(template.one("AWS::CloudWatch::Dashboard")["DashboardBody"]))
    return page


def test_there_is_an_alarm_on_everything_a_customer_would_notice(template: Template) -> None:
    expected = {
        "ApiServerErrors",
        "StuckJobs",
        "LedgerDiscrepancies",
        "ProviderFailureRate",
        "ProviderUnusable",
    }
    for machine in ("Generate", "GenerateBatch", "RenderVideo"):
        expected |= {f"{machine}ExecutionsFailed", f"{machine}ExecutionsTimedOut"}
    expected |= {
        "WebhookFailureRate",
        "WebhooksDisabled",
        "WebhookEventsWaiting",
        "DeliveriesWaiting",
        "RetriesWaiting",
    }
    queues = (
        "Poll",
        "SimulatedPoll",
        "ClosedExecutions",
        "WebhookEvents",
        "Deliveries",
        "Retries",
        "AsyncFailures",
    )
    expected |= {f"{name}DeadLetters" for name in queues}
    for function in registry.functions():
        expected |= {f"{function.camel}Errors", f"{function.camel}Throttles"}
    assert alarms_of(template).keys() == expected


def test_every_alarm_tells_the_topic(template: Template) -> None:
    for alarm in alarms_of(template).values():
        assert [text(action) for action in alarm["AlarmActions"]] == ["<MonitoringAlarms>"]


def test_dead_letters_are_watched_one_by_one(template: Template) -> None:
    watched = {
        text(alarm["Dimensions"][0]["Value"])
        for name, alarm in alarms_of(template).items()
        if name.endswith("DeadLetters")
    }
    assert watched == {
        "<QueuesPollDeadLetters.QueueName>",
        "<QueuesSimulatedPollDeadLetters.QueueName>",
        "<QueuesClosedExecutionsDeadLetters.QueueName>",
        "<QueuesWebhookEventsDeadLetters.QueueName>",
        "<QueuesDeliveriesDeadLetters.QueueName>",
        "<QueuesRetriesDeadLetters.QueueName>",
        "<QueuesAsyncFailures.QueueName>",
    }


def test_alarms_read_own_metrics_by_exactly_the_dimensions_they_are_emitted_with(template: Template) -> None:
    own = [alarm for alarm in alarms_of(template).values() if alarm["Namespace"] == "Shoal"]
    assert {alarm["MetricName"] for alarm in own} == {
        "StuckJobs",
        "LedgerDiscrepancies",
        "ProviderFailures",
        "ProviderUnusable",
        "WebhookFailures",
        "WebhooksDisabled",
    }
    for alarm in own:
        assert alarm["Dimensions"] == [{"Name": "service", "Value": template.stage.prefix}]


def test_each_machine_is_watched_by_itself(template: Template) -> None:
    watched = {
        text(dimension["Value"])
        for name, alarm in alarms_of(template).items()
        if "Executions" in name and alarm["Namespace"] == "AWS/States"
        for dimension in alarm["Dimensions"]
    }
    assert watched == {"<WorkflowGenerate>", "<WorkflowGenerateBatch>", "<WorkflowRenderVideo>"}


def test_no_sweep_is_as_bad_as_a_stuck_job(template: Template) -> None:
    assert alarms_of(template)["StuckJobs"]["TreatMissingData"] == "breaching"


def test_the_code_emits_every_own_metric_that_is_shown(dev: Template) -> None:
    shown = {
        metric[1]
        for widget in page_of(dev)["widgets"]
        for metric in widget["properties"]["metrics"]
        if metric[0] == "Shoal"
    }
    source = "\n".join(path.read_text(encoding="utf-8") for path in FUNCTIONS.rglob("*.py"))
    # Names of the 4xx and 5xx counters are put together where they are counted.
    named = {name for name in shown if f'"{name}"' in source or f'"{name[:-3]}' in source}
    assert shown == named


def test_the_dashboard_answers_what_an_operator_asks(template: Template) -> None:
    titles = {widget["properties"]["title"] for widget in page_of(template)["widgets"]}
    assert {
        "Jobs by outcome",
        "Time to complete (ms)",
        "Revenue ($)",
        "Provider failure rate",
        "Provider latency (ms)",
        "API latency (ms)",
        "Dead letters",
        "Stuck jobs",
        "Ledger discrepancies",
    } <= titles


def test_alarms_are_mailed_if_the_stage_names_an_address(tmp_path: Path) -> None:
    mailed = synthesized(replace(DEV, alarm_email="operator@example.com"), tmp_path)
    subscription = mailed.one("AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "operator@example.com")


def test_no_address_no_subscription(dev: Template) -> None:
    assert not dev.of_type("AWS::SNS::Subscription")
