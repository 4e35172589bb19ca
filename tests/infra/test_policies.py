"""Who deploys, and what: policies that parliament reads, wide enough for the stacks and not much wider."""

from __future__ import annotations

import fnmatch
import json
import warnings
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]

from infra.paths import ROOT
from infra.roles import ACCEPTED, resolved, roles_of
from tests.infra.stages import DEV, PROD
from tests.infra.template import Template, synthesized

FOLDER = ROOT / "infra" / "policies"
CHARACTERS_MAX = 6144
"""Of a managed policy, white space left out (IAM User Guide, "IAM and AWS STS quotas")."""
BOUNDARY = "arn:aws:iam::123456789012:policy/shoal-boundary"
NEWER_THAN_PARLIAMENT = {"cognito-idp:ListUserPoolClientSecrets", "apigateway:*agResource"}
OPTIONAL = {
    "AWS::ApiGatewayV2::DomainName": ("ec2:*",),
    "AWS::CloudFront::Distribution": ("*:GetConnectedAccount", "ec2:*", "elasticloadbalancing:*"),
    "AWS::Cognito::UserPool": ("iam:PassRole", "kms:*"),
    "AWS::DynamoDB::Table": (
        *("*:GetItem", "*:PutItem", "*:UpdateItem", "*:DeleteItem", "*:Query", "*:Scan", "*:BatchWriteItem"),
        *("*Replica", "*Import*", "*KinesisStreamingDestination", "kinesis:*", "kms:*", "s3:*", "logs:*"),
    ),
    "AWS::Events::Archive": ("kms:*",),
    "AWS::Events::EventBus": ("kms:*", "logs:*", "firehose:*", "s3:*"),
    "AWS::IAM::Role": ("iam:DeleteRolePermissionsBoundary", "iam:ListRoles"),
    "AWS::KMS::Alias": ("kms:CreateGrant", "kms:RevokeGrant"),
    "AWS::KMS::Key": ("kms:CreateGrant",),
    "AWS::CodeDeploy::DeploymentGroup": ("codedeploy:RegisterOnPremisesInstance",),
    "AWS::Lambda::Alias": (
        "lambda:PutProvisionedConcurrencyConfig",
        "lambda:DeleteProvisionedConcurrencyConfig",
    ),
    "AWS::Lambda::EventSourceMapping": ("kms:*",),
    "AWS::Lambda::Version": ("*ProvisionedConcurrencyConfig", "lambda:*FunctionScalingConfig"),
    "AWS::Lambda::Function": (
        *("ec2:*", "elasticfilesystem:*", "s3files:*", "kms:*", "lambda:PassCapacityProvider"),
        *("*CodeSigningConfig", "s3:GetObject*", "lambda:AssociateRuntimeAlias"),
    ),
    "AWS::Lambda::LayerVersion": ("s3:GetObject*",),
    "AWS::Logs::LogGroup": (
        "firehose:*",
        "s3:*",
        "logs:CreateLogDelivery",
        "*LogGroupDeletionProtection",
        "*Bearer*",
    ),
    "AWS::S3::Bucket": (
        *(
            "s3tables:*",
            "kms:*",
            "iam:PassRole",
            "s3:*Object",
            "s3:getObject",
            "s3:*ObjectAcl",
            "s3:ListAllMyBuckets",
        ),
        *("s3:GetObject*", "s3:*MetadataTable*", "s3:UpdateBucketMetadata*", "s3:REST*"),
    ),
    "AWS::SecretsManager::Secret": ("kms:*", "*Region*", "secretsmanager:GetSecretValue"),
    "AWS::SNS::Topic": ("*:ListTopics", "firehose:*", "iam:*"),
    "AWS::SNS::Subscription": ("iam:*", "*:ListSubscriptions", "sqs:*", "firehose:*"),
    "AWS::StepFunctions::StateMachine": ("s3:*", "kms:*"),
    "AWS::WAFv2::WebACL": ("payments:*",),
}
"""What CloudFormation's handlers do for properties that the stacks do not set, by the type: with data of
the table and the buckets, with keys and networks of somebody else's."""


@pytest.fixture(scope="module")
def widest(tmp_path_factory: pytest.TempPathFactory) -> list[Template]:
    """Stages that between them have all that a stage's file can ask for, within the boundary."""
    prod = replace(
        PROD,
        iam_providers=("bedrock", "polly"),
        sagemaker_endpoints=("sdxl-async",),
        moderation="bedrock",
        guardrail="abc:1",
        waf_requests_max=2000,
        hosted_zone_id="Z0123456789",
        permissions_boundary=BOUNDARY,
        key_arn="arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        tags={"team": "platform"},
    )
    dev = replace(DEV, moderation="openai", permissions_boundary=BOUNDARY)
    return [synthesized(stage, tmp_path_factory.mktemp(stage.name)) for stage in (prod, dev)]


def policy(name: str) -> list[dict[str, Any]]:
    statements: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text())["Statement"]
    return statements


def actions_of(statements: list[dict[str, Any]]) -> Iterator[str]:
    for statement in statements:
        assert statement["Effect"] == "Allow"
        yield from listed(statement["Action"])


def listed(value: str | list[str]) -> list[str]:
    """IAM takes one thing for a list of it."""
    return [value] if isinstance(value, str) else value


