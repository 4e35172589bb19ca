"""`make deploy`, by the real CDK, into a local cloud: it shows what changes, and asks who can answer."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from infra.local.aws import Endpoint
from infra.local.run import CDK_ENVIRONMENT
from infra.paths import ROOT

SECONDS_MAX = 240
QUESTION = "Do you wish to deploy these changes"


def deploy(
    endpoint: Endpoint, stage: str = "local", *options: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Without a terminal, as a pipeline does."""
    return subprocess.run(  # noqa: S603 our own program
        [sys.executable, "-m", "infra.deploy", stage, *options],
        cwd=ROOT,
        env={**os.environ, **endpoint.environment(), **CDK_ENVIRONMENT, **settings},
        stdin=subprocess.DEVNULL,
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
    )


@pytest.mark.timeout(600)
def test_a_deployment_without_a_terminal_shows_what_changes_and_goes_through(endpoint: Endpoint) -> None:
    first = deploy(endpoint)
    said = first.stdout + first.stderr
    assert first.returncode == 0, said
    assert "[+] AWS::DynamoDB::Table" in said
    assert QUESTION not in said
    stacks = endpoint.client("cloudformation").describe_stacks()["Stacks"]
    assert {"shoal-local-state", "shoal-local-service", "shoal-local-watch"} <= {
        stack["StackName"] for stack in stacks if stack["StackStatus"].endswith("_COMPLETE")
    }

    second = deploy(endpoint, SHOAL_PROVIDER_DEADLINE_S="77")
    said = second.stdout + second.stderr
    assert second.returncode == 0, said
    assert "[~] AWS::StepFunctions::StateMachine" in said
    assert "[+] AWS::DynamoDB::Table" not in said


def test_a_stage_that_cannot_be_is_refused_before_anything_is_synthesized(endpoint: Endpoint) -> None:
    refused = deploy(endpoint, "nowhere")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    assert "nowhere.toml: the stages of" in refused.stderr


def test_a_stage_of_this_machine_is_not_deployed_to_an_account() -> None:
    environ = {name: value for name, value in os.environ.items() if name != "AWS_ENDPOINT_URL"}
    refused = subprocess.run(
        [sys.executable, "-m", "infra.deploy", "local"],
        cwd=ROOT,
        env=environ,
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
    )
    assert (refused.returncode, refused.stderr) == (1, "local is for this machine: `make run` deploys it\n")
