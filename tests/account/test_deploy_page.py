"""The page that leads from nothing to a first customer: short, and each of its commands does what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import Session
from botocore.validate import validate_parameters
from typer.testing import CliRunner

from infra.local.cloud import LocalCloud
from infra.stage import load_stage
from shoal.cli import app
from shoal.cli.doctor.plan import read_plan

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "deploy.md").read_text(encoding="utf-8")
STEPS_MAX, MINUTES_MAX = 6, 15
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.strip().splitlines()
]
MADE = {
    "bootstrap": "tests/local_cloud/test_bootstrap.py",
    "destroy": "tests/local_cloud/test_bootstrap.py",
    "deploy": "tests/local_cloud/test_deploy.py",
    "smoke": "tests/account/test_smoke.py",
}
"""Which test runs a target of the Makefile on the local cloud."""
NOT_LOCAL = {"service-quotas"}
"""Services that the local cloud has not: what is asked of them is held against their model alone."""
OF_PROVIDERS = "providers"
"""With a key, other tests of this cloud would ask it; tests/unit/cli/test_providers.py has these on fakes."""


def begin(*words: str) -> list[str]:
    return [command for command in COMMANDS if shlex.split(command)[: len(words)] == list(words)]


def test_it_is_a_few_steps_and_minutes_of_a_persons_time() -> None:
    steps = re.findall(r"^## (\d)\. .*?(?=^## )", PAGE, re.DOTALL | re.MULTILINE)
    minutes = [int(number) for number in re.findall(r"\*\((\d+)\s+minutes?", PAGE)]
    assert [int(step) for step in steps] == list(range(1, len(steps) + 1))
    assert len(steps) == len(minutes) <= STEPS_MAX
    assert sum(minutes) <= MINUTES_MAX


def test_every_command_is_of_a_kind_that_is_tried_here() -> None:
    known = {*begin("aws"), *begin("shoal"), *begin("make"), *begin("export"), *begin(".")}
    assert set(COMMANDS) - known == set()


def test_its_stage_is_one(tmp_path: Path) -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "prod.toml"
    file.write_text(text)
    stage = load_stage(file)
    assert (stage.kind, stage.domain, stage.tags["team"]) == ("prod", "api.example.com", "platform")
    assert read_plan(file).files_domain == stage.files_domain


def test_its_targets_are_there_and_tested() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = [shlex.split(command)[1] for command in begin("make")]
    assert set(targets) == set(MADE)
    assert all(re.search(rf"^{target}: ", makefile, re.MULTILINE) for target in targets)
    assert all((ROOT / test).is_file() for test in MADE.values())


def test_what_it_asks_of_aws_is_done(cloud: LocalCloud) -> None:
    """In its order: one command gives rights to the role of another."""
    for command in begin("aws"):
        service, operation, given = read(command)
        model = Session().get_service_model(service).operation_model(operation)
        assert model.input_shape is not None
        validate_parameters(given, model.input_shape)
        if service not in NOT_LOCAL:
            answer = getattr(cloud.client(service), xform_name(operation))(**given)
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


def read(command: str) -> tuple[str, str, dict[str, Any]]:
    """A command of the AWS CLI as service, operation and parameters, by the service's model."""
    _, service, name, *words = shlex.split(command)
    model = Session().get_service_model(service)
    operation = next(each for each in model.operation_names if xform_name(each, "-") == name)
    shape = model.operation_model(operation).input_shape
    members = {} if shape is None else shape.members
    by_option = {xform_name(member, "-"): member for member in members}
    given: dict[str, Any] = {}
    for option, value in re.findall(r"--([\w-]+)(?: ((?!--)\S+))?", shlex.join(words)):
        if option == "region":
            continue
        member = by_option[option]
        text = shlex.split(value)[0] if value else ""
        if text.startswith("file://"):
            text = (ROOT / text.removeprefix("file://")).read_text()
        kind = members[member].type_name
        given[member] = {"list": [text], "boolean": True}.get(kind) or (
            float(text) if kind in ("double", "integer") else text
        )
    return service, operation, given


def test_its_commands_of_an_operator_work_on_a_stage(
    at_local_stage: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In their order, on the local stage in place of `prod`."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "200")
    at_local_stage.client("ssm").put_parameter(
        Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String", Overwrite=True
    )
    said = []
    for command in begin("shoal"):
        words = [word if word != "prod" else "local" for word in shlex.split(command)[1:]]
        if words[2] == OF_PROVIDERS:
            continue
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, f"{command}: {result.output}"
        said.append(result.stdout)
    before, after, account = said
    assert "the simulator makes all pictures" in before
    assert "shoal-local-service: CREATE_COMPLETE" in after
    assert "Keep the key now" in account
