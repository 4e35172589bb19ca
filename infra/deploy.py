"""`python -m infra.deploy STAGE`: show what a deployment would change, then deploy all stacks of the stage.

In a terminal the CDK asks before it widens what anybody may do; without one nobody could answer, and what was
shown stands in the log. `python -m infra.deploy STAGE --destroy` removes a stage with all it holds.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from shoal.cli.doctor.account import BOOTSTRAP, BOOTSTRAP_MIN

from . import NODE
from .errors import SynthesisError
from .paths import ROOT
from .rollback import RollbackRefused, clients, deployments, roll_back, rolled_back
from .stage import STAGES, load_stage

CDK = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
ASSEMBLY = "cdk.out"
CONFIRM = "CONFIRM"
"""The variable that names the stage which is to be destroyed."""
RECOVERY_DAYS = 7
"""The fewest in which Secrets Manager gives a secret back."""


class DeploymentFailed(Exception):
    """A step of the CDK failed; it has said why."""


def deploy(stage: str, *, asks: bool) -> None:
    """Raises `InvalidStage`, and `DeploymentFailed` at the first step that fails."""
    described = load_stage(ROOT / STAGES / f"{stage}.toml")
    if described.kind == "local" and "AWS_ENDPOINT_URL" not in os.environ:
        raise DeploymentFailed(f"{stage} is for this machine: `make run` deploys it")
    # Where callers use earlier versions, CodeDeploy may not find what it is told to move from.
    at_once = ("-c", "canary=off") if described.canary != "off" and rolled_back(described, clients()) else ()
    run_cdk("synth", "--quiet", "-c", f"stage={stage}", *at_once, "--output", ASSEMBLY)
    synthesized = ("--app", ASSEMBLY)
    if not _bootstrapped():
        run_cdk("bootstrap", *synthesized)
    run_cdk("diff", "--all", *synthesized)
    approval = ("--require-approval", "broadening" if asks else "never")
    # By force, for the CDK passes over a stack whose template is the same, though what it reads of another
    # stack may not be.
    run_cdk("deploy", "--all", "--force", *synthesized, *approval)
    if described.versions:
        # A template that did not change since a rollback left its aliases where that had set them.
        last = deployments(described, clients())[-1]
        roll_back(described, clients(), to=last.number)


def destroy(stage: str, *, asks: bool, stages: Path = ROOT / STAGES) -> None:
    """Remove the stage's stacks with all they hold, and the keys that were set for it.

    Raises `InvalidStage`, and `DeploymentFailed` for a stage that is protected, or where nobody confirms it.
    """
    described = load_stage(stages / f"{stage}.toml")
    if described.deletion_protection:
        raise DeploymentFailed(
            f"{stage} is protected: set `deletion_protection = false` in its file and deploy that first"
        )
    confirmed = os.environ.get(CONFIRM) == stage
    if not asks and not confirmed:
        raise DeploymentFailed(f"there is no terminal to ask in: {CONFIRM}={stage} says that it is meant")
    run_cdk("destroy", "--all", "-c", f"stage={stage}", *(("--force",) if confirmed else ()))
    secrets = boto3.client("secretsmanager", region_name=_region())
    pages = secrets.get_paginator("list_secrets").paginate(
        Filters=[{"Key": "name", "Values": [f"shoal/{stage}/"]}]
    )
    for secret in [each for page in pages for each in page["SecretList"]]:
        secrets.delete_secret(SecretId=secret["ARN"], RecoveryWindowInDays=RECOVERY_DAYS)
        print(f"{secret['Name']} is gone in {RECOVERY_DAYS} days")


def _bootstrapped() -> bool:
    """Whether the account has been: a pipeline may deploy, and may not bootstrap."""
    try:
        found = boto3.client("ssm", region_name=_region()).get_parameter(Name=BOOTSTRAP)
    except (BotoCoreError, ClientError):
        return False  # the CDK says what is wrong
    return int(found["Parameter"]["Value"]) >= BOOTSTRAP_MIN


def _region() -> str | None:
    """As the CDK's command line goes by it; boto3 reads only the other variable."""
    return os.environ.get("AWS_REGION")


def run_cdk(*arguments: str, cwd: Path = ROOT) -> None:
    """Run the command line of the CDK, here or in another folder. Raises `DeploymentFailed`."""
    result = subprocess.run([NODE, str(CDK), *arguments, "--no-notices"], cwd=cwd, check=False)  # noqa: S603 our own program
    if result.returncode:
        raise DeploymentFailed(f"cdk {arguments[0]} failed")


def main() -> None:
    """Exits with 1 and a clear message when a step fails."""
    parser = argparse.ArgumentParser(prog="python -m infra.deploy")
    parser.add_argument("stage")
    parser.add_argument("--destroy", action="store_true", help="remove it instead, with all it holds")
    options = parser.parse_args()
    act = destroy if options.destroy else deploy
    try:
        # The CDK asks on standard output, and refuses to go on where that is no terminal.
        act(options.stage, asks=sys.stdin.isatty() and sys.stdout.isatty())
    except (SynthesisError, DeploymentFailed, RollbackRefused) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
