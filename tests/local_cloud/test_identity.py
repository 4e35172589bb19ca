"""The patches of IAM, in a cloud that enforces it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.constructs.service_role import item_conditions
from infra.local.aws import Endpoint
from infra.local.cloud import bare_cloud
from tests.local_cloud.lab import ROLE, Lab, token_task

ANSWERS = """
import boto3
def handler(event, context):
    boto3.client("stepfunctions").send_task_success(taskToken=event["token"], output='"done"')
"""
SENDS_BATCH = """
import boto3
def handler(event, context):
    entries = [{"Id": "1", "MessageBody": "x"}]
    return len(boto3.client("sqs").send_message_batch(QueueUrl=event["url"], Entries=entries)["Successful"])
"""
SCHEDULES = """
import boto3
def handler(event, context):
    boto3.client("scheduler").create_schedule(
        Name="later",
        GroupName=event["group"],
        ScheduleExpression="at(2099-01-01T00:00:00)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": event["queue"], "RoleArn": event["role"]},
    )
"""
WRITES = """
import boto3
def handler(event, context):
    client = boto3.client("dynamodb")
    getattr(client, event.pop("call"))(**event)
"""
READS = """
import boto3
def handler(event, context):
    return boto3.client("s3").get_object(Bucket=event["bucket"], Key="key")["Body"].read().decode()
"""


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab in a bare cloud that enforces IAM."""
    with bare_cloud(tmp_path_factory.mktemp("guarded"), enforce_iam=True) as endpoint:
        endpoint.client("iam").create_role(RoleName=ROLE.rpartition("/")[2], AssumeRolePolicyDocument="{}")
        yield Lab(endpoint)


def role(endpoint: Endpoint, name: str, action: str, resource: str, **condition: Any) -> str:
    """A role that allows one action on one resource, under a condition; returns its ARN."""
    iam = endpoint.client("iam")
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, "Condition": condition}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=name, PolicyName="only", PolicyDocument=policy)
    return arn


def answered(guarded: Lab, name: str, *, allowed_machine: str) -> dict[str, Any]:
    """How an execution of the machine `name` ends whose function may answer for `allowed_machine`."""
    machines = f"arn:aws:states:us-east-1:000000000000:stateMachine:{allowed_machine}"
    only = role(guarded.endpoint, name, "states:SendTaskSuccess", machines)
    state = token_task(guarded.function(ANSWERS, role=only), {})
    return guarded.end(guarded.start(guarded.machine({"Work": state}, name=name)))


def test_an_answer_to_a_token_is_authorized_on_its_machine(guarded: Lab) -> None:
    assert answered(guarded, "mine", allowed_machine="mine")["output"] == "done"

    refused = answered(guarded, "other", allowed_machine="mine")
    assert refused["status"] == "FAILED"
    assert "not authorized to perform: states:SendTaskSuccess" in refused["cause"]


def test_a_batch_of_messages_is_authorized_by_the_action_of_one(guarded: Lab) -> None:
    url = guarded.endpoint.client("sqs").create_queue(QueueName="batched")["QueueUrl"]
    sender = role(guarded.endpoint, "sender", "sqs:SendMessage", "arn:aws:sqs:us-east-1:000000000000:batched")

    answer = guarded.invoke(guarded.function(SENDS_BATCH, role=sender), {"url": url})

    assert answer == {"error": None, "body": 1}


def test_a_schedule_is_authorized_in_its_group(guarded: Lab) -> None:
    schedules = guarded.endpoint.client("scheduler")
    arn = "arn:aws:scheduler:us-east-1:000000000000:schedule/mine/*"
    planner = guarded.function(
        SCHEDULES, role=role(guarded.endpoint, "planner", "scheduler:CreateSchedule", arn)
    )
    target = {"queue": "arn:aws:sqs:us-east-1:000000000000:later", "role": ROLE}
    errors = {}
    for group in ("mine", "other"):
        schedules.create_schedule_group(Name=group)
        errors[group] = guarded.invoke(planner, {"group": group, **target})["error"]

    assert errors == {"mine": None, "other": "Unhandled"}


