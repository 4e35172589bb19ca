"""Whatever is handed over asynchronously is handled or ends in a queue that an alarm watches."""

from __future__ import annotations

from typing import Any

from infra.lambdas import registry
from shoal.adapters.http.webhook_http import WALL_CLOCK_SECONDS
from shoal.domain.webhook import EVENT_TYPES
from shoal.handlers.consumers.attempts import LAST_ORDER_MS
from shoal.ports.webhooks import LEASE_MS
from tests.infra.template import Template, allowed, text

DEAD_LETTERS = {
    "<QueuesPollDeadLetters.Arn>",
    "<QueuesSimulatedPollDeadLetters.Arn>",
    "<QueuesClosedExecutionsDeadLetters.Arn>",
    "<QueuesWebhookEventsDeadLetters.Arn>",
    "<QueuesDeliveriesDeadLetters.Arn>",
    "<QueuesRetriesDeadLetters.Arn>",
    "<QueuesAsyncFailures.Arn>",
}


def queues_of(template: Template) -> dict[str, dict[str, Any]]:
    return {
        text({"Fn::GetAtt": [id_, "Arn"]}): resource["Properties"]
        for id_, resource in template.of_type("AWS::SQS::Queue").items()
    }


def mapping_of(template: Template, verb: str) -> dict[str, Any]:
    (found,) = [
        mapping
        for mapping in template.properties("AWS::Lambda::EventSourceMapping")
        if template.function_behind(mapping["FunctionName"]) == template.function(verb)
    ]
    return found


def test_every_queue_has_dead_letters_or_holds_some(template: Template) -> None:
    queues = queues_of(template)
    assert queues.keys() > DEAD_LETTERS
    for arn in queues.keys() - DEAD_LETTERS:
        redrive = queues[arn]["RedrivePolicy"]
        assert text(redrive["deadLetterTargetArn"]) in DEAD_LETTERS
        tried_for_s = redrive["maxReceiveCount"] * queues[arn]["VisibilityTimeout"]
        assert 1800 <= tried_for_s < 1800 + queues[arn]["VisibilityTimeout"]


