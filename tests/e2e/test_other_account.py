"""A second AWS account has a rule on the stage's bus, once the stage's file names it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.constructs.bus import MANAGE_RULES
from infra.local import aws
from tests.support.deployed import Deployed, eventually

OTHER = "111122223333"
PATTERN = json.dumps({"source": ["shoal"], "detail-type": ["job.completed"]})


def of_other_account(deployed: Deployed, service: str) -> Any:
    """A client of the second account: an account's number, with the run's secret, is its key here."""
    endpoint = deployed.cloud.endpoint
    keys = aws.Credentials(OTHER, endpoint.credentials.secret_access_key)
    return aws.Endpoint(endpoint.url, keys).client(service)


def test_a_rule_of_another_account_fires_once_the_bus_admits_it(deployed: Deployed) -> None:
    bus, queues = deployed.cloud.outputs["EventBusArn"], of_other_account(deployed, "sqs")
    queue = queues.create_queue(QueueName="from-shoal")["QueueUrl"]
    asked = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    target = {"Id": "queue", "Arn": asked["Attributes"]["QueueArn"]}
    assert f":{OTHER}:" in target["Arn"]
    theirs = of_other_account(deployed, "events")
    with pytest.raises(ClientError, match="AccessDenied"):
        theirs.put_rule(Name="theirs", EventBusName=bus, EventPattern=PATTERN)

    admit(deployed, bus)
    theirs.put_rule(Name="theirs", EventBusName=bus, EventPattern=PATTERN)
    theirs.put_targets(Rule="theirs", EventBusName=bus, Targets=[target])
    customer = deployed.customer()
    customer.client.wait(job_id := customer.client.submit("A shark"))

    def told() -> bool:
        messages = queues.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        return job_id in {json.loads(each["Body"])["detail"]["data"]["job_id"] for each in messages}

    eventually(told)
    theirs.remove_targets(Rule="theirs", EventBusName=bus, Ids=["queue"])
    theirs.delete_rule(Name="theirs", EventBusName=bus)


def admit(deployed: Deployed, bus: str) -> None:
    """The policy that a stage with `bus_accounts` has: tests/infra/test_bus.py holds the template to it."""
    statement = {
        "Sid": "Accounts",
        "Effect": "Allow",
        "Principal": {"AWS": [OTHER]},
        "Action": [f"events:{action}" for action in MANAGE_RULES],
        "Resource": bus.replace(":event-bus/", ":rule/") + "/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    name = deployed.cloud.outputs["EventBusName"]
    deployed.cloud.client("events").put_permission(EventBusName=name, Policy=policy)
