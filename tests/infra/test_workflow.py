"""The state machine as it is deployed."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra import registry
from infra.stage import DEV
from tests.infra.template import Template, synthesized, text


def definition_of(template: Template) -> dict[str, Any]:
    definition: dict[str, Any] = json.loads(
        template.one("AWS::StepFunctions::StateMachine")["DefinitionString"]
    )
    return definition


def test_every_substitution_is_used_and_every_name_substituted(template: Template) -> None:
    machine = template.one("AWS::StepFunctions::StateMachine")
    names = set(re.findall(r"\$\{(\w+)\}", machine["DefinitionString"]))
    assert names == machine["DefinitionSubstitutions"].keys()


@pytest.mark.parametrize("function", registry.WORKFLOW, ids=lambda function: function.verb)
def test_a_state_calls_the_function_of_its_name(dev: Template, function: registry.Function) -> None:
    state = definition_of(dev)["States"][function.camel]
    assert state["Arguments"]["FunctionName"] == f"${{{function.camel}Function}}"
    substitutions = dev.one("AWS::StepFunctions::StateMachine")["DefinitionSubstitutions"]
    assert text(substitutions[f"{function.camel}Function"]) == f"<Functions{function.camel}.Arn>"


def test_the_provider_deadline_is_the_stages(dev: Template, tmp_path: Path) -> None:
    assert definition_of(dev)["States"]["CallProvider"]["TimeoutSeconds"] == 180
    hurried = synthesized(replace(DEV, provider_deadline_s=7), tmp_path)
    assert definition_of(hurried)["States"]["CallProvider"]["TimeoutSeconds"] == 7
    assert hurried.function("submit_job")["Environment"]["Variables"]["SHOAL_PROVIDER_DEADLINE_S"] == "7"


@pytest.mark.parametrize("function", registry.WORKFLOW, ids=lambda function: function.verb)
def test_a_state_waits_longer_than_its_function_runs(dev: Template, function: registry.Function) -> None:
    assert definition_of(dev)["States"][function.camel]["TimeoutSeconds"] > function.timeout_seconds


def test_the_happy_path_has_four_states(dev: Template) -> None:
    definition = definition_of(dev)
    path = [definition["StartAt"]]
    while "Next" in definition["States"][path[-1]]:
        path.append(definition["States"][path[-1]]["Next"])
    assert path == ["CallProvider", "StoreOutput", "SettleWallet", "PublishCompleted"]


def test_the_machine_is_standard_logged_without_data_and_traced(dev: Template, local: Template) -> None:
    machine = dev.one("AWS::StepFunctions::StateMachine")
    assert machine["StateMachineType"] == "STANDARD"
    assert machine["StateMachineName"] == "shoal-dev-generate"
    assert machine["LoggingConfiguration"]["Level"] == "ALL"
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert not local.one("AWS::StepFunctions::StateMachine").get("TracingConfiguration", {}).get("Enabled")
