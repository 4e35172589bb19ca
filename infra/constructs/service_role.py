"""Roles for AWS services to act in: complete when made, so that nothing the CDK adds can widen them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from ..nag import accept_wildcard
from ..stage import Stage
from .own_key import use_key

SEND_TRACES = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
LAMBDA = "lambda.amazonaws.com"
"""Its guide knows no condition for who takes a function's role, which no other account can pass to it."""
TRACING_ACTIONS = {
    LAMBDA: SEND_TRACES,
    # Step Functions decides itself which executions it traces.
    "states.amazonaws.com": (*SEND_TRACES, "xray:GetSamplingRules", "xray:GetSamplingTargets"),
}
"""What a service that traces needs for it, as its developer guide says."""


class ServiceRole(Construct):
    """A role with one inline policy: the given statements, and traces where the stage has them."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        stage: Stage,
        service: str,
        statements: Iterable[iam.PolicyStatement],
    ) -> None:
        super().__init__(scope, id_)
        statements = list(statements)
        if stage.key_arn is not None:
            statements += use_key(self, stage.key_arn, statements)
        policy = iam.PolicyDocument(statements=statements)
        if stage.tracing and service in TRACING_ACTIONS:
            policy.add_statements(
                iam.PolicyStatement(actions=list(TRACING_ACTIONS[service]), resources=["*"])
            )
            accept_wildcard(
                self, "*", because="Traces belong to the account: X-Ray has no resources to name."
            )
        principal = iam.ServicePrincipal(
            service, conditions=None if service == LAMBDA else _of_this_account(self)
        )
        self._role = iam.Role(self, "Role", assumed_by=principal, inline_policies={"grants": policy})

    @property
    def sealed(self) -> iam.IRole:
        """The role, deaf to further grants."""
        return self._role.without_policy_updates()


def _of_this_account(scope: Construct) -> dict[str, dict[str, str]]:
    """That the service acts for this account ("Cross-service confused deputy prevention", both guides)."""
    return {"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}}


def item_conditions(
    leading_keys: Sequence[str], attributes: Sequence[str] = ()
) -> dict[str, dict[str, list[str] | str]] | None:
    """That every item's partition key matches one of the patterns, and a request names these attributes only.

    None without patterns. DynamoDB counts what a request sets, compares and asks for. `ForAllValues` holds
    where nothing is named, so something must be. `ALL_NEW` still answers the whole item, which is as well:
    `dynamodb:ReturnValues` would be what forbids it.
    """
    if not leading_keys:
        return None
    conditions: dict[str, dict[str, list[str] | str]] = {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(leading_keys)}
    }
    if attributes:
        conditions["ForAllValues:StringLike"]["dynamodb:Attributes"] = list(attributes)
        conditions["Null"] = {"dynamodb:Attributes": "false"}
    return conditions
