"""Every function finds in its layers what it imports, early or late; none carries espeak-ng unasked."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

from infra.build import layer
from infra.lambdas import registry
from infra.lambdas.function import Function
from infra.paths import FUNCTIONS
from tests.infra.stages import DEV
from tests.infra.template import Template, synthesized, text

AWS = {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
SPEAKING = [function for function in registry.functions() if function.voice]
NOT_ON_PROD = {
    "shoal.use_cases.payments.manage_stripe",
    "shoal.use_cases.providers.manage_providers",
    "shoal.media.speech",
}
"""What only the operator's command makes, and what speaks where a stage asks for espeak-ng."""
ELSEWHERE = {"cli", "__main__.py", "operator.py", "webhook_verifier.py"}
"""The operator's command, and what customers copy: no function runs them."""
OURS = {"shoal", "shoal-client"}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A stage that asks for espeak-ng."""
    return synthesized(replace(DEV, espeak=True), tmp_path_factory.mktemp("asked"))


def layers_of(template: Template, verb: str) -> tuple[str, ...]:
    """Names of the layers that a function carries."""
    resources = template.content["Resources"]
    names = [resources[ref["Ref"]]["Properties"]["LayerName"] for ref in template.function(verb)["Layers"]]
    return tuple(name.removeprefix(f"{template.stage.prefix}-") for name in names)


@cache
def packages_of(name: str) -> frozenset[str]:
    return frozenset(re.findall(r"^([\w-]+)==", layer.requirements(name), re.MULTILINE))


@cache
def modules() -> dict[str, set[str]]:
    """The packages that bring each top-level module here."""
    return {
        module: {re.sub(r"[-_.]+", "-", name).lower() for name in names}
        for module, names in packages_distributions().items()
    }


def absent(layers: tuple[str, ...]) -> list[str]:
    """Top-level modules that no package of these layers brings."""
    carried = OURS.union(*map(packages_of, layers))
    return sorted(module for module, names in modules().items() if not names & carried)


def environment(template: Template, functions: list[Function]) -> dict[str, str]:
    variables = AWS | {}
    for function in functions:
        found = template.function(function.verb)["Environment"]["Variables"]
        variables |= {name: re.sub("[<>]", "", text(value)) for name, value in found.items()}
    return variables


def made(template: Template, functions: list[Function], layers: tuple[str, ...]) -> list[str]:
    """What the program prints of functions that carry the same layers."""
    told: dict[str, Any] = {
        "absent": absent(layers),
        "environment": environment(template, functions),
        "verbs": {function.verb: function.handler for function in functions},
    }
    result = subprocess.run(
        [sys.executable, "-m", "tests.infra.build.carried"],
        check=False,
        input=json.dumps(told),
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def late_imports() -> Iterator[str]:
    """The modules that the functions import when they run."""
    for file in sorted((FUNCTIONS / "shoal").rglob("*.py")):
        if ELSEWHERE.isdisjoint(file.relative_to(FUNCTIONS).parts):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
                for node in ast.walk(function):
                    if isinstance(node, ast.Import):
                        yield from (alias.name for alias in node.names)
                    elif isinstance(node, ast.ImportFrom) and node.module:
                        yield node.module


def test_every_function_makes_all_it_uses_with_the_packages_of_its_layers(prod: Template) -> None:
    alike: dict[tuple[str, ...], list[Function]] = defaultdict(list)
    for function in registry.functions():
        alike[layers_of(prod, function.verb)].append(function)
    assert len(alike) > 4
    loaded: set[str] = set()
    for layers, functions in alike.items():
        *printed, modules_loaded = made(prod, functions, layers)
        assert {function.verb for function in functions} <= set(printed)
        loaded |= set(modules_loaded.split())
    late = set(late_imports())
    assert len(late) > 50
    assert late - loaded == NOT_ON_PROD, "nothing here runs what imports these"


def test_what_a_layer_lacks_is_noticed(prod: Template) -> None:
    narrate = next(function for function in SPEAKING if function.verb == "narrate")
    with pytest.raises(AssertionError, match="No module named 'av'"):
        made(prod, [narrate], ("base", "media"))


def test_no_stage_on_aws_carries_espeak_ng_unless_it_asks(dev: Template, prod: Template) -> None:
    for template in (dev, prod):
        names = {properties["LayerName"] for properties in template.properties("AWS::Lambda::LayerVersion")}
        assert f"{template.stage.prefix}-voice" not in names
        assert "polly" in template.stage.iam_providers
    carried = set[str]().union(*(packages_of(name) for name in layer.LAYERS if name != "voice"))
    assert "espeakng-loader" not in carried
    assert packages_of("voice") == {"espeakng-loader"}


@pytest.mark.parametrize("stage", ["dev", "prod", "asked"])
def test_a_function_that_speaks_has_what_it_speaks_with(stage: str, request: pytest.FixtureRequest) -> None:
    template: Template = request.getfixturevalue(stage)
    asks = template.stage.espeak
    for function in SPEAKING:
        layers = layers_of(template, function.verb)
        assert ("voice" in layers) == asks
        assert made(template, [function], layers)[0] == f"speaks: {'espeak' if asks else 'tones'}"


def test_only_functions_that_speak_may_carry_a_voice(asked: Template) -> None:
    for function in registry.functions():
        assert ("voice" in layers_of(asked, function.verb)) == function.voice
        assert ("espeak" in function.settings.model_fields) == function.voice


def test_the_local_stage_speaks_with_espeak_ng(local: Template) -> None:
    for function in SPEAKING:
        assert local.function(function.verb)["Environment"]["Variables"]["SHOAL_ESPEAK"] == "true"
