"""The checks find what they are there to find."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnResource, Stack
from aws_cdk import aws_s3 as s3

from infra import checks, roles
from infra.build.packages import unbuilt_packages
from infra.stacks.shoal_stage import ShoalStage
from infra.synthesis import new_app
from tests.infra.stages import DEV
from tests.infra.template import Template


def machine_file(folder: Path, **changes: Any) -> Path:
    """A machine of one good task, with changes to it."""
    task: dict[str, Any] = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": "f", "Payload": "{% $states.input %}"},
        "TimeoutSeconds": 10,
        "Retry": [{"ErrorEquals": ["States.ALL"]}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}],
        "End": True,
    }
    task = {key: value for key, value in (task | changes).items() if value is not None}
    states = {"Work": task, "Failed": {"Type": "Fail"}}
    file = folder / "machine.asl.json"
    file.write_text(
        json.dumps({"QueryLanguage": "JSONata", "StartAt": "Work", "States": states}), encoding="utf-8"
    )
    return file


def test_a_good_machine_passes(tmp_path: Path) -> None:
    file = machine_file(tmp_path)
    assert checks.lint_states(file) == []
    assert checks.broken_promises(file) == []


@pytest.mark.parametrize("promise", ["TimeoutSeconds", "Retry"])
def test_a_task_without_a_promise_is_found(tmp_path: Path, promise: str) -> None:
    assert checks.broken_promises(machine_file(tmp_path, **{promise: None})) == [f"Work has no {promise}"]


@pytest.mark.parametrize(
    "changes",
    [
        {"End": None, "Next": "Nowhere"},
        {"Arguments": {"FunctionName": "f", "Payload": "{% $states.( %}"}},
        {"TimeoutSeconds": "soon"},
    ],
    ids=["a target that is not there", "JSONata that is none", "a time-out that is no number"],
)
def test_a_machine_that_aws_would_refuse_is_found(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert checks.lint_states(machine_file(tmp_path, **changes))


def whole_stage(app: App) -> ShoalStage:
    return ShoalStage(app, "Shoal", stage=DEV, packages=unbuilt_packages(layers=True))


def test_a_resource_that_breaks_a_rule_is_found_in_any_stack(tmp_path: Path) -> None:
    stage = whole_stage(new_app(outdir=tmp_path))
    for stack in stage.stacks:
        s3.Bucket(stack, "Careless")
    findings = checks.nag(stage)
    assert all("/Careless" in finding for finding in findings)
    for name in ("State", "Service", "Watch"):
        assert any(f"Shoal/{name}/Careless" in finding for finding in findings)


def test_a_template_that_cloudformation_would_refuse_is_found(tmp_path: Path) -> None:
    app = new_app(outdir=tmp_path)
    state = whole_stage(app).state
    state.storage.table.node.default_child.add_property_override("BillingMode", "FREE")  # type: ignore[union-attr]
    assert any("BillingMode" in finding for finding in checks.lint_template(app, state))


def test_a_resource_that_a_region_does_not_have_is_found(tmp_path: Path) -> None:
    app = new_app(outdir=tmp_path)
    stack = Stack(app, "Elsewhere")
    CfnResource(stack, "Archive", type="AWS::AccessAnalyzer::ArchiveRule")
    found = "\n".join(checks.lint_template(app, stack))
    assert all(f"does not exist in '{region}'" in found for region in ("eu-west-1", "ap-southeast-2"))


def test_a_stack_with_little_room_left_is_found(tmp_path: Path) -> None:
    def found(others: int) -> list[str]:
        app = new_app(outdir=tmp_path / str(others))
        stack = Stack(app, "Growing")
        for number in range(others):
            CfnResource(stack, f"Another{number}", type="AWS::CloudFormation::WaitConditionHandle")
        return checks.too_many(checks.count_of(app, stack))

    assert found(420) == []
    assert found(421) == ["at most 420: split the stack"]


def test_every_stage_of_the_project_is_checked() -> None:
    assert [file.stem for file in checks.stage_files()] == ["dev", "local", "prod"]


def test_roles_ask_for_nothing_that_aws_does_not_know(dev: Template) -> None:
    assert len(roles.roles_of(dev.stacks)) > 40
    assert roles.findings(dev.stacks) == []


@pytest.mark.parametrize(
    ("changes", "issue"),
    [
        ({"Action": "dynamodb:GetItems"}, "UNKNOWN_ACTION"),
        ({"Resource": {"Fn::GetAtt": ["Queue", "Arn"]}}, "RESOURCE_MISMATCH"),
        ({"Condition": {"StringLike": {"dynamodb:Keys": ["A"]}}}, "UNKNOWN_CONDITION_FOR_ACTION"),
    ],
)
def test_a_grant_of_what_aws_does_not_know_is_found(changes: dict[str, Any], issue: str) -> None:
    grant = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": {"Fn::GetAtt": ["Table", "Arn"]}}

    def found(**changed: Any) -> list[str]:
        policy = {"PolicyDocument": {"Version": "2012-10-17", "Statement": [grant | changed]}}
        resources = {
            "Table": {"Type": "AWS::DynamoDB::Table"},
            "Queue": {"Type": "AWS::SQS::Queue"},
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"Policies": [policy]}},
        }
        return roles.findings({"stack": {"Resources": resources}})

    assert found() == []
    (finding,) = found(**changes)
    assert finding.startswith(f"Role: {issue} ")
