"""Alarms read metrics that exist, and somebody hears them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from infra.constructs.monitoring import BUSIEST
from infra.lambdas import registry
from infra.paths import FUNCTIONS
from shoal.adapters.dynamodb.table import ConditionFailed
from shoal.domain.errors import InternalError, JobClosed, OutputInvalid, Unavailable
from shoal.handlers.workflow.task import Task
from tests.infra.stages import DEV
from tests.infra.template import Template, synthesized, text

ALARMS_MAX = 60


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
        "MailsRefused",
        "StuckJobs",
        "CatalogUnusable",
        "LedgerDiscrepancies",
        "AuditMissing",
        "AccountsNotAudited",
        "ProviderFailureRate",
        "ProviderUnusable",
        "WebhookFailureRate",
        "WebhooksDisabled",
        "AccountConcurrency",
        "RecursionStopped",
        "TableReadsThrottled",
        "TableWritesThrottled",
        "OpenJobsWritesThrottled",
        "FailedJobsWritesThrottled",
        "TransactionConflicts",
    }
    for machine in ("Generate", "GenerateBatch", "RenderVideo"):
        expected |= {f"{machine}Executions{what}" for what in ("Failed", "TimedOut", "Throttled")}
    waited_for = ("Poll", "ClosedExecutions", "WebhookEvents", "Deliveries", "Retries")
    expected |= {f"{name}Waiting" for name in waited_for}
    expected |= {f"{name}DeadLetters" for name in (*waited_for, "SimulatedPoll", "AsyncFailures")}
    busy = ("SubmitJob", "ReadJob", "CallProvider", "SettleWallet", "PollProvider", "DeliverWebhook")
    expected |= {f"{name}Throttles" for name in busy}
    expected |= {f"{group}Failures" for group in ("Http", "Web", "Workflow", "Consumers")}
    assert alarms_of(template).keys() == expected


def test_alarms_are_few_enough_to_be_read(template: Template) -> None:
    """And cost little: ten cents a month each."""
    assert len(alarms_of(template)) <= ALARMS_MAX


def test_every_alarm_says_what_it_means_and_what_to_do_first(template: Template) -> None:
    for name, alarm in alarms_of(template).items():
        means, _, first = alarm["AlarmDescription"].partition(" First: ")
        assert len(means) > 20, name
        assert means.endswith("."), name
        assert len(first) > 20, name


def test_every_alarm_tells_the_topic(template: Template) -> None:
    for alarm in alarms_of(template).values():
        assert [text(action) for action in alarm["AlarmActions"]] == ["<MonitoringAlarms>"]


def test_the_operators_own_topic_is_told_too(tmp_path: Path) -> None:
    pager = "arn:aws:sns:eu-west-1:123456789012:pager"
    told = synthesized(replace(DEV, alarm_topic_arn=pager), tmp_path)
    for alarm in alarms_of(told).values():
        assert [text(action) for action in alarm["AlarmActions"]] == ["<MonitoringAlarms>", pager]


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
    own = [alarm for alarm in alarms_of(template).values() if alarm.get("Namespace") == "Shoal"]
    assert {alarm["MetricName"] for alarm in own} == {
        "MailsRefused",
        "StuckJobs",
        "CatalogUnusable",
        "LedgerDiscrepancies",
        "AccountsNotAudited",
        "AuditsEnded",
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
        if "Executions" in name and alarm.get("Namespace") == "AWS/States"
        for dimension in alarm["Dimensions"]
    }
    assert watched == {"<WorkflowGenerate>", "<WorkflowGenerateBatch>", "<WorkflowRenderVideo>"}


def test_no_sweep_is_as_bad_as_a_stuck_job(template: Template) -> None:
    assert alarms_of(template)["StuckJobs"]["TreatMissingData"] == "breaching"


def test_silence_of_the_audit_is_noticed(template: Template) -> None:
    alarm = alarms_of(template)["AuditMissing"]
    assert (alarm["MetricName"], alarm["Statistic"]) == ("AuditsEnded", "Sum")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert (alarm["Period"], alarm["TreatMissingData"]) == (3 * 3600, "breaching")


def test_the_log_of_every_function_is_counted_in_its_group(template: Template) -> None:
    counted = {each["LogGroupName"]: each for each in template.properties("AWS::Logs::MetricFilter")}
    functions = list(registry.functions())
    assert len(counted) == len(functions)
    for function in functions:
        group = template.function(function.verb)["LoggingConfig"]["LogGroup"]["Ref"]
        found = counted[template.content["Resources"][group]["Properties"]["LogGroupName"]]
        (counting,) = found["MetricTransformations"]
        alarm = alarms_of(template)[f"{function.group.capitalize()}Failures"]
        assert counting["MetricNamespace"] == alarm["Namespace"] == f"Shoal/{template.stage.name}"
        assert counting["MetricName"] == alarm["MetricName"]
        assert "DefaultValue" not in counting, "a metric that is always there costs thirty cents"


def test_only_what_shoal_does_not_raise_on_purpose_is_counted(logs: StringIO, dev: Template) -> None:
    (pattern,) = {each["FilterPattern"] for each in dev.properties("AWS::Logs::MetricFilter")}
    terms = [json.loads(term.removeprefix("?")) for term in re.findall(r'\?"(?:[^"\\]|\\.)*"', pattern)]
    assert len(terms) == pattern.count("?")

    def counted(error: Exception) -> bool:
        failing = Task(lambda: None, partial(_fail, error))
        with pytest.raises(type(error)):
            failing({"account_id": "a", "job_id": "j"}, None)
        printed = logs.getvalue()
        logs.truncate(0)
        assert type(error).__name__ in printed
        return any(term in printed for term in terms)

    assert not counted(OutputInvalid('said "level":"ERROR"'))
    assert not counted(JobClosed("j"))
    assert not counted(Unavailable())
    assert counted(KeyError("hold"))
    assert counted(InternalError())
    assert counted(ConditionFailed(None))
    for crash in (
        "2026-11-30T19:00:00.000Z 7d1e Task timed out after 60.06 seconds",
        "REPORT RequestId: 7d1e Duration: 1 ms Status: error Error Type: Runtime.OutOfMemory",
        "REPORT RequestId: 7d1e Duration: 1 ms Status: error Error Type: Runtime.ExitError",
        "[ERROR] Runtime.ImportModuleError: Unable to import module 'shoal.handlers.http.read_job'",
        "[ERROR] Runtime.HandlerNotFound: Handler 'handler' missing on module 'shoal.handlers.http.read_job'",
        "[ERROR] Runtime.UserCodeSyntaxError: Syntax error in module 'shoal.handlers.http.read_job'",
        "REPORT RequestId: 7d1e Duration: 1 ms Status: error Error Type: Runtime.Unknown",
    ):
        assert any(term in crash for term in terms), crash


def _fail(error: Exception, *_: object) -> dict[str, Any]:
    raise error


def test_throttles_that_are_planned_wake_nobody(template: Template) -> None:
    watched = {
        alarm["Dimensions"][0]["Value"]
        for name, alarm in alarms_of(template).items()
        if name.endswith("Throttles")
    }
    assert len(watched) == len(BUSIEST)
    assert watched.isdisjoint(each.name_on(template.stage) for each in registry.functions() if each.simulates)


def test_no_alarm_uses_metric_math(template: Template) -> None:
    for name, alarm in alarms_of(template).items():
        assert "Metrics" not in alarm, name


def test_a_share_of_the_concurrency_that_the_account_has_is_left(tmp_path: Path) -> None:
    alarm = alarms_of(synthesized(replace(DEV, account_concurrency=10), tmp_path))["AccountConcurrency"]
    assert (alarm["MetricName"], alarm["Threshold"]) == ("ClaimedAccountConcurrency", 8)
    assert "Dimensions" not in alarm


def test_panels_of_functions_name_each_function(template: Template) -> None:
    """A search finds nothing by the beginning of a name."""
    names = {each.name_on(template.stage) for each in registry.functions()}
    panels = {each["properties"]["title"]: each["properties"] for each in page_of(template)["widgets"]}
    for title, metric in (("Errors by function", "Errors"), ("Throttles by function", "Throttles")):
        shown = {(each[1], each[3]) for each in panels[title]["metrics"]}
        assert shown == {(metric, name) for name in names}
    assert "{AWS/Lambda" not in json.dumps(page_of(template))


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
