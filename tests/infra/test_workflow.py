"""The state machines as they are deployed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.constructs.workflow import MACHINES
from infra.lambdas import registry
from infra.lambdas.function import ASK_TIMEOUT_SECONDS, Function
from shoal.handlers.workflow.simulate import STEPS
from tests.infra.stages import DEV
from tests.infra.template import Template, all_states, synthesized, text

PATHS = {
    "generate": ["CallProvider", "StoreOutput", "SettleWallet", "PublishCompleted"],
    "generate-batch": ["CallProviders", "StoreOutput", "SettleWallet", "PublishCompleted"],
    "render-video": [
        "WriteScript",
        "Narrate",
        "RenderScenes",
        "StitchVideo",
        "SettleWallet",
        "PublishReady",
    ],
}
SCENE_PATH = ["RenderScene", "StoreClip", "PublishSceneReady"]
ENDING = (
    "SettleWallet",
    "ReleaseHold",
    "PublishFailed",
    "AnnounceLater",
    "AlreadyClosed",
    "LeftToTheSweeper",
)
"""What every machine has alike, and the state that announces success under a name of its own."""
PROVIDER_STATE = {"generate": "CallProvider", "generate-batch": "CallProvider", "render-video": "RenderScene"}


@pytest.fixture(params=PATHS)
def name(request: pytest.FixtureRequest) -> str:
    """Each machine in turn."""
    machine: str = request.param
    return machine


def test_there_are_no_other_machines(template: Template) -> None:
    assert set(MACHINES) == PATHS.keys()
    names = {
        machine["StateMachineName"] for machine in template.properties("AWS::StepFunctions::StateMachine")
    }
    assert names == {f"{template.stage.prefix}-{name}" for name in PATHS}


def test_every_substitution_is_used_and_every_name_substituted(template: Template, name: str) -> None:
    machine = template.machine(name)
    names = set(re.findall(r"\$\{(\w+)\}", machine["DefinitionString"]))
    assert names == machine["DefinitionSubstitutions"].keys()


def functions_of(definition: dict[str, Any]) -> list[Function]:
    """The functions that the states of a machine call."""
    states = all_states(definition)
    return [function for function in registry.WORKFLOW if function.camel in states]


def test_a_state_calls_the_function_of_its_name(dev: Template, name: str) -> None:
    definition, substitutions = dev.definition(name), dev.machine(name)["DefinitionSubstitutions"]
    called = [*functions_of(definition), registry.SIMULATED]
    of_all = {"EventBusName", "Partition", "TableName"}
    assert {f"{function.camel}Function" for function in called} | of_all == set(substitutions)
    called.remove(registry.SIMULATED)
    for function in called:
        state = all_states(definition)[function.camel]
        assert f"${{{function.camel}Function}}" in state["Arguments"]["FunctionName"]
        assert (
            text(substitutions[f"{function.camel}Function"]) == f"<Functions{function.camel}CurrentVersion>"
        )


def test_every_function_of_the_workflows_is_called_by_one(dev: Template) -> None:
    called = {function.verb for name in PATHS for function in functions_of(dev.definition(name))}
    assert called == {function.verb for function in registry.WORKFLOW} - {"simulate"}


def test_what_makes_or_checks_something_has_a_function_for_simulated_work(dev: Template) -> None:
    """Shared are only the two that settle and release, which take milliseconds."""
    told = {}
    for name in PATHS:
        for state, each in all_states(dev.definition(name)).items():
            if (
                ":lambda:invoke" in each.get("Resource", "")
                and "Simulate" in each["Arguments"]["FunctionName"]
            ):
                told[state] = each["Arguments"]
    shared = {function.camel for function in registry.WORKFLOW} - told.keys() - {"Simulate"}
    assert shared == {"SettleWallet", "ReleaseHold"}
    for state, arguments in told.items():
        verb = next(f.verb for f in registry.WORKFLOW if f.camel == state)
        choice = f"{{% $states.input.simulated = true ? '${{SimulateFunction}}' : '${{{state}Function}}' %}}"
        assert arguments["FunctionName"] == choice
        assert f"'step': '{verb}'" in str(arguments["Payload"])
    assert {f.verb for f in registry.WORKFLOW if f.camel in told} == STEPS.keys()


def test_only_production_reserves_concurrency_for_simulated_work(prod: Template, dev: Template) -> None:
    for verb in ("simulate", "poll_simulated"):
        assert prod.function(verb)["ReservedConcurrentExecutions"] == prod.stage.simulated_concurrency_max
        assert "ReservedConcurrentExecutions" not in dev.function(verb)


def test_a_state_waits_longer_than_the_stages_deadline_by_a_providers_answer(
    dev: Template, tmp_path: Path, name: str
) -> None:
    state = PROVIDER_STATE[name]
    assert all_states(dev.definition(name))[state]["TimeoutSeconds"] == 180 + ASK_TIMEOUT_SECONDS
    hurried = synthesized(replace(DEV, provider_deadline_s=7, clip_deadline_s=9), tmp_path)
    expected = (9 if name == "render-video" else 7) + ASK_TIMEOUT_SECONDS
    assert all_states(hurried.definition(name))[state]["TimeoutSeconds"] == expected
    environment = hurried.function("submit_job")["Environment"]["Variables"]
    assert environment["SHOAL_PROVIDER_DEADLINE_S"] == "7"
    assert environment["SHOAL_CLIP_DEADLINE_S"] == "9"


def test_a_state_waits_longer_than_its_function_runs(dev: Template, name: str) -> None:
    definition = dev.definition(name)
    for function in functions_of(definition):
        assert all_states(definition)[function.camel]["TimeoutSeconds"] > function.timeout_seconds


def test_the_happy_path_is_as_short_as_promised(dev: Template, name: str) -> None:
    definition = dev.definition(name)
    assert way_through(definition) == PATHS[name]
    if name == "render-video":
        assert len(PATHS[name]) == 6
        assert way_through(definition["States"]["RenderScenes"]["ItemProcessor"]) == SCENE_PATH


def way_through(definition: dict[str, Any]) -> list[str]:
    """The states of a machine when all goes well."""
    path = [definition["StartAt"]]
    while "Next" in definition["States"][path[-1]]:
        path.append(definition["States"][path[-1]]["Next"])
    return path


def test_several_outputs_are_asked_for_side_by_side_and_none_of_them_fails_the_others(dev: Template) -> None:
    mapped = dev.definition("generate-batch")["States"]["CallProviders"]
    assert (mapped["Type"], mapped["MaxConcurrency"]) == ("Map", 4)
    assert "ToleratedFailurePercentage" not in mapped
    (catcher,) = mapped["ItemProcessor"]["States"]["CallProvider"]["Catch"]
    assert catcher["Next"] == "OutputFailed"


def test_scenes_are_rendered_side_by_side_and_each_of_them_can_fail_the_video(dev: Template) -> None:
    mapped = dev.definition("render-video")["States"]["RenderScenes"]
    assert (mapped["Type"], mapped["MaxConcurrency"]) == ("Map", 4)
    assert "Retry" not in mapped
    scene = mapped["ItemProcessor"]["States"]
    for state in ("RenderScene", "StoreClip"):
        left, catcher = scene[state]["Catch"]
        assert (left["ErrorEquals"], left["Next"]) == (["JobClosed"], "SceneLeft")
        assert catcher["Next"] == "SceneFailed"
    assert scene["SceneFailed"]["Type"] == "Fail"


def test_all_machines_end_alike(dev: Template) -> None:
    one, *others = (dev.definition(name)["States"] for name in PATHS)
    for states in others:
        announce = states["SettleWallet"]["Next"]
        assert _uncommented(states[announce]) == _uncommented(one["PublishCompleted"])
        for state in ENDING:
            assert _ending(states, state) == _ending(one, state), state
    assert _uncommented(others[0]["StoreOutput"]) == _uncommented(one["StoreOutput"])


def _ending(states: dict[str, Any], name: str) -> dict[str, Any]:
    """A state as every machine has it: what announces success is named as the dialect calls it."""
    following = states[name].get("Next")
    success = {"Next": "the announcement"} if name == "SettleWallet" and following else {}
    return _uncommented(states[name]) | success


def test_all_machines_ask_a_provider_alike(dev: Template) -> None:
    asking = [all_states(dev.definition(name))[state] for name, state in PROVIDER_STATE.items()]
    for part in ("Resource", "TimeoutSeconds", "Retry"):
        assert asking[0][part] == asking[1][part] == asking[2][part]


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
