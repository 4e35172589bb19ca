"""The client's types are made from the document, and say what its schemas say."""

from __future__ import annotations

from types import UnionType
from typing import Any, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest
from pydantic import BaseModel, create_model

from infra.client_types import FILE, TYPES, text
from infra.documents.openapi import document
from shoal_client import resources

SAID_BESIDE = {"description", "title", "pattern", "format", "minimum", "maximum", "default", "$defs"}


def test_the_types_of_the_client_are_those_of_this_document() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "`make client-types` writes them again"


@pytest.fixture(scope="module")
def components() -> dict[str, Any]:
    found: dict[str, Any] = document()["components"]["schemas"]
    return found


@pytest.mark.parametrize("name", TYPES)
def test_a_type_of_the_client_is_the_schema_of_the_document(name: str, components: dict[str, Any]) -> None:
    own = model_of(getattr(resources, TYPES[name])).model_json_schema(mode="serialization")

    assert bare(own, own.get("$defs", {})) == bare(components[name], components)


def model_of(typed: Any) -> type[BaseModel]:
    """The same fields as a pydantic model: Python 3.11 does not tell pydantic enough of a TypedDict."""
    hints = get_type_hints(typed, include_extras=True)
    fields: dict[str, Any] = {
        name: (converted(hint), True if get_origin(hint) is NotRequired else ...)
        for name, hint in hints.items()
    }
    return create_model(typed.__name__, **fields)


def converted(hint: Any) -> Any:
    """The hint with models in place of the client's types."""
    origin, inner = get_origin(hint), get_args(hint)
    if is_typeddict(hint):
        return model_of(hint)
    if origin is NotRequired:
        return converted(inner[0])
    if origin is list:
        return list[converted(inner[0])]  # type: ignore[misc]
    if origin in (Union, UnionType):
        return Union[tuple(converted(each) for each in inner)]  # noqa: UP007 - of types known at run time
    return hint


def bare(schema: Any, definitions: dict[str, Any]) -> Any:
    """Only what fields there are and of which types, references followed."""
    if isinstance(schema, list):
        return [bare(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return bare(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "properties" in schema:
        fields = {name: bare(each, definitions) for name, each in schema["properties"].items()}
        return {"fields": fields, "required": sorted(schema.get("required", []))}
    return {name: bare(each, definitions) for name, each in schema.items() if name not in SAID_BESIDE}
