"""From a stage's name to its app."""

from __future__ import annotations

import os
from pathlib import Path

from aws_cdk import App

from infra.packages import built_packages, source_packages
from infra.stack import ShoalStack
from infra.stage import stage_named


def new_app(*, outdir: Path | None = None) -> App:
    """An app that reports no usage, and whose templates cfn-lint checks instead of every synthesis.

    `outdir`: where the cloud assembly goes, if not where the CDK's command line wants it.
    """
    return App(
        analytics_reporting=False,
        builtin_cloud_formation_validation=False,
        outdir=None if outdir is None else str(outdir),
    )


def app_of_command_line() -> App:
    """The app that the CDK's command line asks for: `-c stage=dev`, `-c alarm_email=someone@example.com`."""
    app = new_app()
    stage = stage_named(
        app.node.try_get_context("stage") or "dev",
        environ=os.environ,
        alarm_email=app.node.try_get_context("alarm_email"),
        cors=app.node.try_get_context("cors") or "",
        waf=str(app.node.try_get_context("waf") or ""),
    )
    ShoalStack(app, stage=stage, packages=built_packages() if stage.layers else source_packages())
    return app
