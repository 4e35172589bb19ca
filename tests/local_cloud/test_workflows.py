"""The patches of Step Functions, and what generate.asl.json relies on without one."""

import json
import time
from typing import Any

import pytest

from infra.local.patches.workflows import retry_delay
from tests.local_cloud.lab import Lab, eventually, task, token_task

ASKS = """
import json, boto3
class ProviderBusy(Exception): pass
class ContentRefused(Exception): pass
ERRORS = {error.__name__: error for error in (ProviderBusy, ContentRefused)}
def handler(event, context):
    token = event.get("token")
    if token and event.get("keep"):
        boto3.client("dynamodb").put_item(TableName=event["keep"], Item={"token": {"S": token}})
    if event.get("raise"): raise ERRORS[event["raise"]]("said no")
    if event.get("answer"):
        boto3.client("stepfunctions").send_task_success(taskToken=token, output=json.dumps(event["answer"]))
    return event
"""


def catch(error: str) -> dict[str, Any]:
    """A Catch that leads to `Caught` with error and cause."""
    output = {"error": "{% $states.errorOutput.Error %}", "cause": "{% $states.errorOutput.Cause %}"}
    return {"Catch": [{"ErrorEquals": [error], "Next": "Caught", "Output": output}]}


@pytest.fixture(scope="session")
def tokens(endpoint: Any) -> str:
    """A table into which functions write the tokens they get."""
    endpoint.client("dynamodb").create_table(
        TableName="tokens",
        KeySchema=[{"AttributeName": "token", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "token", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return "tokens"


def kept(lab: Lab, table: str) -> set[str]:
    """The tokens that functions were given."""
    return {item["token"]["S"] for item in lab.endpoint.client("dynamodb").scan(TableName=table)["Items"]}


def test_a_catch_matches_the_class_of_the_exception(lab: Lab) -> None:
    function = lab.function(ASKS)
    states = {"Work": task(function, {"raise": "ContentRefused"}, **catch("ContentRefused"))}

    ended = lab.run({**states, "Caught": {"Type": "Succeed"}})

    assert ended["status"] == "SUCCEEDED"
    assert ended["output"]["error"] == "ContentRefused"
    assert json.loads(ended["output"]["cause"])["errorMessage"] == "said no"


def test_a_function_that_fails_fails_its_waiting_task_at_once(lab: Lab) -> None:
    states = {"Work": token_task(lab.function(ASKS), {"raise": "ContentRefused"}, **catch("ContentRefused"))}

    started = time.monotonic()
    ended = lab.run({**states, "Caught": {"Type": "Succeed"}})

    assert ended["output"]["error"] == "ContentRefused"
    assert time.monotonic() - started < 15, "the task waited for its time-out"


def test_every_attempt_has_a_token_of_its_own(lab: Lab, tokens: str) -> None:
    before = kept(lab, tokens)
    retry = [{"ErrorEquals": ["ProviderBusy"], "MaxAttempts": 2, "IntervalSeconds": 1, "MaxDelaySeconds": 1}]
    payload = {"raise": "ProviderBusy", "keep": tokens}

    ended = lab.run({"Work": token_task(lab.function(ASKS), payload, Retry=retry)})

    assert ended["status"] == "FAILED"
    assert ended["error"] == "ProviderBusy"
    assert len(kept(lab, tokens) - before) == 3


def test_an_answer_from_inside_the_function_ends_the_task(lab: Lab) -> None:
    state = token_task(lab.function(ASKS), {"answer": {"outputs": 1}}, Output="{% $states.result.outputs %}")

    assert lab.run({"Work": state})["output"] == 1


def test_only_the_first_answer_to_a_token_counts(lab: Lab, tokens: str) -> None:
    before = kept(lab, tokens)
    execution = lab.start(lab.machine({"Work": token_task(lab.function(ASKS), {"keep": tokens})}))
    token = eventually(lambda: next(iter(kept(lab, tokens) - before), None))
    states = lab.endpoint.client("stepfunctions")

    states.send_task_success(taskToken=token, output='"first"')
    with pytest.raises((states.exceptions.TaskDoesNotExist, states.exceptions.TaskTimedOut)):
        states.send_task_failure(taskToken=token, error="Second")

    assert lab.end(execution)["output"] == "first"


def test_the_time_out_runs_from_the_start_of_the_task(lab: Lab) -> None:
    slow = lab.function("import time\ndef handler(event, context): time.sleep(6)")
    states = {"Work": token_task(slow, {}, TimeoutSeconds=2, **catch("States.Timeout"))}

    started = time.monotonic()
    ended = lab.run({**states, "Caught": {"Type": "Succeed"}})

    assert ended["output"]["error"] == "States.Timeout"
    assert time.monotonic() - started < 5


def test_a_stopped_execution_makes_no_further_attempt(lab: Lab, tokens: str) -> None:
    before = kept(lab, tokens)
    retry = [{"ErrorEquals": ["ProviderBusy"], "MaxAttempts": 2, "IntervalSeconds": 2}]
    payload = {"raise": "ProviderBusy", "keep": tokens}
    execution = lab.start(lab.machine({"Work": token_task(lab.function(ASKS), payload, Retry=retry)}))
    eventually(lambda: kept(lab, tokens) - before or None)

    lab.endpoint.client("stepfunctions").stop_execution(executionArn=execution)
    time.sleep(3)  # that nothing happens can't be awaited

    assert len(kept(lab, tokens) - before) == 1
    assert lab.end(execution)["status"] == "ABORTED"


def test_the_longest_pause_before_a_retry_is_kept(lab: Lab) -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2, "IntervalSeconds": 20, "MaxDelaySeconds": 1}]

    started = time.monotonic()
    ended = lab.run({"Work": task(lab.function(ASKS), {"raise": "ProviderBusy"}, Retry=retry)})

    assert ended["error"] == "ProviderBusy"
    assert 2 < time.monotonic() - started < 15


def test_full_jitter_draws_the_pause_from_zero_to_it() -> None:
    retrier = {"IntervalSeconds": 2, "BackoffRate": 3.0, "MaxDelaySeconds": 10, "JitterStrategy": "FULL"}

    delays = [retry_delay(retrier, attempts) for attempts in (0, 1, 2) for _ in range(200)]

    assert all(0 <= delay <= 10 for delay in delays)
    assert max(delays[:200]) <= 2 < max(delays[200:400]) <= 6 < max(delays[400:])
    assert len(set(delays)) > 500


def test_tasks_put_events_and_update_items(lab: Lab, tokens: str) -> None:
    queue, rule = watched_bus(lab)
    publish = {
        "Type": "Task",
        "Resource": "arn:aws:states:::events:putEvents",
        "Arguments": {
            "Entries": [
                {
                    "EventBusName": rule,
                    "Source": "lab",
                    "DetailType": "job.completed",
                    "Detail": {"job": "{% $states.input.job %}"},
                }
            ]
        },
        "Output": "{% $states.input %}",
        "Next": "Update",
    }
    update = {
        "Type": "Task",
        "Resource": "arn:aws:states:::dynamodb:updateItem",
        "Arguments": {
            "TableName": tokens,
            "Key": {"token": {"S": "{% $states.input.job %}"}},
            "UpdateExpression": "SET seen = :seen",
            "ConditionExpression": "attribute_not_exists(seen)",
            "ExpressionAttributeValues": {":seen": {"BOOL": True}},
        },
        "End": True,
    }
    machine = lab.machine({"Work": publish, "Update": update})

    first, second = (lab.end(lab.start(machine, {"job": "job_1"})) for _ in range(2))

    assert first["status"] == "SUCCEEDED"
    assert second["error"] == "DynamoDB.ConditionalCheckFailedException"
    event = eventually(lambda: received(lab, queue))
    assert (event["source"], event["detail-type"]) == ("lab", "job.completed")
    assert event["detail"] == {"job": "job_1"}


def test_the_end_of_an_execution_is_announced_on_the_default_bus(lab: Lab) -> None:
    machine = lab.machine({"Work": {"Type": "Fail", "Error": "Broken", "Cause": "on purpose"}})
    pattern = {"source": ["aws.states"], "detail": {"status": ["FAILED"], "stateMachineArn": [machine]}}
    queue = watching_queue(lab, "default", pattern)

    execution = lab.start(machine)

    event = eventually(lambda: received(lab, queue))
    assert event["detail-type"] == "Step Functions Execution Status Change"
    assert event["detail"]["executionArn"] == execution
    assert event["detail"]["error"] == "Broken"


def test_a_task_fails_when_the_bus_refuses_one_of_its_events(lab: Lab) -> None:
    entries: list[dict[str, Any]] = [
        {"Source": source, "DetailType": "job.completed", "Detail": {}} for source in ("lab", "aws.lab")
    ]
    publish = {
        "Type": "Task",
        "Resource": "arn:aws:states:::events:putEvents",
        "Arguments": {"Entries": entries},
        "End": True,
    }

    assert lab.run({"Work": publish})["error"] == "EventBridge.FailedEntry"


def test_stopping_an_execution_that_has_ended_changes_nothing(lab: Lab) -> None:
    execution = lab.start(lab.machine({"Work": {"Type": "Succeed"}}))
    ended = lab.end(execution)

    stopped = lab.endpoint.client("stepfunctions").stop_execution(executionArn=execution)

    assert stopped["stopDate"] == ended["stopDate"]
    assert lab.end(execution)["status"] == "SUCCEEDED"


def watched_bus(lab: Lab) -> tuple[str, str]:
    """A queue that gets every event of a new bus, and the bus."""
    lab.endpoint.client("events").create_event_bus(Name="lab-bus")
    return watching_queue(lab, "lab-bus", {"source": ["lab"]}), "lab-bus"


def watching_queue(lab: Lab, bus: str, pattern: dict[str, Any]) -> str:
    """The URL of a new queue that gets the events of the bus which match the pattern."""
    sqs, events = lab.endpoint.client("sqs"), lab.endpoint.client("events")
    name = f"watch-{bus}"
    url: str = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
    return url


def received(lab: Lab, queue: str) -> dict[str, Any] | None:
    """The next event in the queue, or None."""
    messages = lab.endpoint.client("sqs").receive_message(QueueUrl=queue).get("Messages", [])
    return json.loads(messages[0]["Body"]) if messages else None
