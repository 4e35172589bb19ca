"""A whole stage of Shoal in an app of the CDK."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import CrossStackReferences, Environment, ReferenceStrength
from constructs import Construct

from shoal.domain.models.files import CATALOG

from ..build.packages import Packages, packages_of
from ..catalog import check_catalog
from ..stage import Stage
from .service import ServiceStack
from .state import StateStack
from .watch import WatchStack


class ShoalStage(Construct):
    """Three stacks: `state` keeps, `service` works with it, `watch` has alarms on the service.

    `catalog`: the folder of what the stage sells, Shoal's own unless given.
    `packages`: what the functions run; built for the stage and its catalog unless given.
    `env`: account and region; those that the CDK's command line finds unless given.

    A stack reads the others' values when it is deployed and holds none of them fast: no export blocks the
    update or the deletion of what another stack once read. So a value that changes reaches the other stacks
    with their next update, not by itself. Raises `SynthesisError` when something can't be.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        stage: Stage,
        catalog: Path = CATALOG,
        packages: Packages | None = None,
        env: Environment | None = None,
    ) -> None:
        super().__init__(scope, id_)
        CrossStackReferences.of(self).consume(ReferenceStrength.WEAK)
        check_catalog(catalog)
        packages = packages or packages_of(stage, catalog)
        self.state = StateStack(self, stage=stage, env=env)
        self.service = ServiceStack(self, stage=stage, state=self.state, packages=packages, env=env)
        self.watch = WatchStack(self, stage=stage, service=self.service, env=env)

    @property
    def stacks(self) -> tuple[StateStack, ServiceStack, WatchStack]:
        """In the order in which they are deployed."""
        return self.state, self.service, self.watch
