"""A platform team deploys Shoal from its own app, with what `pip install shoal[deploy,operate]` brings."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import requests

from infra import NODE, release
from infra.deploy import CDK
from infra.local import aws
from infra.local.cloud import LocalCloud
from infra.local.run import CDK_ENVIRONMENT
from infra.paths import ROOT
from infra.synthesis import feature_flags

EXAMPLE = ROOT / "examples" / "platform-cdk"
STAGE = "acme-laptop"
CDK_PROGRAM = (NODE, str(CDK))
SECONDS_MAX = 240


class PlatformTeam:
    """The example in a folder of its own, with a stage for this machine beside the team's others."""

    def __init__(self, folder: Path, dist: Path, cloud: LocalCloud) -> None:
        self.folder = folder / "app"
        shutil.copytree(EXAMPLE, self.folder)
        (self.folder / "stages" / f"{STAGE}.toml").write_text('kind = "local"\n')
        self.programs = release.install_built(dist, folder / "venv", "[deploy,operate]").parent
        self.environment = {
            **os.environ,
            **cloud.environment(),
            **CDK_ENVIRONMENT,
            "PATH": f"{self.programs}:{os.environ['PATH']}",
        }
        self.root = f"{cloud.endpoint.url}/_aws/execute-api/shoal{STAGE}/$default"

    def bootstrap(self) -> None:
        # Elsewhere, for the CDK would synthesize a stage in the app's folder first.
        self._run(*CDK_PROGRAM, "bootstrap", f"aws://{aws.ACCOUNT}/{aws.REGION}", cwd=self.folder.parent)

    def cdk(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run(*CDK_PROGRAM, *arguments, "--no-notices")

    def shoal(self, *arguments: str) -> dict[str, str]:
        ran = self._run(str(self.programs / "shoal"), "--stage", STAGE, *arguments, "--json")
        assert ran.returncode == 0, ran.stderr
        answer: dict[str, str] = json.loads(ran.stdout)
        return answer

    def python(self, program: str) -> subprocess.CompletedProcess[str]:
        return self._run(str(self.programs / "python"), "-c", program)

    def _run(self, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 our own programs
            command,
            cwd=cwd or self.folder,
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
        )


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory, dist: Path, cloud: LocalCloud) -> PlatformTeam:
    return PlatformTeam(tmp_path_factory.mktemp("acme"), dist, cloud)


@pytest.mark.timeout(600)
def test_the_teams_app_deploys_a_stage_that_sells_its_catalog(team: PlatformTeam, cloud: LocalCloud) -> None:
    team.bootstrap()
    deployed = team.cdk(
        *("deploy", "--all", "-c", f"stage={STAGE}", "--require-approval", "never", "--method", "direct")
    )
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr

    stacks = cloud.client("cloudformation").describe_stacks()["Stacks"]
    names = {stack["StackName"] for stack in stacks if STAGE in stack["StackName"]}
    assert names == {f"shoal-{STAGE}-{name}" for name in ("state", "service", "watch")}
    assert requests.get(f"{team.root}/healthz", timeout=30).json() == {"status": "ok", "stage": STAGE}
    document = requests.get(f"{team.root}/api/v1/openapi.json", timeout=30).json()
    assert "nanobanana" not in json.dumps(document), "Shoal's own models are not the team's"
    assert document["components"]["schemas"]["GenerateImageRequest"]["properties"]["mode"]["enum"] == [
        "1k",
        "2k",
    ]

    account = team.shoal(
        "accounts", "create", "--email", "you@acme.example", "--usd", "10", "--reason", "new"
    )
    submitted = requests.post(
        f"{team.root}/v1/generate",
        json={"mode": "1k", "prompt": "An anvil"},
        headers={"Authorization": f"Bearer {account['api_key']}"},
        timeout=30,
    )
    assert (submitted.status_code, submitted.json()["estimated_cost"]) == (202, "$0.05")


def test_the_wheel_brings_all_that_packages_for_lambda_are_made_with(team: PlatformTeam) -> None:
    """A stage on AWS needs layers and bytecode: `make nightly` builds them, and this looks at what with."""
    (team.folder / "code").mkdir()
    (team.folder / "code" / "one.py").write_text("ONE = 1\n")
    ended_early = team.folder / ".shoal" / "node-unfinished" / "node_modules" / "pyodide"
    ended_early.mkdir(parents=True)
    made = team.python(
        "from pathlib import Path; from shoal_infra.build import bytecode, layer;"
        "print(*(len(layer.requirements(name)) > 99 for name in layer.LAYERS));"
        "bytecode.precompile(Path('code'), prefix='/opt')"
    )
    assert made.returncode == 0, made.stderr
    assert made.stdout.split() == ["True"] * 7
    assert (team.folder / "code" / "__pycache__" / "one.cpython-313.pyc").exists()
    assert not ended_early.exists()


def test_a_catalog_or_stage_that_cannot_be_is_refused_in_one_line(team: PlatformTeam) -> None:
    catalog = team.folder / "catalog" / "catalog.toml"
    right = catalog.read_text()
    catalog.write_text(right.replace('default_mode = "1k"', 'default_mode = "8k"'))
    refused = team.cdk("synth", "-c", f"stage={STAGE}")
    catalog.write_text(right)
    assert refused.returncode != 0
    assert f"{catalog}:1: default_mode '8k' is not a mode" in refused.stderr
    assert "Traceback" not in refused.stderr

    unknown = team.cdk("synth", "-c", "stage=acme-moon")
    assert "acme-moon.toml: the stages of" in unknown.stderr


def test_the_example_sets_the_flags_that_shoal_is_tested_with() -> None:
    assert json.loads((EXAMPLE / "cdk.json").read_text())["context"] == feature_flags()
