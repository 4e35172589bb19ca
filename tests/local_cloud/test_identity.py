"""The patches of IAM, in a cloud that enforces it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

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


def role(endpoint: Endpoint, name: str, action: str, resource: str) -> str:
    """A role that allows one action on one resource; returns its ARN."""
    iam = endpoint.client("iam")
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
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
