"""The rules of a model's routes: how providers are asked, and what is read of their answers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import product
from typing import Any

from shoal.domain.models.model import Model
from shoal.domain.models.problems import Problem, Problems
from shoal.domain.models.roles import Role
from shoal.domain.models.template import is_path, names_in


def check_routes(model: Model, providers: Collection[str]) -> Problems:
    """What is wrong with the routes of a model whose form is right."""
    names = [route.name for route in model.routes]
    for at, route in enumerate(model.routes):
        told = model.document["routes"][at]
        if names.index(route.name) < at:
            yield Problem(("routes", at), f"{route.name} is there twice")
        if route.provider not in providers:
            yield Problem(("routes", at, "provider"), f"there is no provider {route.provider!r}")
        for problem in _check_template(model, told):
            yield problem.below("routes", at)
    yield from _check_when(model)


def _check_template(model: Model, told: Mapping[str, Any]) -> Problems:
    yield from (problem.below("input") for problem in _check_input(model, told.get("input", {})))
    yield from _check_paths(told)
    for name in told.get("when", {}):
        own = model.inputs.properties.get(name)
        if own is None or own.required or own.default is not None:
            yield Problem(("when", name), "is not a parameter that may be absent")


def _check_input(model: Model, template: Mapping[str, Any]) -> Problems:
    """It speaks of the model's parameters, but for the count, and a file is nothing to write into a text."""
    properties = model.inputs.properties
    files = {own.name for own in properties.values() if own.role and own.role.is_file}
    for text in _texts_in(template):
        for name in names_in(text):
            own = properties.get(name)
            if own is None and name not in ("width", "height"):
                yield Problem((), f"{{{name}}} is not a parameter")
            elif own is not None and own.role is Role.COUNT:
                yield Problem((), f"{{{name}}} cannot be handed on: each output is a call of its own")
            elif name in files and text != f"{{{name}}}":
                yield Problem((), f"{{{name}}} is a file and must stand alone")


def _check_paths(told: Mapping[str, Any]) -> Problems:
    outputs = told.get("outputs", ())
    for at, output in enumerate(outputs):
        if not is_path(output["path"]):
            yield Problem(("outputs", at, "path"), "must be a path such as images[*].url")
    if outputs and all(output.get("extra") for output in outputs):
        yield Problem(("outputs",), "must have a path that is not extra")
    if "refused_when" in told and not is_path(told["refused_when"]):
        yield Problem(("refused_when",), "must be a path such as has_nsfw_concepts[*]")


def _check_when(model: Model) -> Problems:
    """Whatever is there or absent, some route takes it."""
    names = sorted({name for template in model.templates.values() for name in template.when})
    for there in product((False, True), repeat=min(len(names), 8)):
        given = {name: "x" for name, is_there in zip(names, there, strict=False) if is_there}
        if not model.routes_for(given):
            absent = ", ".join(f"{name} {'given' if name in given else 'absent'}" for name in names)
            yield Problem(("routes",), f"no route takes a request with {absent}")


def _texts_in(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, Mapping):
        for each in (f"{{{part['pick']}}}",) if "pick" in part else part.values():
            yield from _texts_in(each)
    elif isinstance(part, list):
        for each in part:
            yield from _texts_in(each)
