"""The AsyncAPI 3 document of the bus, made from the models of its schema registry."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from .bus_examples import bus_examples
from .bus_resources import MEANING, bus_schemas

Schema = dict[str, Any]

OF_REGISTRIES = ("$schema", "x-amazon-events-source", "x-amazon-events-detail-type", "definitions")


def asyncapi() -> Schema:
    """The whole document: one channel, the bus, with a message for each type of event."""
    schemas: dict[str, Schema] = {}
    messages = {event_type: _message(event_type, schemas) for event_type in bus_schemas()}
    refs = [{"$ref": f"#/channels/bus/messages/{event_type}"} for event_type in messages]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Shoal's events",
            "version": version("shoal"),
            "description": "What a stage tells on its EventBridge bus: at least once, in any order.",
            "license": {"name": "Apache License 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            "bus": {
                "address": "shoal-{stage}",
                "description": "An EventBridge bus; its rules are the subscribers' own.",
                "parameters": {"stage": {"description": "The stage's name."}},
                "messages": {each: {"$ref": f"#/components/messages/{each}"} for each in messages},
            }
        },
        "operations": {"tell": {"action": "send", "channel": {"$ref": "#/channels/bus"}, "messages": refs}},
        "components": {"messages": messages, "schemas": schemas},
    }


def _message(event_type: str, schemas: dict[str, Schema]) -> Schema:
    """One type of event. What its schema defines goes into `schemas`, named after it."""
    found = bus_schemas()[event_type]
    for name, each in found["definitions"].items():
        schemas[f"{event_type}.{name}"] = _refer(each, event_type)
    payload = {name: part for name, part in found.items() if name not in OF_REGISTRIES}
    return {
        "name": event_type,
        "title": event_type,
        "summary": MEANING[event_type],
        "payload": _refer(payload, event_type),
        "examples": [{"name": "recorded", "payload": bus_examples()[event_type]}],
    }


def _refer(part: Any, event_type: str) -> Any:
    """The same with its references to where this document has what they mean."""
    if isinstance(part, list):
        return [_refer(each, event_type) for each in part]
    if not isinstance(part, dict):
        return part
    ref = part.get("$ref")
    if isinstance(ref, str):
        return {"$ref": ref.replace("#/definitions/", f"#/components/schemas/{event_type}.")}
    return {name: _refer(each, event_type) for name, each in part.items()}
