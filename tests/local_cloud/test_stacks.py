"""The patches of CloudFormation."""

import json
from typing import Any

from tests.local_cloud.lab import Lab

POLL = {"Delay": 1, "MaxAttempts": 30}


def deploy(lab: Lab, name: str, action: str, resources: dict[str, Any], output: Any) -> str:
    """Create or update a stack; returns the value of its only output."""
    stacks = lab.endpoint.client("cloudformation")
    template = {"Resources": resources, "Outputs": {"Output": {"Value": output}}}
    getattr(stacks, f"{action}_stack")(StackName=name, TemplateBody=json.dumps(template))
    stacks.get_waiter(f"stack_{action}_complete").wait(StackName=name, WaiterConfig=POLL)
    outputs = stacks.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    return str(outputs[0]["OutputValue"])


def delete(lab: Lab, name: str) -> None:
    """Delete a stack."""
    stacks = lab.endpoint.client("cloudformation")
    stacks.delete_stack(StackName=name)
    stacks.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=POLL)


def archive(days: int) -> dict[str, Any]:
    """A bus with an archive."""
    properties = {
        "ArchiveName": "kept",
        "SourceArn": {"Fn::GetAtt": ["Bus", "Arn"]},
        "EventPattern": {"source": ["shoal"]},
        "RetentionDays": days,
    }
    return {
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "archived"}},
        "Archive": {"Type": "AWS::Events::Archive", "Properties": properties},
    }


def secret(description: str) -> dict[str, Any]:
    """A generated secret."""
    properties = {"Description": description, "GenerateSecretString": {"PasswordLength": 64}}
    return {"Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": properties}}


def test_an_archive_is_created_changed_and_deleted(lab: Lab) -> None:
    events = lab.endpoint.client("events")
    arn = {"Fn::GetAtt": ["Archive", "Arn"]}

    output = deploy(lab, "archives", "create", archive(days=1), arn)
    created = events.describe_archive(ArchiveName="kept")
    assert output == created["ArchiveArn"]
    assert created["EventSourceArn"].endswith("event-bus/archived")
    assert json.loads(created["EventPattern"]) == {"source": ["shoal"]}

    deploy(lab, "archives", "update", archive(days=7), arn)
    assert events.describe_archive(ArchiveName="kept")["RetentionDays"] == 7

    delete(lab, "archives")
    assert not events.list_archives(NamePrefix="kept")["Archives"]


def test_a_secret_is_referred_to_by_its_arn(lab: Lab) -> None:
    secrets = lab.endpoint.client("secretsmanager")

    arn = deploy(lab, "secrets", "create", secret("one"), {"Ref": "Secret"})
    created = secrets.get_secret_value(SecretId=arn)
    assert created["ARN"] == arn
    assert len(created["SecretString"]) == 64

    assert deploy(lab, "secrets", "update", secret("two"), {"Ref": "Secret"}) == arn
    assert secrets.describe_secret(SecretId=arn)["Description"] == "two"
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == created["SecretString"]

    delete(lab, "secrets")
    assert arn not in [each["ARN"] for each in secrets.list_secrets()["SecretList"]]
