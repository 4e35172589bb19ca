"""What watches over a stage: its alarms and its dashboard."""

from __future__ import annotations

from aws_cdk import Environment
from constructs import Construct

from ..constructs.monitoring import Monitoring
from ..lambdas import registry
from ..stage import Stage
from .service import ServiceStack
from .stage_stack import StageStack


class WatchStack(StageStack):
    """Stack `shoal-<stage>-watch`. The stage works without it; only nobody is told when it does not."""

    def __init__(
        self, scope: Construct, *, stage: Stage, service: ServiceStack, env: Environment | None
    ) -> None:
        super().__init__(scope, "watch", stage=stage, env=env, description="alarms and dashboard")
        Monitoring(
            self,
            "Monitoring",
            stage=stage,
            http_api=service.api.http_api,
            machines=service.machines,
            functions=registry.functions(),
            queues=service.queues,
            table=service.state.storage.table,
        )
