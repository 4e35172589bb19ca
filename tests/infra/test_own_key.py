"""A stage that names a key of KMS keeps everything under it, and uses it through its services alone."""

from __future__ import annotations

import fnmatch
import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]

from infra.constructs.own_key import USES
from infra.paths import ROOT
from infra.stage import InvalidStage, stage_of
from tests.infra.stages import PROD
from tests.infra.template import Template, listed, statements, synthesized, text

KEY = "arn:aws:kms:eu-west-1:123456789012:key/12345678-1234-1234-1234-123456789012"
ACCOUNT = {"<AWS::Partition>": "aws", "<AWS::Region>": "eu-west-1", "<AWS::AccountId>": "123456789012"}
SETTINGS = ("kms", "encrypt", "sse")
"""Words in the names of properties by which CloudFormation takes a key."""
ELSEWHERE = {
    ("AWS::Events::EventBus", "KmsKeyIdentifier"): "An event that it could not seal would be lost.",
    ("AWS::Lambda::EventSourceMapping", "KmsKeyArn"): "It seals filters, and there are none.",
    ("AWS::Lambda::Function", "KmsKeyArn"): "It seals environments, which hold no secret.",
    ("AWS::StepFunctions::StateMachine", "EncryptionConfiguration"): "Events would lack the input.",
}
"""What takes a key and has none, and why; docs/how-to/deploy.md says so, too."""
SERVICES = {
    "events.amazonaws.com": {"AWS::Events::Rule", "AWS::Events::Archive"},
    "cloudwatch.amazonaws.com": {"AWS::CloudWatch::Alarm"},
    "cloudfront.amazonaws.com": {"AWS::CloudFront::Distribution"},
    "logs.eu-west-1.amazonaws.com": {"AWS::Logs::LogGroup"},
}
"""Who uses the key in its own name, for resources of these types."""


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Template:
    stage = replace(PROD, key_arn=KEY, alarm_topic_arn=None, alarm_email="ops@example.com")
    return synthesized(stage, tmp_path_factory.mktemp("sealed"))


@pytest.fixture
def policy() -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = json.loads((ROOT / "infra/policies/key.json").read_text())["Statement"]
    return parts


def test_all_that_takes_a_key_is_under_that_of_the_stage(sealed: Template) -> None:
    """By what cfn-lint knows of every type."""
    open_ = {
        (type_, name)
        for type_, properties in resources(sealed)
        for name in takes(type_)
        if KEY not in json.dumps(properties.get(name))
    }
    assert open_ == ELSEWHERE.keys()
    assert {type_ for type_, properties in resources(sealed) if KEY in json.dumps(properties)} > {
        *("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::SecretsManager::Secret"),
        *("AWS::Logs::LogGroup", "AWS::SNS::Topic", "AWS::Events::Archive"),
    }
    for queue in sealed.properties("AWS::SQS::Queue"):
        assert "SqsManagedSseEnabled" not in queue
    for bucket in sealed.properties("AWS::S3::Bucket"):
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["BucketKeyEnabled"] is True


def test_a_stage_without_a_key_names_none(prod: Template) -> None:
    assert "arn:aws:kms" not in json.dumps(prod.content)
    assert all(queue["SqsManagedSseEnabled"] for queue in prod.properties("AWS::SQS::Queue"))


def test_each_role_uses_the_key_through_the_services_that_it_calls_and_not_by_itself(
    sealed: Template,
) -> None:
    through: dict[str, int] = dict.fromkeys(USES, 0)
    for id_, resource in sealed.own_roles.items():
        role = resource["Properties"]
        calls = {action.partition(":")[0] for part in statements(role) for action in listed(part["Action"])}
        uses = {}
        for part in statements(role):
            if part["Resource"] == KEY:
                service = text(part["Condition"]["StringLike"]["kms:ViaService"]).partition(".")[0]
                uses[service] = tuple(listed(part["Action"]))
                through[service] += 1
        assert uses == {service: USES[service] for service in calls & USES.keys()}, id_
    assert min(through.values()) > 0, through


def test_the_policy_lets_in_what_uses_the_key_in_its_own_name(
    policy: list[dict[str, Any]], sealed: Template
) -> None:
    """And nobody else, and none of them for a stage of somebody else's."""
    there = {type_ for type_, _ in resources(sealed)}
    named = [name for part in policy for name in listed(part["Principal"].get("Service", []))]
    assert set(named) == SERVICES.keys()
    assert all(types <= there for types in SERVICES.values())
    for part in policy:
        if "Service" in part["Principal"] and part["Action"] != "kms:DescribeKey":
            ((_, bound),) = part["Condition"].items()
            assert "123456789012" in str(bound), part["Sid"]
    for name in bounds(policy, "kms:EncryptionContext:aws:logs:arn"):
        for group in sealed.properties("AWS::Logs::LogGroup"):
            arn = f"arn:aws:logs:eu-west-1:123456789012:log-group:{group['LogGroupName']}"
            assert fnmatch.fnmatchcase(arn, name)
    for name in bounds(policy, "kms:EncryptionContext:aws:events:event-bus:arn"):
        bus = sealed.one("AWS::Events::EventBus")["Name"]
        assert fnmatch.fnmatchcase(f"arn:aws:events:eu-west-1:123456789012:event-bus/{bus}", name)


def test_parliament_knows_what_the_policy_names(policy: list[dict[str, Any]]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from parliament import analyze_policy_string  # type: ignore[import-untyped]

        mine = [{name: part[name] for name in ("Sid", "Effect", "Action", "Resource")} for part in policy]
        whole = json.dumps({"Version": "2012-10-17", "Statement": mine})
        found = {each.issue for each in analyze_policy_string(whole).findings}
    # In a key's policy `*` is the key itself.
    assert found <= {"RESOURCE_STAR"}


def test_the_output_tells_the_operators_command_of_the_key(sealed: Template, prod: Template) -> None:
    assert sealed.content["Outputs"]["KeyArn"]["Value"] == KEY
    assert "KeyArn" not in prod.content["Outputs"]


def test_what_is_no_key_is_refused() -> None:
    with pytest.raises(InvalidStage, match="key_arn"):
        stage_of("t", "dev", key_arn="arn:aws:kms:eu-west-1:123456789012:alias/shoal")


def resources(template: Template) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for resource in template.content["Resources"].values():
        if not resource["Type"].startswith("Custom::"):
            yield resource["Type"], resource.get("Properties", {})


def takes(type_: str) -> list[str]:
    """The properties of a type in which a key may be named."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", type_).schema
    numbers_and_flags = ("integer", "boolean")
    return [
        name
        for name, each in schema["properties"].items()
        if any(word in name.lower() for word in SETTINGS) and each.get("type") not in numbers_and_flags
    ]


def bounds(policy: list[dict[str, Any]], key: str) -> list[str]:
    found = [c[key] for part in policy for c in part.get("Condition", {}).values() if key in c]
    assert found
    return found
