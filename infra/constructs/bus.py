"""The event bus on which Shoal announces what happens to jobs, money and keys."""

from __future__ import annotations

from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from constructs import Construct

from ..stage import Stage

MANAGE_RULES = (
    "PutRule",
    "DeleteRule",
    "DescribeRule",
    "DisableRule",
    "EnableRule",
    "PutTargets",
    "RemoveTargets",
    "ListTargetsByRule",
    "TagResource",
    "UntagResource",
    "ListTagsForResource",
)
"""What a rule's life takes (Amazon EventBridge User Guide, "Permissions for event buses")."""


class Bus(Construct):
    """The bus `shoal-<stage>`, its archive, from which events are replayed, and who may have rules on it."""

    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        super().__init__(scope, id_)
        self.bus = events.EventBus(self, "Bus", event_bus_name=stage.prefix)
        self.bus.archive(
            "Archive",
            archive_name=stage.prefix,
            description="Every event of Shoal, for a replay",
            event_pattern=events.EventPattern(source=["shoal"]),
            retention=Duration.days(stage.archive_days),
        )
        if stage.bus_accounts:
            self._admit("Accounts", {"AWS": list(stage.bus_accounts)}, {})
        if stage.bus_organization:
            member = {"StringEquals": {"aws:PrincipalOrgID": stage.bus_organization}}
            self._admit("Organization", "*", member)

    def _admit(self, name: str, principal: Any, condition: dict[str, Any]) -> None:
        """Let others have rules on the bus: each manages its own, and nobody puts events on it."""
        rules = Stack.of(self).format_arn(
            service="events", resource="rule", resource_name=f"{self.bus.event_bus_name}/*"
        )
        own = {"StringEqualsIfExists": {"events:creatorAccount": "${aws:PrincipalAccount}"}}
        events.CfnEventBusPolicy(
            self,
            name,
            event_bus_name=self.bus.event_bus_name,
            statement_id=name,
            statement={
                "Sid": name,
                "Effect": "Allow",
                "Principal": principal,
                "Action": [f"events:{action}" for action in MANAGE_RULES],
                "Resource": rules,
                "Condition": condition | own,
            },
        )
