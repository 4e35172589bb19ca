"""The registry tells subscribers of every event that a function or the state machine may emit."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft4Validator

from infra.documents.bus_resources import bus_schemas
from shoal.domain.events import OPERATORS_TYPES
from shoal.domain.webhook import EVENT_TYPES
from tests.infra.template import Template

REGISTRY, SCHEMA = "AWS::EventSchemas::Registry", "AWS::EventSchemas::Schema"
ENGINE = {"job.created", "job.processing", "job.completed", "job.failed"}
CONTENT_CHARS_MAX = 100_000
"""What AWS::EventSchemas::Schema takes as Content."""


def test_every_type_of_event_has_its_schema(template: Template) -> None:
    name, schemas = template.stage.prefix, template.properties(SCHEMA)
    if not template.stage.event_schemas:
        assert not schemas
        assert not template.properties(REGISTRY)
        return
    assert template.one(REGISTRY)["RegistryName"] == name
    assert {each["SchemaName"] for each in schemas} == {
        f"shoal@{each}" for each in {*EVENT_TYPES, *ENGINE, *OPERATORS_TYPES}
    }
    for each in schemas:
        assert (each["RegistryName"], each["Type"]) == (name, "JSONSchemaDraft4")
        assert len(each["Content"]) <= CONTENT_CHARS_MAX
        Draft4Validator.check_schema(json.loads(each["Content"]))


def test_only_stages_of_the_local_cloud_have_no_registry(
    local: Template, dev: Template, prod: Template
) -> None:
    assert [each.stage.event_schemas for each in (local, dev, prod)] == [False, True, True]


def test_schemas_are_in_words_of_draft_4() -> None:
    def words(part: Any) -> set[str]:
        if isinstance(part, list):
            return set().union(*map(words, part))
        return part.keys() | set().union(*map(words, part.values())) if isinstance(part, dict) else set()

    for schema in bus_schemas().values():
        assert not words(schema) & {"const", "$defs", "prefixItems", "examples", "if"}
