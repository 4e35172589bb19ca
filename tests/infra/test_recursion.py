"""A function that can cause its own invocation says what ends the loop, and no other function does."""

from __future__ import annotations

from typing import Any

import pytest

from infra.lambdas import registry
from infra.recursion import wrong_loops
from tests.infra.template import Template

Resources = dict[str, dict[str, Any]]


def test_a_function_may_call_itself_just_where_it_can(template: Template) -> None:
    assert wrong_loops(template.stacks) == []


def test_the_loops_are_known_ones(template: Template) -> None:
    in_loops = {function.verb for function in registry.functions() if function.loop_ends}
    assert in_loops == {
        "poll_provider",
        "poll_simulated",
        "fan_out_event",
        "deliver_webhook",
        "retry_webhook",
        "close_execution",
    }
    for function in registry.functions():
        setting = template.function(function.verb).get("RecursiveLoop")
        assert setting == ("Allow" if function.loop_ends else None)


def arn(id_: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [id_, "Arn"]}


def role(*statements: tuple[str, object]) -> dict[str, Any]:
    """A role that may do each action on each resource."""
    allowed = [{"Effect": "Allow", "Action": action, "Resource": on} for action, on in statements]
    document = {"PolicyDocument": {"Statement": allowed}}
    return {"Type": "AWS::IAM::Role", "Properties": {"Policies": [document]}}


