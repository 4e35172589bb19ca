"""A platform team's own app: Shoal with the team's catalog and stages, beside what else the team deploys."""

import sys
from pathlib import Path

from aws_cdk import App
from shoal_infra import ShoalStage, SynthesisError, load_stage

HERE = Path(__file__).parent

app = App()
name = app.node.try_get_context("stage") or "acme-dev"
try:
    ShoalStage(app, "Shoal", stage=load_stage(HERE / "stages" / f"{name}.toml"), catalog=HERE / "catalog")
    app.synth()
except SynthesisError as error:
    sys.exit(str(error))
