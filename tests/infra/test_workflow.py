"""The state machines as they are deployed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra import registry
from infra.constructs.workflow import MACHINES
from infra.function import Function
from infra.stage import DEV
from tests.infra.template import Template, all_states, synthesized, text

REST = ("StoreOutput", "SettleWallet", "PublishCompleted")
FIRST_STATES = {"generate": "CallProvider", "generate-batch": "CallProviders"}


@pytest.fixture(params=FIRST_STATES)
def name(request: pytest.FixtureRequest) -> str:
    """Each machine in turn."""
    machine: str = request.param
    return machine


def test_there_are_no_other_machines(template: Template) -> None:
    assert set(MACHINES) == FIRST_STATES.keys()
    names = {
        machine["StateMachineName"] for machine in template.properties("AWS::StepFunctions::StateMachine")
    }
    assert names == {f"{template.stage.prefix}-{name}" for name in FIRST_STATES}


def test_every_substitution_is_used_and_every_name_substituted(template: Template, name: str) -> None:
    machine = template.machine(name)
    names = set(re.findall(r"\$\{(\w+)\}", machine["DefinitionString"]))
    assert names == machine["DefinitionSubstitutions"].keys()


@pytest.mark.parametrize("function", registry.WORKFLOW, ids=lambda function: function.verb)
def test_a_state_calls_the_function_of_its_name(dev: Template, name: str, function: Function) -> None:
    state = all_states(dev.definition(name))[function.camel]
    assert state["Arguments"]["FunctionName"] == f"${{{function.camel}Function}}"
    substitutions = dev.machine(name)["DefinitionSubstitutions"]
    assert text(substitutions[f"{function.camel}Function"]) == f"<Functions{function.camel}.Arn>"


def test_the_provider_deadline_is_the_stages(dev: Template, tmp_path: Path, name: str) -> None:
    assert all_states(dev.definition(name))["CallProvider"]["TimeoutSeconds"] == 180
    hurried = synthesized(replace(DEV, provider_deadline_s=7), tmp_path)
    assert all_states(hurried.definition(name))["CallProvider"]["TimeoutSeconds"] == 7
    assert hurried.function("submit_job")["Environment"]["Variables"]["SHOAL_PROVIDER_DEADLINE_S"] == "7"


@pytest.mark.parametrize("function", registry.WORKFLOW, ids=lambda function: function.verb)
def test_a_state_waits_longer_than_its_function_runs(dev: Template, name: str, function: Function) -> None:
    assert all_states(dev.definition(name))[function.camel]["TimeoutSeconds"] > function.timeout_seconds


def test_the_happy_path_has_four_states(dev: Template, name: str) -> None:
    definition = dev.definition(name)
    path = [definition["StartAt"]]
    while "Next" in definition["States"][path[-1]]:
        path.append(definition["States"][path[-1]]["Next"])
    assert path == [FIRST_STATES[name], *REST]


def test_several_outputs_are_asked_for_side_by_side_and_none_of_them_fails_the_others(dev: Template) -> None:
    mapped = dev.definition("generate-batch")["States"]["CallProviders"]
    assert (mapped["Type"], mapped["MaxConcurrency"]) == ("Map", 4)
    assert "ToleratedFailurePercentage" not in mapped
    (catcher,) = mapped["ItemProcessor"]["States"]["CallProvider"]["Catch"]
    assert (catcher["ErrorEquals"], catcher["Next"]) == (["States.ALL"], "OutputFailed")


def test_both_machines_go_the_same_way_once_the_provider_has_answered(dev: Template) -> None:
    one, several = (dev.definition(name)["States"] for name in FIRST_STATES)
    (asking_one,), (asking_several,) = one.keys() - several.keys(), several.keys() - one.keys()
    assert (asking_one, asking_several) == ("CallProvider", "CallProviders")
    for state in one.keys() & several.keys():
        assert _uncommented(one[state]) == _uncommented(several[state]), state


def test_both_machines_ask_for_an_output_alike(dev: Template) -> None:
    one, several = (all_states(dev.definition(name))["CallProvider"] for name in FIRST_STATES)
    for part in ("Resource", "TimeoutSeconds", "Retry"):
        assert one[part] == several[part]


def _uncommented(state: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in state.items() if field != "Comment"}


def test_a_machine_is_standard_logged_without_data_and_traced(
    dev: Template, local: Template, name: str
) -> None:
    machine = dev.machine(name)
    assert machine["StateMachineType"] == "STANDARD"
    assert machine["StateMachineName"] == f"shoal-dev-{name}"
    assert machine["LoggingConfiguration"]["Level"] == "ALL"
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert not local.machine(name).get("TracingConfiguration", {}).get("Enabled")
