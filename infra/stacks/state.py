"""What a stage keeps: its table, files, people, bus, keys and secrets. No function is in it."""

from __future__ import annotations

from aws_cdk import Environment
from constructs import Construct

from ..constructs.bus import Bus
from ..constructs.identity import Identity
from ..constructs.secret import CallbackSecret
from ..constructs.storage import Storage
from ..constructs.webhooks import WebhookKey
from ..stage import Stage
from .stage_stack import StageStack


class StateStack(StageStack):
    """Stack `shoal-<stage>-state`. A new version of the code leaves it as it is."""

    def __init__(self, scope: Construct, *, stage: Stage, env: Environment | None) -> None:
        super().__init__(scope, "state", stage=stage, env=env, description="what the stage keeps")
        self.storage = Storage(self, "Storage", stage=stage)
        self.bus = Bus(self, "Bus", stage=stage).bus
        self.secret = CallbackSecret(self, "CallbackSecret", stage=stage).secret
        self.webhook_key = WebhookKey(self, "WebhookKey", stage=stage).key
        self.identity = Identity(self, "Identity", stage=stage)
