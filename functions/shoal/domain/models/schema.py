"""The part of JSON Schema 2020-12 in which a model's parameters are written.

An object at the top; in it texts, numbers, booleans, enumerations, lists of those, and objects two deep.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from shoal.domain.models.problems import Problem, Problems

Schema = Mapping[str, Any]

DEPTH_MAX = 2
"""So many objects may stand inside one another, below the top."""
NAME = r"[A-Za-z][A-Za-z0-9_]{0,63}"
_ANY = frozenset({"type", "title", "description", "default", "examples", "deprecated"})
_KEYWORDS: Mapping[str, frozenset[str]] = {
    "string": frozenset({"minLength", "maxLength", "pattern", "format", "enum", "const"}),
    "integer": frozenset({"minimum", "maximum", "enum", "const"}),
    "number": frozenset({"minimum", "maximum", "enum", "const"}),
    "boolean": frozenset({"const"}),
    "array": frozenset({"items", "minItems", "maxItems"}),
    "object": frozenset({"properties", "required"}),
}
_LOWER_AND_UPPER = (("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems"))


def type_of(schema: Schema) -> str:
    """`string`, `integer`, …; of an enumeration or a constant that names none, that of its values."""
    named = schema.get("type")
    if isinstance(named, str):
        return named
    kinds = {_type_of_value(value) for value in values_of(schema) or ()}
    return kinds.pop() if len(kinds) == 1 else ""


def values_of(schema: Schema) -> Sequence[Any] | None:
    """All that it may be, None where it is not enumerated."""
    if "const" in schema:
        return (schema["const"],)
    if "enum" in schema:
        return tuple(schema["enum"]) if isinstance(schema["enum"], Sequence) else ()
    return (False, True) if schema.get("type") == "boolean" else None


def check_object(schema: Any, *, depth: int = 0) -> Problems:
    """What is not in the subset."""
    if not isinstance(schema, Mapping):
        yield Problem((), "must be an object with properties")
        return
    properties, required = schema.get("properties", {}), schema.get("required", [])
    unknown = set(schema) - _KEYWORDS["object"] - (_ANY if depth else {"type", "title", "description"})
    yield from (Problem((name,), "is no keyword of an object here") for name in sorted(unknown))
    if schema.get("type", "object") != "object":
        yield Problem(("type",), "must be object")
    if not isinstance(properties, Mapping) or not isinstance(required, Sequence):
        yield Problem((), "must have properties, and a list of those that are required")
        return
    yield from (
        Problem(("required", at), f"{name!r} is not a property")
        for at, name in enumerate(required)
        if name not in properties
    )
    for name, each in properties.items():
        if not re.fullmatch(NAME, name):
            yield Problem(
                ("properties", name), "must begin with a letter and have letters, digits and _ only"
            )
        for problem in _check(each, depth):
            yield problem.below("properties", name)


def _check(schema: Any, depth: int) -> Problems:
    if not isinstance(schema, Mapping):
        yield Problem((), "must be a schema")
        return
    kind = type_of(schema)
    if kind not in _KEYWORDS:
        yield Problem(("type",) if "type" in schema else (), f"must have a type: {', '.join(_KEYWORDS)}")
    elif kind == "object":
        if depth >= DEPTH_MAX:
            yield Problem((), f"objects may be {DEPTH_MAX} deep")
        else:
            yield from check_object(schema, depth=depth + 1)
    else:
        unknown = set(schema) - _ANY - _KEYWORDS[kind]
        yield from (Problem((name,), f"is no keyword of type {kind} here") for name in sorted(unknown))
        yield from _check_bounds(schema)
        yield from _check_values(schema, kind)
        if kind == "array":
            yield from (problem.below("items") for problem in _check_items(schema.get("items")))


def _check_items(items: Any) -> Problems:
    if isinstance(items, Mapping) and type_of(items) not in ("array", "object"):
        yield from _check(items, DEPTH_MAX)
    else:
        yield Problem((), "must be a schema of texts, numbers or booleans")


def _check_bounds(schema: Schema) -> Problems:
    for lower, upper in _LOWER_AND_UPPER:
        for name in (lower, upper):
            value = schema.get(name, 0)
            whole = name not in ("minimum", "maximum") or type_of(schema) == "integer"
            if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
                yield Problem((name,), "must be a whole number" if whole else "must be a number")
                return
        if lower in schema and upper in schema and schema[lower] > schema[upper]:
            yield Problem((upper,), f"is less than {lower}")
    if "pattern" in schema:
        try:
            re.compile(schema["pattern"])
        except (TypeError, re.error) as error:
            yield Problem(("pattern",), f"is no regular expression: {error}")
    if schema.get("format", "uri") != "uri":
        yield Problem(("format",), "must be uri")


def _check_values(schema: Schema, kind: str) -> Problems:
    """An enumeration has values, all different, of its type; a boolean would hide a number."""
    values = values_of(schema)
    if values is None:
        return
    keyword = "const" if "const" in schema else "enum"
    if not values:
        yield Problem((keyword,), "must list what may be given")
    if len({str(value) for value in values}) < len(values):
        yield Problem((keyword,), "has a value twice")
    for at, value in enumerate(values):
        found = _type_of_value(value)
        if found != kind and (found, kind) != ("integer", "number"):
            yield Problem((keyword, at) if keyword == "enum" else (keyword,), f"is not of type {kind}")


def _type_of_value(value: Any) -> str:
    for kind, types in (("boolean", bool), ("integer", int), ("number", float), ("string", str)):
        if isinstance(value, types):
            return kind
    return ""
