"""What a walk receives: its webhooks and the bus's events, in one queue that is made for it and removed.

A webhook needs an address that the stage can reach, and a real stage reaches no laptop. So a stack of its own
stands beside the stage's while the walk lasts: an HTTP API hands each request to a function, which puts it
into a queue; a rule of the stage's bus puts events there too.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Message = Mapping[str, Any]
Json = dict[str, Any]
Resources = dict[str, tuple[str, Json]]
"""Type and properties, by logical id."""

RECEIVE_SECONDS = 5
STACK_SECONDS = 2
STACK_TRIES = 150
KEPT_SECONDS = 3600
HANDLER = """
import json, os, boto3

queue = boto3.client("sqs")

def handle(event, context):
    body = {name: event.get(name) for name in ("headers", "body", "isBase64Encoded")}
    queue.send_message(QueueUrl=os.environ["INBOX"], MessageBody=json.dumps(body))
    return {"statusCode": 204}
"""
"""It verifies nothing: who walks does, with what the customer was told."""
SEND: Json = {"Action": "sqs:SendMessage", "Resource": {"Fn::GetAtt": ["Queue", "Arn"]}}


@dataclass
class Inbox:
    """The queue, and the address whose requests end in it."""

    sqs: Any
    queue_url: str
    address: str
    _seen: list[Message] = field(default_factory=list)

    def wait_for(self, is_it: Callable[[Message], bool], *, seconds_max: float) -> Message:
        """The first message that is it, whenever it came. Raises `TimeoutError`."""
        deadline = time.monotonic() + seconds_max
        looked = 0
        while True:
            for message in self._seen[looked:]:
                if is_it(message):
                    return message
            looked = len(self._seen)
            if time.monotonic() > deadline:
                raise TimeoutError(f"not received within {seconds_max:.0f} s, {looked} other messages were")
            self._seen += self._received()

    def _received(self) -> Iterator[Message]:
        got = self.sqs.receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=RECEIVE_SECONDS
        )
        for message in got.get("Messages", []):
            self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
            yield json.loads(message["Body"])


def request_of(message: Message) -> tuple[Mapping[str, str], bytes]:
    """Headers and body of a webhook's request."""
    body = message["body"] or ""
    return message["headers"], base64.b64decode(body) if message["isBase64Encoded"] else body.encode()


@contextmanager
def inbox(client: Callable[..., Any], *, stage: str, bus: str, endpoint_url: str | None) -> Iterator[Inbox]:
    """Make the stack, and remove it whatever happens. `endpoint_url` is that of the local cloud, on it."""
    cloudformation, name = client("cloudformation"), f"shoal-{stage}-smoke"
    wait = {"Delay": STACK_SECONDS, "MaxAttempts": STACK_TRIES}
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=json.dumps(template(name, bus)),
        Capabilities=["CAPABILITY_IAM"],
        # What could not be made is removed below, with its events still to be read.
        OnFailure="DO_NOTHING",
    )
    try:
        cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=wait)
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
        made = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
        root = (
            f"{endpoint_url}/_aws/execute-api/{made['ApiId']}/$default"
            if endpoint_url
            else f"https://{made['ApiId']}.{made['Gateway']}"
        )
        yield Inbox(client("sqs"), made["QueueUrl"], f"{root}/hook")
    finally:
        cloudformation.delete_stack(StackName=name)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=wait)


def template(name: str, bus: str) -> dict[str, Any]:
    """The stack, small enough for CloudFormation to take it without a bucket."""
    resources = {**_queue(bus), **_function(name), **_api(name)}
    return {
        "Description": "Shoal: what a walk over the stage receives. It may be deleted at any time.",
        "Resources": {id_: {"Type": type_, "Properties": has} for id_, (type_, has) in resources.items()},
        "Outputs": {
            "QueueUrl": {"Value": {"Ref": "Queue"}},
            "ApiId": {"Value": {"Ref": "Api"}},
            "Gateway": {"Value": {"Fn::Sub": "execute-api.${AWS::Region}.${AWS::URLSuffix}"}},
        },
    }


def _queue(bus: str) -> Resources:
    """Where all ends that is received, and the rule that sends the bus's events there."""
    from_the_rule = {"ArnEquals": {"aws:SourceArn": _arn("Events")}}
    return {
        "Queue": ("AWS::SQS::Queue", {"MessageRetentionPeriod": KEPT_SECONDS, "SqsManagedSseEnabled": True}),
        "Events": (
            "AWS::Events::Rule",
            {
                "EventBusName": bus,
                "EventPattern": {"source": ["shoal"]},
                "Targets": [{"Id": "queue", "Arn": _arn("Queue")}],
            },
        ),
        "EventsMaySend": (
            "AWS::SQS::QueuePolicy",
            {
                "Queues": [{"Ref": "Queue"}],
                "PolicyDocument": _policy(_allow("events.amazonaws.com", **SEND, Condition=from_the_rule)),
            },
        ),
    }


def _function(name: str) -> Resources:
    """What takes webhooks, its role and its log: by itself Lambda would make that, and leave it behind."""
    logs = "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    return {
        "Role": (
            "AWS::IAM::Role",
            {
                "AssumeRolePolicyDocument": _policy(_allow("lambda.amazonaws.com", Action="sts:AssumeRole")),
                "ManagedPolicyArns": [{"Fn::Sub": logs}],
                "Policies": [{"PolicyName": "send", "PolicyDocument": _policy({"Effect": "Allow", **SEND})}],
            },
        ),
        "Log": ("AWS::Logs::LogGroup", {"LogGroupName": f"/aws/lambda/{name}", "RetentionInDays": 1}),
        "Receive": (
            "AWS::Lambda::Function",
            {
                "FunctionName": name,
                "Runtime": "python3.13",
                "Architectures": ["arm64"],
                "Handler": "index.handle",
                "Timeout": 10,
                "Role": _arn("Role"),
                "Code": {"ZipFile": HANDLER},
                "LoggingConfig": {"LogGroup": {"Ref": "Log"}},
                "Environment": {"Variables": {"INBOX": {"Ref": "Queue"}}},
            },
        ),
    }


def _api(name: str) -> Resources:
    """The address of webhooks."""
    api = {"ApiId": {"Ref": "Api"}}
    integration = {"Fn::Join": ["/", ["integrations", {"Ref": "Integration"}]]}
    source = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*"
    return {
        "Api": ("AWS::ApiGatewayV2::Api", {"Name": name, "ProtocolType": "HTTP"}),
        "Integration": (
            "AWS::ApiGatewayV2::Integration",
            {
                **api,
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": _arn("Receive"),
                "PayloadFormatVersion": "2.0",
            },
        ),
        "Route": ("AWS::ApiGatewayV2::Route", {**api, "RouteKey": "POST /hook", "Target": integration}),
        "Stage": ("AWS::ApiGatewayV2::Stage", {**api, "StageName": "$default", "AutoDeploy": True}),
        "ApiMayCall": (
            "AWS::Lambda::Permission",
            {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": "Receive"},
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": {"Fn::Sub": source},
            },
        ),
    }


def _arn(resource: str) -> Json:
    return {"Fn::GetAtt": [resource, "Arn"]}


def _allow(principal: str, **more: Any) -> Json:
    return {"Effect": "Allow", "Principal": {"Service": principal}, **more}


def _policy(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}