def allowed(action: str, patterns: list[str]) -> bool:
    """As IAM compares them: without regard to case."""
    return any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def needed(templates: list[Template]) -> Iterator[tuple[str, str]]:
    """What the handler of each type calls, as cfn-lint's schemas say, but for what is optional."""
    for type_ in sorted({r["Type"] for t in templates for r in t.content["Resources"].values()}):
        if type_.startswith("Custom::"):
            continue
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", type_).schema
        for operation, handler in schema.get("handlers", {}).items():
            if operation != "list":
                for action in handler["permissions"]:
                    if not allowed(action, list(OPTIONAL.get(type_, ()))):
                        yield type_, action


@pytest.mark.parametrize("name", ["deploy", "release", "ci", "boundary"])
def test_parliament_finds_nothing_in_a_policy(name: str, widest: list[Template]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from parliament import analyze_policy_string  # type: ignore[import-untyped]

        found = analyze_policy_string((FOLDER / f"{name}.json").read_text()).findings
    # What a pattern covers by the way, and is of other resources, is not given; it must not be needed either.
    meant = {*actions_of(policy(name)), *(action for _, action in needed(widest))}
    anywhere = list(actions_of([part for part in policy(name) if part["Resource"] == "*"]))
    wrong = []
    for each in found:
        if (name, each.issue) == ("boundary", "RESOURCE_STAR"):
            continue  # it gives nothing: it is what is left of what a role's own policy gives
        if each.issue == "RESOURCE_MISMATCH":
            covered = (one["action"] for one in each.detail)
            wrong += [
                action
                for action in covered
                if action in meant and not allowed(action, anywhere) and (each.issue, action) not in ACCEPTED
            ]
        elif not any(action in str(each.detail) for action in NEWER_THAN_PARLIAMENT):
            wrong.append(f"{each.issue}: {each.detail}")
    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.json")), ids=lambda file: file.stem)
def test_a_policy_is_as_short_as_iam_takes_it(file: Any) -> None:
    assert len(json.dumps(json.loads(file.read_text()), separators=(",", ":"))) <= CHARACTERS_MAX


def test_cloudformation_may_make_every_resource_of_every_stage(widest: list[Template]) -> None:
    """By what the handler of each type says that it calls, which cfn-lint brings."""
    patterns = [*actions_of(policy("deploy")), *actions_of(policy("release"))]
    missing = [f"{type_}: {action}" for type_, action in needed(widest) if not allowed(action, patterns)]
    assert missing == [], "\n".join(missing)


def test_who_deploys_reads_no_data_and_makes_no_role_beyond_the_boundary() -> None:
    patterns = [*actions_of(policy("deploy")), *actions_of(policy("release"))]
    for action in (
        *(
            "dynamodb:GetItem",
            "dynamodb:Scan",
            "secretsmanager:GetSecretValue",
            "kms:Decrypt",
            "sqs:ReceiveMessage",
        ),
        *("iam:CreateUser", "iam:CreateAccessKey", "iam:CreatePolicy", "iam:DeleteRolePermissionsBoundary"),
    ):
        assert not allowed(action, patterns), action
    for statement in policy("deploy"):
        if "iam:CreateRole" in statement["Action"]:
            boundary = statement["Condition"]["ArnLike"]["iam:PermissionsBoundary"]
            assert boundary == "arn:aws:iam::*:policy/shoal-boundary"


def test_every_role_is_within_the_boundary_and_the_boundary_is_no_wider(widest: list[Template]) -> None:
    patterns = list(actions_of(policy("boundary")))
    used: set[str] = set()
    for template in widest:
        for id_, role in template.of_type("AWS::IAM::Role").items():
            assert role["Properties"]["PermissionsBoundary"] == BOUNDARY, id_
            for part in role["Properties"].get("Policies", ()):
                used |= set(actions_of(part["PolicyDocument"]["Statement"]))
    assert {action for action in used if not allowed(action, patterns)} == set()
    # What empties a bucket has its rights from the bucket's policy, and writes its log by AWS's own.
    of_the_cdk = {
        *("s3:GetBucketTagging", "s3:ListBucketVersions", "s3:PutBucketPolicy", "s3:DeleteObjectVersion"),
        "logs:CreateLogGroup",
    }
    unused = {each for each in patterns if not any(allowed(action, [each]) for action in used)}
    assert unused <= of_the_cdk


def test_the_boundary_covers_what_each_role_names(widest: list[Template]) -> None:
    """By the ARNs of the roles' own policies, with names of the form that CloudFormation gives."""
    bounds = [(list(actions_of([part])), listed(part["Resource"])) for part in policy("boundary")]
    outside = [
        f"{id_}: {action} on {resource}"
        for template in widest
        for id_, role in roles_of(template.stacks).items()
        for part in role.get("Policies", ())
        for statement in resolved(part["PolicyDocument"], template.stacks)["Statement"]
        for action, resource in product(actions_of([statement]), listed(statement["Resource"]))
        if not any(allowed(action, actions) and allowed(resource, arns) for actions, arns in bounds)
    ]
    assert outside == [], "\n".join(outside)


def test_a_stage_has_no_boundary_unless_it_names_one(dev: Template) -> None:
    assert all("PermissionsBoundary" not in role for role in dev.properties("AWS::IAM::Role"))


def test_all_that_can_have_tags_has_those_of_the_stage(widest: list[Template]) -> None:
    """CloudFormation hands a stack's tags on to its resources."""
    assert widest[0].tags == {"shoal-prod-state": TAGS, "shoal-prod-service": TAGS, "shoal-prod-watch": TAGS}
    assert set(map(str, widest[1].tags.values())) == {"{}"}


TAGS = {"team": "platform"}