def test_a_bucket_that_demands_tls_can_be_read(guarded: Lab) -> None:
    s3 = guarded.endpoint.client("s3")
    s3.create_bucket(Bucket="tls-only")
    s3.put_object(Bucket="tls-only", Key="key", Body=b"content")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::tls-only", "arn:aws:s3:::tls-only/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(Bucket="tls-only", Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    reader = role(guarded.endpoint, "reader", "s3:GetObject", "arn:aws:s3:::tls-only/*")

    answer = guarded.invoke(guarded.function(READS, role=reader), {"bucket": "tls-only"})

    assert answer == {"error": None, "body": "content"}


@pytest.fixture(scope="module")
def counts(guarded: Lab) -> str:
    """A function that may update `count` of items `KEY#*` if that is `open`, and nothing else; its ARN."""
    guarded.endpoint.client("dynamodb").create_table(
        TableName="kept",
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    condition = item_conditions(["KEY#*"], ["pk", "sk", "count", "open"])
    arn = "arn:aws:dynamodb:us-east-1:000000000000:table/kept"
    only = role(guarded.endpoint, "counter", "dynamodb:UpdateItem", arn, **condition or {})
    return guarded.function(WRITES, role=only)


def key_of(partition: str) -> dict[str, Any]:
    return {"pk": {"S": partition}, "sk": {"S": "KEY"}}


def update_of(expression: str, partition: str = "KEY#1", **more: Any) -> dict[str, Any]:
    """An update that sets `:v` to one."""
    return {
        "TableName": "kept",
        "Key": key_of(partition),
        "UpdateExpression": expression,
        "ExpressionAttributeValues": {":v": {"N": "1"}},
        **more,
    }


ALLOWED = [
    update_of("SET #c = :v", ExpressionAttributeNames={"#c": "count"}),
    update_of(
        "ADD #c :v",
        ConditionExpression="attribute_not_exists(#o) AND NOT contains(sk, :v)",
        ExpressionAttributeNames={"#c": "count", "#o": "open"},
        ReturnValues="ALL_NEW",
    ),
]
REFUSED = [
    update_of("SET owner = :v"),
    update_of("SET #c = if_not_exists(owner, :v)", ExpressionAttributeNames={"#c": "count"}),
    update_of(
        "SET #c = :v",
        ConditionExpression="owner.name = :v",
        ExpressionAttributeNames={"#c": "count"},
    ),
    update_of("SET #c = :v", "WALLET#1", ExpressionAttributeNames={"#c": "count"}),
]


@pytest.mark.parametrize("update", ALLOWED)
def test_an_update_may_name_the_attributes_of_its_role(
    guarded: Lab, counts: str, update: dict[str, Any]
) -> None:
    assert guarded.invoke(counts, {"call": "update_item", **update}) == {"error": None, "body": None}
    whole = {"call": "transact_write_items", "TransactItems": [{"Update": transacted(update)}]}
    assert guarded.invoke(counts, whole) == {"error": None, "body": None}


@pytest.mark.parametrize("update", REFUSED)
def test_an_update_may_name_no_other_attribute_and_no_other_item(
    guarded: Lab, counts: str, update: dict[str, Any]
) -> None:
    alone = guarded.invoke(counts, {"call": "update_item", **update})
    # A part that is allowed carries none that is not.
    parts = [{"Update": transacted(each)} for each in (ALLOWED[0], update)]
    within = guarded.invoke(counts, {"call": "transact_write_items", "TransactItems": parts})

    for answer in (alone, within):
        assert "AccessDenied" in answer["body"]["errorMessage"]


def transacted(update: dict[str, Any]) -> dict[str, Any]:
    """The same update as a part of a transaction, which answers no values."""
    return {name: value for name, value in update.items() if name != "ReturnValues"}
