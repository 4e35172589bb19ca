"""What the consumers rely on: MiniStack has batches, dead letters and groups, the latter with a patch."""

import json
from typing import Any

from tests.local_cloud.lab import ROLE, Lab, eventually

FAILS_SOME = """
def handler(event, context):
    failed = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
    return {"batchItemFailures": [{"itemIdentifier": item} for item in failed]}
"""
RAISES = "def handler(event, context): raise ValueError('no')"


def queue(lab: Lab, name: str, **attributes: str) -> tuple[str, str]:
    """A new queue's URL and ARN."""
    sqs = lab.endpoint.client("sqs")
    url: str = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["QueueArn"]


def body(lab: Lab, url: str) -> str | None:
    """The body of the queue's next message, or None."""
    messages = lab.endpoint.client("sqs").receive_message(QueueUrl=url).get("Messages", [])
    return messages[0]["Body"] if messages else None


def test_only_the_failed_messages_of_a_batch_are_delivered_again_and_end_as_dead_letters(lab: Lab) -> None:
    dead, dead_arn = queue(lab, "partial-dead")
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2})
    source, source_arn = queue(lab, "partial", VisibilityTimeout="1", RedrivePolicy=redrive)
    lab.endpoint.client("lambda").create_event_source_mapping(
        EventSourceArn=source_arn,
        FunctionName=lab.function(FAILS_SOME, timeout_seconds=1),
        BatchSize=5,
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )

    lab.endpoint.client("sqs").send_message_batch(
        QueueUrl=source,
        Entries=[{"Id": text, "MessageBody": text} for text in ("good", "bad")],
    )

    assert eventually(lambda: body(lab, dead)) == "bad"
    assert body(lab, source) is None
    assert body(lab, dead) is None


def test_an_asynchronous_invocation_that_fails_reaches_its_destination(lab: Lab) -> None:
    failed, failed_arn = queue(lab, "async-failed")
    function = lab.function(RAISES)
    lambdas = lab.endpoint.client("lambda")
    lambdas.put_function_event_invoke_config(
        FunctionName=function,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": failed_arn}},
    )

    lambdas.invoke(FunctionName=function, InvocationType="Event", Payload=b'{"run": 1}')

    record: dict[str, Any] = json.loads(eventually(lambda: body(lab, failed)))
    assert record["requestPayload"] == {"run": 1}
    assert record["responsePayload"]["errorType"] == "ValueError"


def groups(lab: Lab, url: str) -> list[str | None]:
    """Of the queue's next message: its group."""
    messages = lab.endpoint.client("sqs").receive_message(
        QueueUrl=url, MessageSystemAttributeNames=["MessageGroupId"]
    )
    return [each.get("Attributes", {}).get("MessageGroupId") for each in messages.get("Messages", [])]


def test_a_message_in_a_standard_queue_keeps_its_group(lab: Lab) -> None:
    url, _ = queue(lab, "grouped")

    lab.endpoint.client("sqs").send_message(QueueUrl=url, MessageBody="a", MessageGroupId="acc_1")

    assert groups(lab, url) == ["acc_1"]


def test_an_event_comes_into_a_standard_queue_in_the_group_that_its_rule_reads_from_it(lab: Lab) -> None:
    url, arn = queue(lab, "grouped-events")
    events = lab.endpoint.client("events")
    events.put_rule(Name="grouped", EventPattern=json.dumps({"source": ["lab"]}))
    target = {"Id": "queue", "Arn": arn, "SqsParameters": {"MessageGroupId": "$.detail.account_id"}}
    events.put_targets(Rule="grouped", Targets=[target])

    detail = json.dumps({"account_id": "acc_1"})
    events.put_events(Entries=[{"Source": "lab", "DetailType": "made", "Detail": detail}])

    assert eventually(lambda: groups(lab, url) or None) == ["acc_1"]


def test_a_schedule_sends_a_message_by_calling_sqs(lab: Lab) -> None:
    url, _ = queue(lab, "grouped-schedule")
    message = {"QueueUrl": url, "MessageBody": "later", "MessageGroupId": "acc_1"}
    lab.endpoint.client("scheduler").create_schedule(
        Name="grouped",
        ScheduleExpression="at(2020-01-01T00:00:00)",
        FlexibleTimeWindow={"Mode": "OFF"},
        ActionAfterCompletion="DELETE",
        Target={
            "Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage",
            "RoleArn": ROLE,
            "Input": json.dumps(message),
        },
    )

    assert eventually(lambda: groups(lab, url) or None) == ["acc_1"]
