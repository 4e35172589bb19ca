"""The reference implementation of JSONata reads the state machines as the local cloud does.

`jsonata/bindings.json` holds what `$states` was in executions of every machine: good ones, failed ones, ones
that were closed from outside. Each expression is evaluated with all of them by both.
"""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ministack.services import stepfunctions  # type: ignore[import-untyped]

from infra import NODE
from infra.paths import ROOT, STATE_MACHINES

HERE = Path(__file__).with_name("jsonata")
RECORDED: list[dict[str, Any]] = json.loads((HERE / "bindings.json").read_text(encoding="utf-8"))
EXPRESSION = re.compile(r'"\{%\s*((?:[^"\\]|\\.)*?)\s*%\}"')
BINDINGS = RECORDED + [
    {**states, "input": {name: value for name, value in states["input"].items() if name != "simulated"}}
    for states in RECORDED
    if isinstance(states["input"], dict) and "simulated" in states["input"]
]
"""And what it would have been of jobs whose provider is asked."""
UNDEFINED: dict[str, Any] = {}


@cache
def expressions() -> tuple[str, ...]:
    """Those of all machines, each once."""
    machines = [path.read_text(encoding="utf-8") for path in sorted(STATE_MACHINES.glob("*.asl.json"))]
    written = sum(text.count("{%") for text in machines)
    found = [json.loads(f'"{match}"') for text in machines for match in EXPRESSION.findall(text)]
    assert len(found) == written
    return tuple(dict.fromkeys(found))


@cache
def by_reference() -> list[list[dict[str, Any]]]:
    """What each expression comes to with each of the bindings."""
    told = json.dumps({"expressions": expressions(), "bindings": BINDINGS})
    result = subprocess.run(  # noqa: S603 - the project's own Node and its own script
        [NODE, str(HERE / "evaluate.mjs")], input=told, capture_output=True, text=True, cwd=ROOT, check=True
    )
    outcomes: list[list[dict[str, Any]]] = json.loads(result.stdout)
    return outcomes


def by_local_cloud(expression: str, states: dict[str, Any]) -> dict[str, Any]:
    try:
        value = stepfunctions._evaluate_jsonata(
            expression, states["input"], states["context"], states["result"], states["errorOutput"]
        )
    except stepfunctions._ExecutionError as refused:
        if "did not return a result" in refused.cause:
            return UNDEFINED
        return {"error": refused.cause.partition(":")[0]}
    return {"value": value}


@pytest.mark.parametrize("expression", expressions())
def test_an_expression_means_to_the_reference_what_it_means_here(expression: str) -> None:
    outcomes = by_reference()[expressions().index(expression)]
    here = [by_local_cloud(expression, states) for states in BINDINGS]
    assert here == outcomes
    assert any("value" in outcome for outcome in outcomes), "no recorded input has what it asks for"
    assert not any("error" in outcome for outcome in outcomes), "it is broken"
