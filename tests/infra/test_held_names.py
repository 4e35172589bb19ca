"""What CloudFormation would replace if it were renamed keeps its name.

A stateful resource with another logical id is a new and empty one; a resource with a fixed name and another
logical id can't be made while the old one is there, and its deployment fails. `held_names.txt` has a line
for each: stack, logical id, type and fixed name. A line may be added. To change one takes a plan for what
lives under it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.infra.stages import PROD
from tests.infra.template import Template, synthesized, text

HELD = Path(__file__).with_name("held_names.txt")
STATEFUL = {
    "AWS::CloudFront::Distribution",
    "AWS::Cognito::UserPool",
    "AWS::Cognito::UserPoolClient",
    "AWS::DynamoDB::Table",
    "AWS::Events::Archive",
    "AWS::Events::EventBus",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
}
NAMES = (
    "AliasName",
    "ArchiveName",
    "BucketName",
    "ClientName",
    "DashboardName",
    "FunctionName",
    "GroupName",
    "LayerName",
    "LogGroupName",
    "Name",
    "QueueName",
    "RouteKey",
    "RegistryName",
    "RoleName",
    "RuleName",
    "SchemaName",
    "StageName",
    "StateMachineName",
    "TableName",
    "TopicName",
    "UserPoolName",
)
"""Properties by which a template fixes a name."""
USES_OF_NAMES = {
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Version",
    "AWS::Logs::MetricFilter",
    "Custom::S3AutoDeleteObjects",
}
ACCOUNT_WIDE = (
    "AWS::CloudFront::",
    "AWS::CloudWatch::Dashboard",
    "AWS::IAM::",
    "AWS::S3::Bucket",
    "AWS::WAFv2::WebACL",
)
"""Types whose names all regions of an account share."""


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Production with everything on that a stage can have."""
    return synthesized(replace(PROD, waf_requests_max=2000, espeak=True), tmp_path_factory.mktemp("guarded"))


def fixed_name(resource: dict[str, Any]) -> str:
    """The names that the template fixes, wherever in the properties they stand; empty if AWS chooses."""
    if resource["Type"] in USES_OF_NAMES:
        return ""
    properties = resource.get("Properties", {})
    configurations = [each for each in properties.values() if isinstance(each, dict)]
    return " ".join(
        text(place[name])
        for place in (properties, *configurations)
        for name in NAMES
        if isinstance(place.get(name), str | dict)
    )


def held(template: Template) -> Iterator[str]:
    for stack, content in template.stacks.items():
        for id_, resource in content["Resources"].items():
            name = fixed_name(resource)
            if name or resource["Type"] in STATEFUL:
                yield f"{stack} {id_} {resource['Type']} {name}".rstrip()


def test_stateful_and_named_resources_keep_their_names(guarded: Template) -> None:
    known, found = set(HELD.read_text(encoding="utf-8").splitlines()), set(held(guarded))
    assert len(found) > 100
    assert known - found == set(), "these would be deleted or replaced"
    assert found - known == set(), "add these lines to held_names.txt"


def test_names_are_the_same_on_every_stage(guarded: Template, template: Template) -> None:
    def names(template: Template) -> set[str]:
        return {line.replace(template.stage.prefix, "shoal-<stage>") for line in held(template)}

    assert names(template) <= names(guarded)


def test_names_that_regions_share_carry_the_region(guarded: Template) -> None:
    shared = {
        id_: name
        for id_, resource in guarded.content["Resources"].items()
        if resource["Type"].startswith(ACCOUNT_WIDE) and (name := fixed_name(resource))
    }
    assert len(shared) >= 3, "the CDN's access, the firewall, the dashboard"
    assert [id_ for id_, name in shared.items() if "<AWS::Region>" not in name] == []
