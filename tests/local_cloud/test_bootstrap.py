"""`make bootstrap` and `make destroy`, by the real CDK, in a local cloud."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.bootstrap import POLICIES, VERSIONS_MAX, put_policy
from infra.deploy import CONFIRM, DeploymentFailed, destroy
from infra.local.aws import ACCOUNT, Endpoint
from infra.local.cloud import bare_cloud
from infra.local.run import CDK_ENVIRONMENT
from infra.paths import ROOT
from shoal.cli.doctor.account import BOOTSTRAP, BOOTSTRAP_MIN
from tests.local_cloud.test_deploy import SECONDS_MAX, deploy

BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/shoal-boundary"


@pytest.mark.timeout(400)
def test_an_account_is_bootstrapped_with_the_rights_that_shoal_needs(tmp_path: Path) -> None:
    with bare_cloud(tmp_path) as endpoint:
        result = subprocess.run(
            [sys.executable, "-m", "infra.bootstrap"],
            cwd=ROOT,
            env={**os.environ, **endpoint.environment(), **CDK_ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            check=False,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        assert f'permissions_boundary = "{BOUNDARY}"' in result.stdout
        version = endpoint.client("ssm").get_parameter(Name=BOOTSTRAP)["Parameter"]["Value"]
        assert int(version) >= BOOTSTRAP_MIN


def test_a_policy_is_brought_up_to_date_without_end(endpoint: Endpoint) -> None:
    iam = endpoint.client("iam")
    for _ in range(VERSIONS_MAX + 1):
        put_policy(iam, ACCOUNT, "boundary", "aws")
    versions = iam.list_policy_versions(PolicyArn=BOUNDARY)["Versions"]
    (default,) = [each["VersionId"] for each in versions if each["IsDefaultVersion"]]
    kept = iam.get_policy_version(PolicyArn=BOUNDARY, VersionId=default)["PolicyVersion"]["Document"]
    assert len(versions) <= VERSIONS_MAX
    said = json.loads((POLICIES / "boundary.json").read_text())
    assert (kept if isinstance(kept, dict) else json.loads(kept)) == said


def test_a_policy_of_another_partition_names_that(endpoint: Endpoint) -> None:
    iam = endpoint.client("iam")
    arn = put_policy(iam, ACCOUNT, "ci", "aws-us-gov")
    kept = json.dumps(iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"])
    assert "arn:aws-us-gov:iam::*:role/cdk-" in kept
    assert "arn:aws:" not in kept


@pytest.mark.parametrize(
    ("stage", "confirmed", "says"),
    [
        ("dev", "", "there is no terminal to ask in: CONFIRM=dev says that it is meant"),
        ("dev", "prod", "there is no terminal to ask in"),
        ("kept", "kept", "kept is protected"),
    ],
)
def test_nothing_is_destroyed_that_nobody_meant(
    stage: str, confirmed: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages" / "dev.toml").write_text('kind = "dev"\n')
    (tmp_path / "stages" / "kept.toml").write_text('kind = "dev"\ndeletion_protection = true\n')
    monkeypatch.setenv(CONFIRM, confirmed)
    with pytest.raises(DeploymentFailed, match=says):
        destroy(stage, asks=False, stages=tmp_path / "stages")


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_a_stage_is_removed_with_all_it_holds(tmp_path: Path) -> None:
    with bare_cloud(tmp_path) as endpoint:
        deployed = deploy(endpoint)
        assert deployed.returncode == 0, deployed.stdout + deployed.stderr
        secrets = endpoint.client("secretsmanager")
        secrets.create_secret(Name="shoal/local/providers/openai", SecretString="sk-1")
        secrets.create_secret(Name="shoal/other/providers/openai", SecretString="sk-2")
        removed = deploy(endpoint, "local", "--destroy", CONFIRM="local")
        assert removed.returncode == 0, removed.stdout + removed.stderr
        stacks = endpoint.client("cloudformation").list_stacks()["StackSummaries"]
        left = {each["StackName"] for each in stacks if each["StackStatus"] != "DELETE_COMPLETE"}
        assert {name for name in left if name.startswith("shoal-")} == set()
        names = {each["Name"] for each in secrets.list_secrets()["SecretList"] if "DeletedDate" not in each}
        assert {name for name in names if name.startswith("shoal/")} == {"shoal/other/providers/openai"}
