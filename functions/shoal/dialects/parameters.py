"""What a model takes, as the pydantic model that reads its requests: made from its own JSON Schema."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, create_model
from pydantic_core import ErrorDetails

from shoal.dialects import fields
from shoal.dialects.errors import validation_error
from shoal.domain.errors import ValidationFailed
from shoal.domain.models.inputs import Refusal, word_of
from shoal.domain.models.model import Model
from shoal.domain.models.problems import Field as Where
from shoal.domain.models.problems import Problem
from shoal.domain.models.roles import Role
from shoal.domain.models.schema import Schema, type_of, values_of

_STRICT = ConfigDict(extra="forbid", strict=True)
_SHOWN = ("description", "examples", "deprecated")
"""Keywords that bind nobody."""
_OWN = frozenset(fields.SubmitFields.model_fields)
_WORDS = {
    "missing": "is missing",
    "string_type": "must be a text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be one of {expected}",
}
"""What is said of each kind of error; what is not here is said as it was found."""
NEAR = 0.6
TAKERS_MAX = 3


@cache
def parameters_of(model: Model) -> type[BaseModel]:
    """The parameters a model takes: what parses its requests and what its JSON Schema is made from."""
    return _object(f"{model.id} parameters", model.document["input"])


@cache
def request_of(model: Model) -> type[BaseModel]:
    """The whole body of a submit: building it takes longer than reading a request with it."""
    return create_model("Request", __base__=(parameters_of(model), fields.SubmitFields), model=(str, ...))


def read(model: Model, body: Mapping[str, Any], others: Iterable[Model]) -> dict[str, Any]:
    """A submit's fields, each of the model's parameters with its default or None.

    Raises `ValidationFailed` naming every wrong field; `others` are models that may take what this one
    does not.
    """
    try:
        request = request_of(model).model_validate(_without_nulls(model, body))
    except ValidationError as error:
        raise validation_error(error, lambda found: _say(found, model, others)) from None
    read = request.model_dump(by_alias=True)
    refusal = model.inputs.refused(model.inputs.filled(read))
    if refusal is not None:
        raise _together(refusal, read)
    return read


def refusals(model: Model, body: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with a request's parameters: for the examples and defaults of a catalog."""
    try:
        read(model, {"model": model.id, **body}, ())
    except ValidationFailed as error:
        return [Problem(_way(each["field"]), each["message"]) for each in error.details["fields"]]
    return []


def _object(title: str, schema: Schema) -> type[BaseModel]:
    required = schema.get("required", ())
    taken = {
        _attribute(name): _field(name, own, required=name in required)
        for name, own in schema.get("properties", {}).items()
    }
    return create_model(title, __config__=_STRICT, **taken)


def _field(name: str, schema: Schema, *, required: bool) -> Any:
    """The annotation and the default of a parameter."""
    annotation = _annotation(name, schema)
    shown: dict[str, Any] = {key: schema[key] for key in _SHOWN if key in schema}
    if _attribute(name) != name:
        shown["alias"] = name
    if "default" in schema:
        default: Any = schema["default"]
    elif required:
        default = ...
    else:
        annotation, default = annotation | None, None
    return annotation, Field(default, **shown)


def _annotation(name: str, schema: Schema) -> Any:
    listed, kind = values_of(schema), type_of(schema)
    role = Role(schema["role"]) if "role" in schema else None
    if listed is not None and kind != "boolean":
        literal: Any = Literal[tuple(listed)]
        return Annotated[literal, fields.Whole] if kind in ("integer", "number") else literal
    if kind == "array":
        items: Any = _annotation(name, dict(schema["items"]) | ({"role": role} if role else {}))
        length = Field(min_length=schema.get("minItems"), max_length=schema.get("maxItems"))
        return Annotated[list[items], length]
    if kind == "object":
        return _object(name, schema)
    if kind == "string":
        return _text(schema, role)
    bounds = Field(ge=schema.get("minimum"), le=schema.get("maximum"))
    if kind == "integer":
        return Annotated[int, bounds, fields.Whole]
    if kind == "number":
        return Annotated[float, bounds, Field(allow_inf_nan=False)]
    return Literal[listed[0]] if listed is not None and len(listed) == 1 else bool


def _text(schema: Schema, role: Role | None) -> Any:
    if role and role.is_file:
        return fields.Input
    if schema.get("format") == "uri":
        return fields.Url
    constraints = StringConstraints(
        strip_whitespace=True if role and role.is_text else None,
        min_length=schema.get("minLength"),
        max_length=schema.get("maxLength"),
        pattern=schema.get("pattern"),
    )
    if role in (Role.PROMPT, Role.TEXT) and schema.get("minLength"):
        return Annotated[str, constraints, fields.Visible]
    return (
        Annotated[str, constraints, fields.EmptyIfBlank]
        if role and role.is_text
        else Annotated[str, constraints]
    )


def _attribute(name: str) -> str:
    """What the parameter is called inside: some names have a meaning of their own there."""
    return f"its_{name}" if hasattr(BaseModel, name) or name.startswith("model_") else name


def _without_nulls(model: Model, body: Mapping[str, Any]) -> dict[str, Any]:
    """Null is absent for what may be absent."""
    optional = {name for name, own in model.inputs.properties.items() if not own.required}
    return {name: value for name, value in body.items() if value is not None or name not in optional}


def _say(found: ErrorDetails, model: Model, others: Iterable[Model]) -> str:
    kind, name = found["type"], str(found["loc"][-1]) if found["loc"] else ""
    if kind == "extra_forbidden":
        return _unknown(name, model, others) if len(found["loc"]) == 1 else "is not a parameter"
    if kind not in _WORDS:
        return found["msg"]
    limits = {
        name: int(limit) if isinstance(limit, float) and limit.is_integer() else limit
        for name, limit in found.get("ctx", {}).items()
    }
    return _WORDS[kind].format(**limits)


def _unknown(name: str, model: Model, others: Iterable[Model]) -> str:
    """The nearest parameter, and the models that take this one."""
    said = f"is not a parameter of {model.id}"
    if near := difflib.get_close_matches(name[:100], [*model.inputs.properties, *_OWN], 1, NEAR):
        said += f"; did you mean {near[0]}?"
    if takers := [each.id for each in others if name in each.inputs.properties]:
        more = ", …" if len(takers) > TAKERS_MAX else ""
        said += f"; it is one of {', '.join(takers[:TAKERS_MAX])}{more}"
    return said


def _together(refusal: Refusal, read: Mapping[str, Any]) -> ValidationFailed:
    names = list(refusal.values)
    said = " and ".join(f"{name} {word_of(read[name])}" for name in names)
    message = (
        f"cannot be asked for together: {said}"
        if len(names) > 1
        else f"{word_of(read[names[0]])} is not taken"
    )
    return ValidationFailed(
        f"The request is not valid. {', '.join(names)}: {message}",
        details={"fields": [{"field": name, "message": message} for name in names]},
    )


def _way(path: str) -> Where:
    return tuple(int(part) if part.isdigit() else part for part in path.split("."))