def function(role: str, **properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::Lambda::Function", "Properties": {"Role": arn(role), **properties}}


def queue(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": properties}


def mapping(source: object, target: object) -> dict[str, Any]:
    properties = {"EventSourceArn": source, "FunctionName": target}
    return {"Type": "AWS::Lambda::EventSourceMapping", "Properties": properties}


def rule(targets: object, **properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::Events::Rule", "Properties": {"Targets": [{"Arn": targets}], **properties}}


OVER_A_QUEUE: Resources = {
    "Work": queue(),
    "Worker": function("WorkerRole"),
    "WorkerRole": role(("sqs:SendMessage", arn("Work"))),
    "Messages": mapping(arn("Work"), {"Ref": "Worker"}),
}
OVER_TWO_FUNCTIONS: Resources = {
    "Ping": queue(QueueName="stage-ping"),
    "Pong": queue(),
    "A": function("ARole"),
    "ARole": role(("sqs:*", {"Fn::Join": ["", ["arn:aws:sqs:r:1:", "stage-ping"]]})),
    "B": function("BRole"),
    "BRole": role(("sqs:SendMessage", arn("Pong"))),
    "ToB": mapping(arn("Ping"), {"Ref": "B"}),
    "Newest": {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": {"Ref": "A"}}},
    "ToA": mapping(arn("Pong"), {"Ref": "Newest"}),
}
OVER_A_BUS: Resources = {
    "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "stage"}},
    "Teller": function("TellerRole"),
    "TellerRole": role(("events:PutEvents", arn("Bus"))),
    "Rule": rule(arn("Teller"), EventBusName={"Ref": "Bus"}),
}
OVER_A_PASSED_ROLE: Resources = {
    "Later": queue(),
    "Planner": function("PlannerRole"),
    "PlannerRole": role(("scheduler:CreateSchedule", "*"), ("iam:PassRole", arn("ScheduleRole"))),
    "ScheduleRole": role(("sqs:SendMessage", arn("Later"))),
    "Messages": mapping(arn("Later"), arn("Planner")),
}
OVER_A_MACHINE: Resources = {
    "Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"RoleArn": arn("MachineRole")}},
    "MachineRole": role(("lambda:InvokeFunction", arn("Step"))),
    "Step": function("StepRole"),
    "StepRole": role(),
    "StepPolicy": {
        "Type": "AWS::IAM::Policy",
        "Properties": {
            "Roles": [{"Ref": "StepRole"}],
            "PolicyDocument": {
                "Statement": [{"Effect": "Allow", "Action": ["states:StartExecution"], "Resource": "*"}]
            },
        },
    },
}
OVER_A_MACHINES_END: Resources = {
    "Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"RoleArn": arn("MachineRole")}},
    "MachineRole": role(),
    "Closer": function("CloserRole"),
    "CloserRole": role(("states:StartExecution", {"Ref": "Machine"})),
    "Rule": rule(arn("Closer"), EventPattern={"detail": {"stateMachineArn": [{"Ref": "Machine"}]}}),
}
OVER_A_TOPIC: Resources = {
    "Topic": {"Type": "AWS::SNS::Topic", "Properties": {}},
    "Loud": function("LoudRole"),
    "LoudRole": role(("sns:Publish", {"Ref": "Topic"})),
    "Heard": {
        "Type": "AWS::SNS::Subscription",
        "Properties": {"TopicArn": {"Ref": "Topic"}, "Endpoint": arn("Loud")},
    },
}
OVER_A_FAILURE: Resources = {
    "Failing": function("FailingRole"),
    "FailingRole": role(("sqs:SendMessage", arn("Failures"))),
    "Failures": queue(),
    "Asynchronous": {
        "Type": "AWS::Lambda::EventInvokeConfig",
        "Properties": {
            "FunctionName": {"Ref": "Failing"},
            "DestinationConfig": {"OnFailure": {"Destination": arn("Failures")}},
        },
    },
    "Again": mapping(arn("Failures"), {"Ref": "Failing"}),
}


@pytest.mark.parametrize(
    ("resources", "in_loop"),
    [
        (OVER_A_QUEUE, {"Worker"}),
        (OVER_TWO_FUNCTIONS, {"A", "B"}),
        (OVER_A_BUS, {"Teller"}),
        (OVER_A_PASSED_ROLE, {"Planner"}),
        (OVER_A_MACHINE, {"Step"}),
        (OVER_A_MACHINES_END, {"Closer"}),
        (OVER_A_TOPIC, {"Loud"}),
        (OVER_A_FAILURE, {"Failing"}),
    ],
)
def test_a_planted_loop_is_found_until_it_has_leave(resources: Resources, in_loop: set[str]) -> None:
    found = wrong_loops({"stack": {"Resources": resources}})
    assert {finding.rpartition(": ")[2] for finding in found} == {
        f"{id_} needs leave to call itself" for id_ in in_loop
    }

    allowed = {
        id_: {**found, "Properties": {**found["Properties"], "RecursiveLoop": "Allow"}}
        if id_ in in_loop
        else found
        for id_, found in resources.items()
    }
    assert wrong_loops({"stack": {"Resources": allowed}}) == []


def test_a_loop_over_two_stacks_is_found() -> None:
    state = {
        "Resources": {"Work": OVER_A_QUEUE["Work"]},
        "Outputs": {"WorkArn": {"Value": arn("Work")}},
    }
    work = {"Fn::GetStackOutput": {"StackName": "state", "OutputName": "WorkArn"}}
    service = {
        "Resources": {
            **OVER_A_QUEUE,
            "WorkerRole": role(("sqs:SendMessage", work)),
            "Messages": mapping(work, {"Ref": "Worker"}),
        }
    }
    del service["Resources"]["Work"]

    assert wrong_loops({"state": state, "service": service}) == [
        "Worker → Work → Worker: Worker needs leave to call itself"
    ]


def test_leave_that_nobody_needs_is_found() -> None:
    idle = {"Idle": function("IdleRole", RecursiveLoop="Allow"), "IdleRole": role()}
    assert wrong_loops({"stack": {"Resources": idle}}) == ["Idle may call itself, and cannot"]


def test_a_chain_that_ends_is_no_loop() -> None:
    chain = {**OVER_A_QUEUE, "WorkerRole": role(("sqs:SendMessage", arn("Dead"))), "Dead": queue()}
    assert wrong_loops({"stack": {"Resources": chain}}) == []
