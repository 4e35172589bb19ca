"""From a stage's name to its app."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from aws_cdk import App, Environment

from .build.packages import Packages
from .paths import ROOT
from .stacks.shoal_stage import ShoalStage
from .stage import STAGES, InvalidStage, load_stage

OF_STAGE_FILES = ("alarm_email", "cors", "waf")
"""What could be said on the command line once, and was forgotten by the next deployment."""


def new_app(*, outdir: Path | None = None) -> App:
    """An app that reports no usage, and whose templates cfn-lint checks instead of every synthesis.

    It has the feature flags of `cdk.json`, also where the CDK's command line does not run it. `outdir`: where
    the cloud assembly goes, if not where that command line wants it.
    """
    return App(
        analytics_reporting=False,
        builtin_cloud_formation_validation=False,
        context=feature_flags(),
        outdir=None if outdir is None else str(outdir),
    )


def feature_flags() -> dict[str, Any]:
    """The flags of `cdk.json`: all that this version of the CDK recommends."""
    flags: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    return flags


def app_of_command_line(packages: Packages | None = None) -> App:
    """The app that the CDK's command line asks for: `-c stage=dev`. Raises `InvalidStage`.

    `packages`: what the functions run; built for the stage unless given.
    """
    app = new_app()
    for name in OF_STAGE_FILES:
        if app.node.try_get_context(name) is not None:
            raise InvalidStage(f"-c {name}: settings of a stage are in its file: {STAGES}/<stage>.toml")
    name = app.node.try_get_context("stage") or "dev"
    stage = load_stage(STAGES / f"{name}.toml", environ=os.environ)
    if app.node.try_get_context("canary") == "off":
        stage = replace(stage, canary="off")  # for this deployment alone: the next is judged again
    env = Environment(
        account=os.environ.get("CDK_DEFAULT_ACCOUNT"), region=os.environ.get("CDK_DEFAULT_REGION")
    )
    ShoalStage(app, "Shoal", stage=stage, packages=packages, env=env)
    return app