def test_dead_letters_wait_two_weeks_for_somebody(template: Template) -> None:
    for arn in DEAD_LETTERS:
        assert queues_of(template)[arn]["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_messages_wait_four_days_and_longer_as_dead_letters(template: Template) -> None:
    """A dead letter keeps the time at which it was sent."""
    queues = queues_of(template)
    for arn in queues.keys() - DEAD_LETTERS:
        assert queues[arn]["MessageRetentionPeriod"] == 4 * 24 * 3600


def test_queues_are_encrypted(template: Template) -> None:
    assert all(queue["SqsManagedSseEnabled"] for queue in queues_of(template).values())


def test_a_message_comes_back_soon_after_its_function_could_have_ended(template: Template) -> None:
    """AWS wants no less than the function's timeout; what a killed one left undone waits as long."""
    mappings = template.properties("AWS::Lambda::EventSourceMapping")
    assert len(mappings) == len(queues_of(template)) - len(DEAD_LETTERS)
    for mapping in mappings:
        function = template.function_behind(mapping["FunctionName"])
        hidden_s = queues_of(template)[text(mapping["EventSourceArn"])]["VisibilityTimeout"]
        assert function["Timeout"] + 5 == hidden_s


def test_what_a_killed_function_left_undone_is_done_again_in_time(template: Template) -> None:
    hidden_s = {
        function.verb: queues_of(template)[text(mapping_of(template, function.verb)["EventSourceArn"])][
            "VisibilityTimeout"
        ]
        for function in registry.CONSUMERS
        if any("sqs:ReceiveMessage" in grant.actions for grant in function.grants)
    }
    assert hidden_s == {
        "poll_provider": 180,
        "poll_simulated": 65,
        "close_execution": 20,
        "fan_out_event": 30,
        "deliver_webhook": 30,
        "retry_webhook": 30,
    }


def test_an_attempt_begun_last_ends_before_its_function_and_its_slot_do(template: Template) -> None:
    for verb in ("deliver_webhook", "retry_webhook"):
        timeout_ms = template.function(verb)["Timeout"] * 1000
        assert WALL_CLOCK_SECONDS * 1000 < LAST_ORDER_MS < timeout_ms < LEASE_MS
        assert 1000 * (timeout_ms // 1000 + 5) >= LEASE_MS, "its slot is free when the order comes back"


def test_only_the_messages_that_failed_are_delivered_again(template: Template) -> None:
    polls, deliveries = template.stage.poll_concurrency_max, template.stage.delivery_concurrency_max
    for verb, concurrency, batch in (
        ("poll_provider", polls, 1),
        ("poll_simulated", template.stage.simulated_concurrency_max, 1),
        ("close_execution", 2, 5),
        ("fan_out_event", deliveries, 10),
        ("deliver_webhook", deliveries, 10),
        ("retry_webhook", deliveries, 10),
    ):
        mapping = mapping_of(template, verb)
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["BatchSize"] == batch
        assert mapping["ScalingConfig"] == {"MaximumConcurrency": concurrency}


def test_every_rule_retries_and_has_dead_letters(template: Template) -> None:
    rules = template.properties("AWS::Events::Rule")
    assert len(rules) == 4
    for rule in rules:
        for target in rule["Targets"]:
            assert text(target["DeadLetterConfig"]["Arn"]) == "<QueuesAsyncFailures.Arn>"


def test_schedules_invoke_the_sweeper_and_the_audit(template: Template) -> None:
    schedules = {
        rule["ScheduleExpression"]: [text(target["Arn"]) for target in rule["Targets"]]
        for rule in template.properties("AWS::Events::Rule")
        if "ScheduleExpression" in rule
    }
    assert schedules == {
        "rate(1 minute)": [template.called("SweepJobs")],
        "rate(1 hour)": [template.called("AuditLedger")],
    }


def test_a_scheduled_function_that_fails_leaves_a_dead_letter(template: Template) -> None:
    failures = {
        text(config["FunctionName"]): text(config["DestinationConfig"]["OnFailure"]["Destination"])
        for config in template.properties("AWS::Lambda::EventInvokeConfig")
    }
    assert failures == {
        "<FunctionsSweepJobs>": "<QueuesAsyncFailures.Arn>",
        "<FunctionsAuditLedger>": "<QueuesAsyncFailures.Arn>",
    }


def test_executions_that_end_without_success_reach_their_queue(template: Template) -> None:
    rule = rule_into(template, "<QueuesClosedExecutions.Arn>")
    pattern = rule["EventPattern"]
    assert "EventBusName" not in rule  # the default bus, where AWS services tell what happens
    assert pattern["source"] == ["aws.states"]
    assert pattern["detail-type"] == ["Step Functions Execution Status Change"]
    assert pattern["detail"]["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]
    machines = [text(arn) for arn in pattern["detail"]["stateMachineArn"]]
    assert machines == ["<WorkflowGenerate>", "<WorkflowGenerateBatch>", "<WorkflowRenderVideo>"]


def test_every_event_that_can_be_subscribed_to_reaches_its_queue(template: Template) -> None:
    rule = rule_into(template, "<QueuesWebhookEvents.Arn>")
    assert text(rule["EventBusName"]) == "<Bus>"
    assert rule["EventPattern"] == {"source": ["shoal"], "detail-type": list(EVENT_TYPES)}


def test_every_event_comes_into_its_queue_as_its_own_tenant(template: Template) -> None:
    groups = {
        text(target["Arn"]): target["SqsParameters"]["MessageGroupId"]
        for rule in template.properties("AWS::Events::Rule")
        for target in rule["Targets"]
        if text(target["Arn"]).startswith("<Queues")
    }
    assert groups == {
        "<QueuesClosedExecutions.Arn>": "$.detail.name",
        "<QueuesWebhookEvents.Arn>": "$.detail.account_id",
    }


def test_late_retries_wait_in_a_group_whose_role_reaches_two_queues(dev: Template) -> None:
    assert dev.one("AWS::Scheduler::ScheduleGroup")["Name"] == "shoal-dev-retries"
    environment = dev.function("retry_webhook")["Environment"]["Variables"]
    assert environment["SHOAL_RETRY_SCHEDULE_GROUP"] == "shoal-dev-retries"
    assert environment["SHOAL_WEBHOOK_RETRY_S"] == "60,300,1800,7200,21600,86400"
    role = dev.role_of({"Role": environment["SHOAL_RETRY_SCHEDULE_ROLE_ARN"]})
    assert allowed(role) == {
        ("sqs:SendMessage", "<QueuesRetries.Arn>"),
        ("sqs:SendMessage", "<QueuesAsyncFailures.Arn>"),
    }


def rule_into(template: Template, queue: str) -> dict[str, Any]:
    """The rule whose one target is the queue."""
    (found,) = [
        rule
        for rule in template.properties("AWS::Events::Rule")
        if [text(target["Arn"]) for target in rule["Targets"]] == [queue]
    ]
    return found


def test_the_bus_keeps_every_event_of_shoal_for_a_replay(template: Template) -> None:
    assert template.one("AWS::Events::EventBus")["Name"] == template.stage.prefix
    archive = template.one("AWS::Events::Archive")
    assert text(archive["SourceArn"]) == "<Bus.Arn>"
    assert archive["EventPattern"] == {"source": ["shoal"]}
    assert archive["RetentionDays"] == template.stage.archive_days
