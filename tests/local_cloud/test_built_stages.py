"""The stages of AWS, with the packages that are built for Lambda, deploy into an empty local cloud."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from infra.local.assembly import Assembly
from infra.local.aws import Endpoint
from infra.stacks.shoal_stage import ShoalStage
from infra.stage import Stage
from infra.synthesis import new_app
from tests.infra.stages import DEV, PROD

EMPTYING = "Custom::S3AutoDeleteObjects"


def leave_out_emptying(folder: Path) -> None:
    """The CDK's own function that empties buckets answers by HTTPS: the local cloud would wait for ever."""
    for file in folder.rglob("*.template.json"):
        template = json.loads(file.read_text())
        resources = template["Resources"].items()
        kept = {id_: resource for id_, resource in resources if resource["Type"] != EMPTYING}
        file.write_text(json.dumps({**template, "Resources": kept}))


@pytest.mark.nightly
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("stage", [DEV, PROD], ids=lambda stage: stage.name)
def test_a_stage_with_built_packages_deploys(stage: Stage, endpoint: Endpoint, tmp_path: Path) -> None:
    app = new_app(outdir=tmp_path / "cdk.out")
    # The local cloud has neither a schema registry nor CodeDeploy, and would fail the stack for them.
    whole = ShoalStage(app, "Shoal", stage=replace(stage, event_schemas=False, canary="off"))
    folder = Path(app.synth().directory)
    leave_out_emptying(folder)
    Assembly(folder).deploy(endpoint)

    described = endpoint.client("cloudformation").describe_stacks()["Stacks"]
    statuses = {stack["StackName"]: stack["StackStatus"] for stack in described}
    assert [statuses[stack.stack_name] for stack in whole.stacks] == ["CREATE_COMPLETE"] * 3
    zips = [asset for asset in (tmp_path / "cdk.out").glob("asset.*.zip") if asset.stat().st_size > 1_000_000]
    assert len(zips) == 7, "the functions and six layers: base, media, video, stripe, web, mcp"
