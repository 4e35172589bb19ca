"""From a stage to its stack, for the command line, the checks and the tests alike."""

from __future__ import annotations

import os

from aws_cdk import App

from infra.packages import Packages, built_packages, source_packages
from infra.stack import ShoalStack
from infra.stage import Stage, stage_named


def new_app() -> App:
    """An app that reports no usage, and whose templates cfn-lint checks instead of every synthesis."""
    return App(analytics_reporting=False, builtin_cloud_formation_validation=False)


def stack_of(stage: Stage, *, packages: Packages, app: App | None = None) -> ShoalStack:
    """The stack of a stage in `app`, in an app of its own if none is given."""
    return ShoalStack(app or new_app(), stage=stage, packages=packages)


def app_of_command_line() -> App:
    """The app that the CDK's command line asks for: `-c stage=dev`, `-c alarm_email=someone@example.com`."""
    app = new_app()
    stage = stage_named(
        app.node.try_get_context("stage") or "dev",
        environ=os.environ,
        alarm_email=app.node.try_get_context("alarm_email"),
    )
    stack_of(stage, packages=built_packages() if stage.layers else source_packages(), app=app)
    return app
