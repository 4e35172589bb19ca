"""`python -m infra.checks`: what can be known of the stacks and state machines before a deployment.

Prints a line for each check with its findings below it; the exit status is 1 if there are any.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aws_cdk import App, Stack
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import lint_file  # type: ignore[import-untyped]
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

from . import NODE
from .build.packages import unbuilt_packages
from .paths import ROOT, STATE_MACHINES
from .recursion import wrong_loops
from .roles import findings, roles_of
from .stacks.shoal_stage import ShoalStage
from .stage import STAGES, load_stage
from .synthesis import new_app

ASL_VALIDATOR = ROOT / "node_modules" / "asl-validator" / "dist" / "bin" / "asl-validator.js"
REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")
"""cfn-lint holds a template against these regions' services: the first has all, the others a tenth less."""
REDUNDANT_DEPENDENCY = "W3005"
"""The CDK writes dependencies out that CloudFormation would see by itself."""
RESOURCES_MAX = 420
"""Of the 500 that CloudFormation lets a stack have: the rest is room for what comes."""
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"
OWNER = {
    "alarm_email": "alarms@example.com",
    "mail_identity_arn": "arn:aws:ses:us-east-1:123456789012:identity/example.com",
    "mail_from": "Shoal <no-reply@example.com>",
    "domain": "api.example.com",
    "certificate_arn": CERTIFICATE,
    "files_domain": "files.example.com",
    "files_certificate_arn": CERTIFICATE,
}
"""What stands for settings that a stage's owner has to say."""
PROMISES_OF_A_TASK = ("TimeoutSeconds", "Retry", "Catch")

Check = Callable[[], list[str]]
"""Returns a line for each thing that is wrong."""


def main() -> int:
    """Run all checks and print what they find. Returns the exit status."""
    status = 0
    with TemporaryDirectory() as outdir:
        for name, check in checks(Path(outdir)):
            findings = check()
            print(f"{'failed' if findings else 'ok':8}{name}", *findings, sep="\n        ")
            status = 1 if findings else status
    return status


def checks(outdir: Path) -> Iterator[tuple[str, Check]]:
    """Every check with its name; what they synthesize goes into `outdir`."""
    for file in stage_files():
        stage = load_stage(file, owner=OWNER)
        app = new_app(outdir=outdir / stage.name)
        whole = ShoalStage(app, "Shoal", stage=stage, packages=unbuilt_packages(layers=stage.layers))
        yield f"cdk-nag {stage.prefix}", partial(nag, whole)
        for stack in whole.stacks:
            yield f"cfn-lint {stack.stack_name}", partial(lint_template, app, stack)
            count = count_of(app, stack)
            yield f"{count} resources of {stack.stack_name}", partial(too_many, count)
        stacks = {stack.stack_name: read_template(app, stack) for stack in whole.stacks}
        yield f"loops of {stage.prefix}", partial(wrong_loops, stacks)
        yield f"parliament {stage.prefix}: {len(roles_of(stacks))} roles", partial(findings, stacks)
    for definition in sorted(STATE_MACHINES.glob("*.asl.json")):
        yield f"asl-validator {definition.name}", partial(lint_states, definition)
        yield f"promises of the tasks of {definition.name}", partial(broken_promises, definition)


def stage_files() -> list[Path]:
    """The files of all stages, of which there is at least one."""
    found = sorted((ROOT / STAGES).glob("*.toml"))
    if not found:
        raise FileNotFoundError(f"{ROOT / STAGES} describes no stage")
    return found


def nag(stage: ShoalStage) -> list[str]:
    """Rules of AwsSolutions that the stacks break without a reason written next to the resource."""
    report = AwsSolutionsChecks().validate_scope(stage)
    return [
        f"{violation.rule_name} {resource.construct_path}: {violation.description}"
        for violation in report.violations
        for resource in violation.violating_resources
    ]


def template_of(app: App, stack: Stack) -> Path:
    """The synthesized template of a stack."""
    return Path(app.synth().directory) / stack.template_file


def read_template(app: App, stack: Stack) -> dict[str, Any]:
    """What is in the synthesized template of a stack."""
    content: dict[str, Any] = json.loads(template_of(app, stack).read_text(encoding="utf-8"))
    return content


def count_of(app: App, stack: Stack) -> int:
    """How many resources a stack has."""
    return len(read_template(app, stack)["Resources"])


def too_many(resources: int) -> list[str]:
    """Whether a stack comes near the number of resources that CloudFormation takes."""
    return [f"at most {RESOURCES_MAX}: split the stack"] if resources > RESOURCES_MAX else []


def lint_template(app: App, stack: Stack) -> list[str]:
    """What cfn-lint finds in the synthesized template."""
    template = template_of(app, stack)
    config = ManualArgs(regions=list(REGIONS), ignore_checks=[REDUNDANT_DEPENDENCY])
    matches = lint_file(template, config=config)
    return [f"{match.rule.id} {'/'.join(map(str, match.path or []))}: {match.message}" for match in matches]


def lint_states(definition: Path) -> list[str]:
    """What asl-validator finds: the shape of each state, unreachable ones, JSONata that can't be parsed."""
    command = [NODE, str(ASL_VALIDATOR), "--json-path", str(definition)]
    result = subprocess.run(  # noqa: S603 - the project's own Node, no outside input
        command, capture_output=True, text=True, check=False
    )
    return [] if result.returncode == 0 else (result.stdout + result.stderr).splitlines()


def broken_promises(definition: Path) -> list[str]:
    """Tasks that could wait for ever, give up at the first trouble, or fail without anybody noticing."""
    return [
        f"{name} has no {promise}"
        for name, state in tasks(json.loads(definition.read_text(encoding="utf-8")))
        for promise in PROMISES_OF_A_TASK
        if promise not in state
    ]


def tasks(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The Task states of a machine by name, those inside Map and Parallel included."""
    for name, state in machine["States"].items():
        if state["Type"] == "Task":
            yield name, state
        inner = [*state.get("Branches", []), *filter(None, [state.get("ItemProcessor")])]
        for machine_within in inner:
            yield from tasks(machine_within)


if __name__ == "__main__":
    sys.exit(main())
