"""The client's types are the document's schemas."""

from __future__ import annotations

from types import UnionType
from typing import Any, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest
from pydantic import BaseModel, create_model

from infra.documents.openapi import document
from shoal_client import resources

SCHEMAS = {
    "Accepted": "Accepted",
    "Job": "JobV1",
    "Wallet": "WalletAnswer",
    "Usage": "UsageV1",
    "AcceptedTask": "AcceptedTask",
    "Task": "Task",
    "Model": "Model",
    "Quote": "Quote",
    "UsageOfModel": "UsageOfModel",
    "Video": "Video",
    "Credits": "CreditsAnswer",
    "Webhook": "Webhook",
    "NewWebhook": "NewWebhookAnswer",
    "Delivery": "Delivery",
}
"""The component of each type of the client."""
SAID_BESIDE = {"description", "title", "pattern", "format", "minimum", "maximum", "default", "$defs"}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_type_of_the_client_is_the_schema_of_the_document(name: str) -> None:
    own = model_of(getattr(resources, name)).model_json_schema(mode="serialization")
    components = document()["components"]["schemas"]

    assert bare(own, own.get("$defs", {})) == bare(components[SCHEMAS[name]], components)


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
