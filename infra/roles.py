"""What parliament finds in a stage's roles: it knows every action of AWS, and what each takes."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

ACCEPTED: Mapping[tuple[str, str], str] = {
    ("RESOURCE_MISMATCH", "states:SendTaskSuccess"): "AWS authorizes an answer on its token's state machine.",
    ("RESOURCE_MISMATCH", "states:SendTaskFailure"): "AWS authorizes an answer on its token's state machine.",
    (
        "RESOURCE_STAR",
        "cloudwatch:DescribeAlarms",
    ): "AWS's own policy for CodeDeploy has no narrower resource.",
    ("RESOURCE_MISMATCH", "states:DescribeExecution"): "parliament knows those of express machines alone.",
}
"""Findings by issue and action that are wrong, and why."""
PARTS: Mapping[str, str] = {
    "AWS::CloudFront::Distribution": "cloudfront::123456789012:distribution/E1",
    "AWS::Cognito::UserPool": "cognito-idp:us-east-1:123456789012:userpool/us-east-1_1",
    "AWS::DynamoDB::Table": "dynamodb:us-east-1:123456789012:table/shoal-t",
    "AWS::Events::EventBus": "events:us-east-1:123456789012:event-bus/shoal-b",
    "AWS::IAM::Role": "iam::123456789012:role/shoal-r",
    "AWS::KMS::Key": "kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "AWS::Lambda::Function": "lambda:us-east-1:123456789012:function:shoal-f",
    "AWS::Logs::LogGroup": "logs:us-east-1:123456789012:log-group:/aws/lambda/shoal-g:*",
    "AWS::S3::Bucket": "s3:::shoal-b",
    "AWS::SQS::Queue": "sqs:us-east-1:123456789012:shoal-q",
    "AWS::SecretsManager::Secret": "secretsmanager:us-east-1:123456789012:secret:CallbackSecret-AbCdEf",
    "AWS::StepFunctions::StateMachine": "states:us-east-1:123456789012:stateMachine:shoal-m",
}
"""What stands behind `arn:aws:` in the ARN of a resource that is not made yet, by its type.

CloudFormation begins the names it gives with that of the stack; that of a secret, with its logical id.
"""
OF_THE_ACCOUNT = {"AWS::AccountId": "123456789012", "AWS::Partition": "aws", "AWS::Region": "us-east-1"}

Stacks = Mapping[str, Mapping[str, Any]]
"""The templates of a stage by the names of its stacks."""


def roles_of(stacks: Stacks) -> dict[str, Mapping[str, Any]]:
    """The properties of all roles by logical id."""
    return {
        id_: resource["Properties"]
        for template in stacks.values()
        for id_, resource in template["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role"
    }


def findings(stacks: Stacks) -> list[str]:
    """A line for each finding in a policy of a role but for those that are accepted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # parliament reads its data by setuptools' `pkg_resources`
        from parliament import analyze_policy_string  # type: ignore[import-untyped]

        found = []
        for id_, role in roles_of(stacks).items():
            for policy in role.get("Policies", ()):
                document = json.dumps(resolved(policy["PolicyDocument"], stacks))
                found += [
                    f"{id_}: {finding.issue} {finding.title}: {finding.detail}"
                    for finding in analyze_policy_string(document).findings
                    if not all((finding.issue, action) in ACCEPTED for action in _actions(finding.detail))
                ]
        return found


def _actions(detail: Any) -> Iterator[str]:
    """The actions that a finding is about; an empty one if it names none."""
    if not isinstance(detail, list):
        yield ""
        return
    for each in detail:
        yield each if isinstance(each, str) else each["action"]


def resolved(value: Any, stacks: Stacks) -> Any:
    """A value with names and ARNs of the right form for those that CloudFormation will put in."""
    if isinstance(value, list):
        return [resolved(part, stacks) for part in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1:
        ((function, argument),) = value.items()
        if function == "Fn::Join":
            return argument[0].join(resolved(part, stacks) for part in argument[1])
        if function == "Fn::GetStackOutput":
            output = stacks[argument["StackName"]]["Outputs"][argument["OutputName"]]
            return resolved(output["Value"], stacks)
        if function in ("Ref", "Fn::GetAtt"):
            return _made(argument if function == "Ref" else argument[0], stacks, arn=function == "Fn::GetAtt")
    return {key: resolved(part, stacks) for key, part in value.items()}


def _made(id_: str, stacks: Stacks, *, arn: bool) -> str:
    """What a resource will be called: its ARN, which is also the reference of a secret, or a name."""
    if id_ in OF_THE_ACCOUNT:
        return OF_THE_ACCOUNT[id_]
    (type_,) = [t["Resources"][id_]["Type"] for t in stacks.values() if id_ in t["Resources"]]
    by_arn = arn or type_ in ("AWS::SecretsManager::Secret", "AWS::StepFunctions::StateMachine")
    return f"arn:aws:{PARTS[type_]}" if by_arn else "shoal-name"
