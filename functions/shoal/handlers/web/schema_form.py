"""Forms from JSON Schemas, and the JSON that a filled form means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["text", "long", "choice", "whole", "lines"]
LONG_FROM = 500
"""Texts that may be longer than this get room."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `default` is what a missing value means; `minimum`, `maximum` and `step` bound a number."""

    name: str
    label: str
    kind: Kind
    required: bool
    default: str = ""
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    step: int = 1
    length_max: int | None = None
    help: str = ""


def fields_of(
    schema: Mapping[str, Any], *, without: frozenset[str], choices: Mapping[str, Sequence[str]]
) -> list[Field]:
    """The fields of an object's schema; `choices` are known for fields whose schema is any text."""
    required = set(schema.get("required", ()))
    return [
        _field(name, part, name in required, tuple(choices.get(name, ())))
        for name, part in schema["properties"].items()
        if name not in without
    ]


def body_of(fields: Sequence[Field], value_of: Callable[[str], str]) -> dict[str, Any]:
    """What is filled in, in the types of the schema; a number that is none stays text, to be refused."""
    body: dict[str, Any] = {}
    for field in fields:
        text = value_of(field.name)
        if text:
            body[field.name] = _value(field, text)
    return body


def _field(name: str, schema: Mapping[str, Any], required: bool, known: tuple[str, ...]) -> Field:
    part = _not_null(schema)
    offered = known or tuple(map(str, part.get("enum", ()))) or _constant(part)
    default = schema.get("default")
    length_max = part.get("maxLength")
    return Field(
        name=name,
        label=name.replace("_", " ").capitalize(),
        kind=_kind(part, offered, length_max),
        required=required,
        default="" if default is None else str(default),
        choices=offered,
        minimum=part.get("minimum"),
        maximum=part.get("maximum"),
        step=part.get("multipleOf", 1),
        length_max=length_max,
        help=schema.get("description", ""),
    )


def _not_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an optional value is if it is there."""
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    return options[0] if options else schema


def _constant(part: Mapping[str, Any]) -> tuple[str, ...]:
    return (str(part["const"]),) if "const" in part else ()


def _kind(part: Mapping[str, Any], offered: tuple[str, ...], length_max: int | None) -> Kind:
    if offered:
        return "choice"
    if part.get("type") == "integer":
        return "whole"
    if part.get("type") == "array":
        return "lines"
    return "long" if length_max is not None and length_max > LONG_FROM else "text"


def _value(field: Field, text: str) -> Any:
    if field.kind == "whole":
        return int(text) if text.isascii() and text.isdecimal() and len(text) <= 12 else text
    if field.kind == "lines":
        return [line.strip() for line in text.splitlines() if line.strip()]
    return text
