"""Rules of cdk-nag that a resource breaks on purpose, written next to the resource with the reason."""

from __future__ import annotations

from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import Construct


def accept(construct: Construct, rule: str, *, because: str) -> None:
    """Leave out one rule for a construct and all in it."""
    Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=because))


def accept_wildcard(construct: Construct, arn: str, *, because: str) -> None:
    """Let the policies of a construct name this one ARN that holds a wildcard."""
    resource = _nag_spelling(Stack.of(construct).resolve(arn))
    accept(construct, f"AwsSolutions-IAM5[Resource::{resource}]", because=because)


def _nag_spelling(arn: Any) -> str:
    """The ARN as cdk-nag spells it in a finding: `<Bucket.Arn>/*`."""
    if isinstance(arn, str):
        return arn
    ((function, argument),) = arn.items()
    if function == "Fn::Join":
        separator, parts = argument
        return str(separator).join(_nag_spelling(part) for part in parts)
    return f"<{'.'.join(argument)}>" if function == "Fn::GetAtt" else f"<{argument}>"
