"""What the stacks of a stage have in common."""

from __future__ import annotations

from aws_cdk import Aspects, Environment, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from ..constructs.own_key import OwnKey
from ..stage import Stage


class StageStack(Stack):
    """The stack `shoal-<stage>-<part>`, protected as the stage is."""

    def __init__(
        self, scope: Construct, part: str, *, stage: Stage, env: Environment | None, description: str
    ) -> None:
        super().__init__(
            scope,
            part.capitalize(),
            stack_name=f"{stage.prefix}-{part}",
            description=f"Shoal: {description}",
            termination_protection=stage.deletion_protection,
            env=env,
            tags=stage.tags,
        )
        if stage.permissions_boundary is not None:
            boundary = iam.ManagedPolicy.from_managed_policy_arn(self, "Boundary", stage.permissions_boundary)
            iam.PermissionsBoundary.of(self).apply(boundary)
        if stage.key_arn is not None:
            Aspects.of(self).add(OwnKey(stage.key_arn))
