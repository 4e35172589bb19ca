"""What the consumers rely on, and MiniStack does without a patch."""

import json
from typing import Any

from tests.local_cloud.lab import Lab, eventually

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
