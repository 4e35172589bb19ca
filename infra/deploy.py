"""`python -m infra.deploy STAGE`: show what a deployment would change, then deploy all stacks of the stage.

In a terminal the CDK asks before it widens what anybody may do; without one nobody could answer, and what was
shown stands in the log.
"""

from __future__ import annotations

import os
import subprocess
import sys

from . import NODE
from .errors import SynthesisError
from .paths import ROOT
from .stage import STAGES, load_stage

CDK = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
ASSEMBLY = "cdk.out"


class DeploymentFailed(Exception):
    """A step of the CDK failed; it has said why."""


def deploy(stage: str, *, asks: bool) -> None:
    """Raises `InvalidStage`, and `DeploymentFailed` at the first step that fails."""
    described = load_stage(ROOT / STAGES / f"{stage}.toml")
    if described.kind == "local" and "AWS_ENDPOINT_URL" not in os.environ:
        raise DeploymentFailed(f"{stage} is for this machine: `make run` deploys it")
    _cdk("synth", "--quiet", "-c", f"stage={stage}", "--output", ASSEMBLY)
    synthesized = ("--app", ASSEMBLY)
    _cdk("bootstrap", *synthesized)
    _cdk("diff", "--all", *synthesized)
    approval = ("--require-approval", "broadening" if asks else "never")
    # By force, for the CDK passes over a stack whose template is the same, though what it reads of another
    # stack may not be.
    _cdk("deploy", "--all", "--force", *synthesized, *approval)


def _cdk(*arguments: str) -> None:
    result = subprocess.run([NODE, str(CDK), *arguments, "--no-notices"], cwd=ROOT, check=False)  # noqa: S603 our own program
    if result.returncode:
        raise DeploymentFailed(f"cdk {arguments[0]} failed")


def main() -> None:
    """Exits with 1 and a clear message when a step fails."""
    try:
        # The CDK asks on standard output, and refuses to go on where that is no terminal.
        deploy(sys.argv[1], asks=sys.stdin.isatty() and sys.stdout.isatty())
    except (SynthesisError, DeploymentFailed) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
