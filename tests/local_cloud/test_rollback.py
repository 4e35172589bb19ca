"""What a rollback refuses, and what it passes over; `tests/e2e/test_versions.py` rolls a whole stage back."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pytest

from infra.constructs.versions import record_name
from infra.rollback import RollbackRefused, roll_back, rolled_back
from infra.stage import Stage
from tests.infra.stages import LOCAL
from tests.local_cloud.lab import Lab

SOURCE = "def handler(event, context):\n    return {number}\n"


@dataclass
class Deployment:
    """A stage of small functions, deployed by hand."""

    lab: Lab
    stage: Stage
    functions: list[str]

    def record(self, **versions: str) -> None:
        self.lab.endpoint.client("ssm").put_parameter(
            Name=record_name(self.stage), Value=json.dumps(versions), Type="String", Overwrite=True
        )

    def live(self) -> list[str]:
        lambdas = self.lab.endpoint.client("lambda")
        return [lambdas.get_alias(FunctionName=f, Name="live")["FunctionVersion"] for f in self.functions]

    def roll_back(self, **options: Any) -> tuple[int, list[str]]:
        said: list[str] = []
        return roll_back(self.stage, self.lab.endpoint.client, say=said.append, **options), said


@pytest.fixture
def deployment(lab: Lab) -> Deployment:
    """Two functions with two versions each; aliases lead to the second."""
    stage = replace(LOCAL, name=f"r{uuid4().hex[:8]}", versions=True)
    lambdas = lab.endpoint.client("lambda")
    functions = [lab.function(SOURCE.format(number=1)).rpartition(":")[2] for _ in range(2)]
    for name in functions:
        lambdas.publish_version(FunctionName=name)
        lambdas.update_function_configuration(FunctionName=name, Timeout=11)
        second = lambdas.publish_version(FunctionName=name)["Version"]
        lambdas.create_alias(FunctionName=name, Name="live", FunctionVersion=second)
    queue = {"Queue": {"Type": "AWS::SQS::Queue"}}
    lab.endpoint.client("cloudformation").create_stack(
        StackName=f"{stage.prefix}-service", TemplateBody=json.dumps({"Resources": queue})
    )
    lab.endpoint.client("cloudformation").get_waiter("stack_create_complete").wait(
        StackName=f"{stage.prefix}-service", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    return Deployment(lab, stage, functions)


def test_a_set_goes_back_as_a_whole_and_once(deployment: Deployment) -> None:
    one, other = deployment.functions
    deployment.record(**{one: "1", other: "1"})
    deployment.record(**{one: "2", other: "2"})
    assert not rolled_back(deployment.stage, deployment.lab.endpoint.client)
    deployment.lab.endpoint.client("lambda").update_alias(
        FunctionName=one,
        Name="live",
        FunctionVersion="2",
        RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}},
    )
    assert rolled_back(deployment.stage, deployment.lab.endpoint.client), "a tenth leads elsewhere"

    assert deployment.roll_back()[0] == 2
    assert deployment.live() == ["1", "1"]
    assert deployment.roll_back()[0] == 0
    assert deployment.roll_back(to=2)[0] == 2
    assert deployment.live() == ["2", "2"]


def test_functions_that_came_or_went_are_named_and_left(deployment: Deployment) -> None:
    one, other = deployment.functions
    deployment.record(**{one: "1", "gone": "7"})
    deployment.record(**{one: "2", other: "2"})

    changed, said = deployment.roll_back()

    assert (changed, deployment.live()) == (1, ["1", "2"])
    assert said[1:] == [
        f"  {one}: 2 → 1",
        "  gone: the function is no longer there",
        f"  {other}: came later, and stays as it is",
    ]


def test_nothing_is_changed_where_there_is_nothing_to_go_back_to(deployment: Deployment) -> None:
    one, other = deployment.functions
    with pytest.raises(RollbackRefused, match="has no record of versions"):
        deployment.roll_back()
    deployment.record(**{one: "2", other: "2"})
    with pytest.raises(RollbackRefused, match="there is nothing to go back to"):
        deployment.roll_back()
    deployment.record(**{one: "2", other: "1"})
    with pytest.raises(RollbackRefused, match=r"there is no deployment 3: 1 of .*; 2 of "):
        deployment.roll_back(to=3)
    assert deployment.live() == ["2", "2"]


def test_nothing_is_changed_where_a_version_was_deleted(deployment: Deployment) -> None:
    one, other = deployment.functions
    deployment.record(**{one: "1", other: "1"})
    deployment.record(**{one: "2", other: "2"})
    deployment.lab.endpoint.client("lambda").delete_function(FunctionName=other, Qualifier="1")

    with pytest.raises(RollbackRefused, match=f"were deleted: {other}:1"):
        deployment.roll_back()
    assert deployment.live() == ["2", "2"]


def test_nothing_is_changed_while_a_deployment_is_under_way(deployment: Deployment) -> None:
    one, other = deployment.functions
    deployment.record(**{one: "1", other: "1"})
    deployment.record(**{one: "2", other: "2"})
    client = deployment.lab.endpoint.client

    class Updating:
        def describe_stacks(self, **_: str) -> dict[str, Any]:
            return {"Stacks": [{"StackStatus": "UPDATE_IN_PROGRESS"}]}

    def during(service: str) -> Any:
        return Updating() if service == "cloudformation" else client(service)

    with pytest.raises(
        RollbackRefused, match="is UPDATE_IN_PROGRESS: `aws cloudformation cancel-update-stack"
    ):
        roll_back(deployment.stage, during)
    assert deployment.live() == ["2", "2"]
