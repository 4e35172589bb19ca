"""The event bus on which Shoal announces what happens to jobs."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_events as events
from constructs import Construct

from ..stage import Stage


class Bus(Construct):
    """The bus `shoal-<stage>` and its archive, from which events can be replayed."""

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
