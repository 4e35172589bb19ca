"""Handlers of Lambdas by their verbs, wherever they are."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from infra.lambdas.registry import functions

MODULES = {function.verb: function.handler.rpartition(".")[0] for function in functions()}
"""The module of each function's handler."""


def handler_of(verb: str) -> Callable[[dict[str, Any], Any], Any]:
    """What Lambda calls for the function of a verb."""
    handler: Callable[[dict[str, Any], Any], Any] = import_module(MODULES[verb]).handler
    return handler
