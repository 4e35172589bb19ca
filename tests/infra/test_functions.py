"""Each Lambda finds the code, the environment and the time it needs."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from infra.lambdas import registry
from infra.lambdas.function import Function
from shoal import settings
from shoal.settings import Settings, environment_variable
from tests.infra.stages import DEV
from tests.infra.template import Template, synthesized

FUNCTIONS = list(registry.functions())
POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}
API_TIMEOUT_SECONDS = 30


@pytest.fixture(params=FUNCTIONS, ids=lambda function: function.verb)
def function(request: pytest.FixtureRequest) -> Function:
    found: Function = request.param
    return found


def test_the_stack_has_the_functions_of_the_registry_and_no_others(template: Template) -> None:
    own = [each for each in template.properties("AWS::Lambda::Function") if "FunctionName" in each]
    names = {properties["FunctionName"] for properties in own}
    assert len(template.properties("AWS::Lambda::Function")) - len(own) == template.stage.emptied
    assert names == {f"{template.stage.prefix}-{function.verb.replace('_', '-')}" for function in FUNCTIONS}


def test_the_environment_is_the_settings_model(template: Template, function: Function) -> None:
    environment = template.function(function.verb)["Environment"]["Variables"]
    fields = {environment_variable(field) for field in function.settings.model_fields}
    assert environment.keys() == fields | POWERTOOLS
    assert environment["SHOAL_STAGE"] == template.stage.name
    assert environment["POWERTOOLS_SERVICE_NAME"] == template.stage.prefix


def test_the_handler_is_there(function: Function) -> None:
    module, _, name = function.handler.rpartition(".")
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    with open(spec.origin, encoding="utf-8") as source:
        assert any(line.startswith((f"{name} = ", f"def {name}(")) for line in source)


def test_functions_run_on_the_platform_the_layers_are_built_for(dev: Template, function: Function) -> None:
    properties = dev.function(function.verb)
    assert properties["Runtime"] == "python3.13"
    assert properties["Architectures"] == ["arm64"]
    parts = (function.media, function.video, function.stripe, function.web, function.mcp)
    assert len(properties["Layers"]) == 1 + sum(parts)
    assert function.media or not function.video, "PyAV comes on top of Pillow"
    assert properties["EphemeralStorage"] == {"Size": function.disk_mb}
    for layer in dev.properties("AWS::Lambda::LayerVersion"):
        assert layer["CompatibleRuntimes"] == ["python3.13"]
        assert layer["CompatibleArchitectures"] == ["arm64"]


def test_the_local_stage_has_no_layers_and_no_traces(local: Template, function: Function) -> None:
    properties = local.function(function.verb)
    assert "Layers" not in properties
    assert "TracingConfig" not in properties
    assert not local.of_type("AWS::Lambda::LayerVersion")


def test_traces_are_on_where_the_stage_has_them(dev: Template, function: Function) -> None:
    assert dev.function(function.verb)["TracingConfig"] == {"Mode": "Active"}


def test_the_api_waits_longer_than_its_functions_run(dev: Template) -> None:
    for function in registry.HTTP:
        assert dev.function(function.verb)["Timeout"] < API_TIMEOUT_SECONDS


def test_only_the_local_stage_reaches_out_to_this_machine(template: Template) -> None:
    environment = template.function("submit_job")["Environment"]["Variables"]
    assert environment["SHOAL_LOOPBACK_ALLOWED"] == str(template.stage.name == "local").lower()


def test_a_function_writes_into_a_log_group_made_for_it(template: Template, function: Function) -> None:
    properties = template.function(function.verb)
    group_id = properties["LoggingConfig"]["LogGroup"]["Ref"]
    group = template.content["Resources"][group_id]["Properties"]
    assert group["LogGroupName"] == f"/aws/lambda/{properties['FunctionName']}"


def test_a_settings_field_the_stack_knows_nothing_of_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class ReadHealthSettings(Settings):
        moon_phase: str

    monkeypatch.setattr(settings, "ReadHealthSettings", ReadHealthSettings)
    with pytest.raises(ValueError, match=r"ReadHealthSettings asks for \['moon_phase'\]"):
        synthesized(DEV, tmp_path)


@pytest.mark.parametrize("verb", ["call_provider", "render_scene", "poll_provider"])
def test_what_waits_for_a_provider_is_small(dev: Template, verb: str) -> None:
    properties = dev.function(verb)
    assert properties["MemorySize"] == 256
    assert len(properties["Layers"]) == 1, "the packages that every function carries"
