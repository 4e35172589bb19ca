"""Handlers of Lambdas by their verbs, wherever they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

from infra.lambdas.registry import functions

Handler = Callable[[dict[str, Any], Any], Any]

MODULES = {function.verb: function.handler.rpartition(".")[0] for function in functions()}
"""The module of each function's handler."""


def handler_of(verb: str) -> Handler:
    """What Lambda calls for the function of a verb."""
    handler: Handler = import_module(MODULES[verb]).handler
    return handler


def given(verb: str, use_cases: Any) -> Handler:
    """What Lambda calls for the function of a verb, wired as deployed but for the use cases it is given."""
    handler: Any = handler_of(verb)
    fake: Handler = replace(handler, build=lambda: use_cases)
    return fake
