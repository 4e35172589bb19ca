"""A submit names a version of a state machine, which names versions of functions; canaries have judges."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from infra.constructs.canary import JUDGES
from infra.lambdas import registry
from infra.stage import InvalidStage, stage_of
from tests.infra.stages import DEV, LOCAL
from tests.infra.template import Template, synthesized, text

VERSION = "AWS::Lambda::Version"
MACHINE_VERSION = "AWS::StepFunctions::StateMachineVersion"
STARTERS = ("submit_job", "serve_mcp", "show_dashboard", "sweep_jobs", "close_execution")
NEWEST = ("admit_sign_up",)
"""What the user pool calls by a name that is there before any version is."""
JUDGED_BY_MAX = 10


def versioned(template: Template) -> set[str]:
    return {text(version["FunctionName"]) for version in template.properties(VERSION)}


def test_every_function_has_a_version_and_what_no_machine_calls_an_alias(dev: Template) -> None:
    called_by_machines = {function.verb for function in registry.WORKFLOW}
    functions = [each for each in registry.functions() if each.verb not in NEWEST]
    assert versioned(dev) == {f"<Functions{each.camel}>" for each in functions}
    aliases = {text(alias["FunctionName"]): alias for alias in dev.properties("AWS::Lambda::Alias")}
    assert aliases.keys() == {
        f"<Functions{each.camel}>" for each in functions if each.verb not in called_by_machines
    }
    for function, alias in aliases.items():
        assert alias["Name"] == "live"
        assert text(alias["FunctionVersion"]) == f"{function[:-1]}CurrentVersion.Version>"


def test_nothing_but_the_user_pool_calls_the_newest_code(dev: Template) -> None:
    callers = [
        permission["FunctionName"]
        for permission in dev.properties("AWS::Lambda::Permission")
        if permission["Principal"] != "cognito-idp.amazonaws.com"
    ]
    aliases = dev.of_type("AWS::Lambda::Alias")
    assert len(callers) > len(registry.HTTP)
    assert {caller["Ref"] for caller in callers} <= aliases.keys()
    for mapping in dev.properties("AWS::Lambda::EventSourceMapping"):
        assert json.dumps(mapping["FunctionName"]).endswith('":live"]]}')
    for config in dev.properties("AWS::Lambda::EventInvokeConfig"):
        assert config["Qualifier"] == "live"


def test_a_machine_calls_versions_and_its_starters_are_told_its_version(dev: Template) -> None:
    for machine in dev.properties("AWS::StepFunctions::StateMachine"):
        called = {
            reference["Ref"]
            for name, reference in machine["DefinitionSubstitutions"].items()
            if name.endswith("Function")
        }
        assert called <= dev.of_type(VERSION).keys()
        assert called
    machines = ",".join(f"<Workflow{name}Version>" for name in ("Generate", "GenerateBatch", "RenderVideo"))
    for verb in STARTERS:
        told = dev.function(verb)["Environment"]["Variables"]["SHOAL_MACHINE_VERSIONS"]
        assert text(told) == machines
        starts = [verb for verb in STARTERS if "SHOAL_MACHINE_VERSIONS" in str(dev.function(verb))]
    assert starts == list(STARTERS)


def test_versions_outlive_the_deployment_that_made_them(dev: Template) -> None:
    for type_ in (VERSION, MACHINE_VERSION):
        for version in dev.of_type(type_).values():
            assert (version["DeletionPolicy"], version["UpdateReplacePolicy"]) == ("Retain", "Retain")
    for version in dev.properties(MACHINE_VERSION):
        revision = text(version["StateMachineRevisionId"])
        assert revision == text(version["StateMachineArn"])[:-1] + ".StateMachineRevisionId>"


def test_what_changes_a_machine_alone_makes_versions_of_it_and_of_its_starters(
    dev: Template, tmp_path: Path
) -> None:
    changed = synthesized(replace(DEV, tracing=False), tmp_path)
    for type_ in (VERSION, MACHINE_VERSION):
        assert len(dev.of_type(type_)) == len(changed.of_type(type_))
        assert dev.of_type(type_).keys().isdisjoint(changed.of_type(type_))


def test_the_sweeper_moves_before_what_leaves_work_to_it(dev: Template) -> None:
    (sweeper,) = [id_ for id_ in dev.of_type("AWS::Lambda::Alias") if id_.startswith("FunctionsSweepJobs")]
    (swept,) = [
        id_
        for id_, each in dev.of_type("AWS::Lambda::Function").items()
        if each["Properties"] == dev.function("sweep_jobs")
    ]
    for function in registry.HTTP:
        (alias,) = [
            a
            for id_, a in dev.of_type("AWS::Lambda::Alias").items()
            if id_.startswith(f"Functions{function.camel}Live")
        ]
        assert sweeper in alias["DependsOn"]
        (made,) = [
            f
            for f in dev.of_type("AWS::Lambda::Function").values()
            if f["Properties"] == dev.function(function.verb)
        ]
        assert swept in made["DependsOn"]


def test_the_record_names_each_aliases_version_and_comes_last(dev: Template) -> None:
    (record,) = dev.of_type("AWS::SSM::Parameter").values()
    aliases = dev.of_type("AWS::Lambda::Alias")
    assert record["Properties"]["Name"] == "/shoal-dev/versions"
    versions = json.loads(text(record["Properties"]["Value"]))
    assert len(versions) == len(aliases)
    assert versions["shoal-dev-submit-job"] == "<FunctionsSubmitJobCurrentVersion.Version>"
    assert set(record["DependsOn"]) == aliases.keys()


def test_each_function_of_the_api_is_moved_little_by_little_with_alarms_as_judges(prod: Template) -> None:
    groups = prod.of_type("AWS::CodeDeploy::DeploymentGroup")
    assert len(groups) == len(registry.HTTP)
    alarms = {alarm.get("AlarmName") for alarm in prod.properties("AWS::CloudWatch::Alarm")}
    for group in (each["Properties"] for each in groups.values()):
        judges = [alarm["Name"] for alarm in group["AlarmConfiguration"]["Alarms"]]
        assert judges == [f"shoal-prod-{name}" for name in JUDGES]
        assert len(judges) <= JUDGED_BY_MAX
        assert set(judges) <= alarms
        assert group["AlarmConfiguration"]["Enabled"] is True
        assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent10Minutes"
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    moved_by = {
        text(alias["Properties"]["FunctionName"]): alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
        for alias in prod.of_type("AWS::Lambda::Alias").values()
        if "UpdatePolicy" in alias
    }
    assert moved_by.keys() == {f"<Functions{function.camel}>" for function in registry.HTTP}
    assert {policy["DeploymentGroupName"]["Ref"] for policy in moved_by.values()} == groups.keys()


def test_a_stage_without_versions_has_none_of_it(local: Template) -> None:
    types = {resource["Type"] for resource in local.content["Resources"].values()}
    assert types.isdisjoint({VERSION, MACHINE_VERSION, "AWS::Lambda::Alias", "AWS::SSM::Parameter"})
    assert not [type_ for type_ in types if type_.startswith("AWS::CodeDeploy::")]
    assert LOCAL.versions is False


def test_a_canary_needs_versions() -> None:
    with pytest.raises(InvalidStage, match="canary: only versions can be moved to little by little"):
        stage_of("trial", "dev", canary="10-percent-5-minutes", versions=False)
