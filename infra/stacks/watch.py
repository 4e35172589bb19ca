"""What watches over a stage: its alarms and its dashboard."""

from __future__ import annotations

from aws_cdk import Environment, Stack
from constructs import Construct

from ..constructs.monitoring import Monitoring
from ..stage import Stage
from .service import ServiceStack


class WatchStack(Stack):
    """Stack `shoal-<stage>-watch`. The stage works without it; only nobody is told when it does not."""

    def __init__(
        self, scope: Construct, id_: str, *, stage: Stage, service: ServiceStack, env: Environment | None
    ) -> None:
        super().__init__(
            scope,
            id_,
            stack_name=f"{stage.prefix}-watch",
            description="Shoal: alarms and dashboard",
            termination_protection=stage.deletion_protection,
            env=env,
        )
        Monitoring(
            self,
            "Monitoring",
            stage=stage,
            http_api=service.api.http_api,
            machines=service.machines,
            functions=service.functions.by_verb,
            queues=service.queues,
        )
