"""The registry in which EventBridge's subscribers look up what events hold."""

from __future__ import annotations

import json

from aws_cdk import aws_eventschemas as schemas
from constructs import Construct

from shoal.domain.events import SOURCE

from ..documents.bus_resources import bus_schemas
from ..stage import Stage


class EventSchemas(Construct):
    """The registry `shoal-<stage>`: a schema for each type of event, named as EventBridge would name it."""

    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        super().__init__(scope, id_)
        registry = self.registry = schemas.CfnRegistry(
            self, "Registry", registry_name=stage.prefix, description="The events of Shoal"
        )
        for event_type, schema in bus_schemas().items():
            published = schemas.CfnSchema(
                self,
                event_type,
                registry_name=stage.prefix,
                schema_name=f"{SOURCE}@{event_type}",
                type="JSONSchemaDraft4",
                content=json.dumps(schema, separators=(",", ":")),
            )
            published.node.add_dependency(registry)
