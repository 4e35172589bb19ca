"""The OpenAPI document is valid, whole, and says what the code does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from infra.documents import errors
from infra.documents.event_resources import DATA
from infra.documents.json_schema import schemas_of
from infra.documents.openapi import document
from infra.documents.operations import OPERATIONS, UNDOCUMENTED
from shoal.dialects.answers import image
from shoal.domain import failures
from shoal.domain.delivery import body_of
from shoal.domain.webhook import EVENT_TYPES
from shoal.domain.webhook_samples import sample_event
from shoal.handlers.http.routes import ROUTES
from tests.support.contract import contract, documented


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    return document()


def operations(openapi: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    }


def test_it_is_valid(openapi: dict[str, Any]) -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(openapi).iter_errors()] == []


def test_it_has_every_public_route_and_no_other(openapi: dict[str, Any]) -> None:
    assert ROUTES.keys() >= UNDOCUMENTED.keys()
    assert set(operations(openapi)) == set(map(documented, ROUTES.keys() - UNDOCUMENTED.keys()))


def test_every_submit_takes_a_trace(openapi: dict[str, Any]) -> None:
    trace = {"$ref": "#/components/parameters/traceparent"}
    taken = {name for name, each in operations(openapi).items() if trace in each.get("parameters", [])}
    assert taken == {documented(name) for name, row in ROUTES.items() if row.verb == "submit_job"}
    assert openapi["components"]["parameters"]["traceparent"]["in"] == "header"


def test_it_has_every_event(openapi: dict[str, Any]) -> None:
    assert tuple(openapi["webhooks"]) == EVENT_TYPES
    assert tuple(DATA) == EVENT_TYPES


@pytest.mark.parametrize("name", ["Job", "JobV1", "JobApiV1"])
def test_a_field_has_the_text_below_it_in_derived_types_too(name: str) -> None:
    schema = schemas_of([getattr(image, name)], "{model}")[name]

    assert schema["properties"]["image_url"] == {
        "anyOf": [{"type": "string", "format": "uri"}, {"type": "null"}],
        "description": "The picture, once the job has completed.",
    }
    assert "description" not in schema["properties"]["status"]


def test_names_of_operations_are_unique(openapi: dict[str, Any]) -> None:
    ids = [operation["operationId"] for operation in operations(openapi).values()]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch("[a-z_]+", each) for each in ids)


def test_every_error_is_explained_once() -> None:
    assert errors.api_errors().keys() == errors.MEANING.keys()
    assert failures.GenerationInterrupted.code in errors.JOB_MEANING
    assert errors.job_codes() == errors.JOB_MEANING.keys()


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_an_event_made_up_for_a_test_looks_like_a_real_one(event_type: str) -> None:
    event = sample_event(event_type, "evt_01M814MYQ6VKFV5DERKRGQ35G3", "acc_1", 1_763_980_800_123)
    contract().check_event(json.loads(body_of(event)))


def examples(openapi: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Where each stands, the schema beside it, and its value."""
    bodies = {**operations(openapi), **{name: each["post"] for name, each in openapi["webhooks"].items()}}
    for where, operation in bodies.items():
        for part in [operation.get("requestBody", {}), *operation["responses"].values()]:
            for media in part.get("content", {}).values():
                for name, example in media.get("examples", {}).items():
                    yield f"{where}: {name}", media["schema"], example["value"]


def test_every_example_is_what_the_schema_beside_it_says(openapi: dict[str, Any]) -> None:
    found = list(examples(openapi))

    assert len(found) > 50
    for where, schema, value in found:
        contract().check_schema(where, schema, value)


def test_a_spending_operation_takes_an_idempotency_key(openapi: dict[str, Any]) -> None:
    for route, operation in operations(openapi).items():
        named = {each.get("$ref", "").rpartition("/")[2] for each in operation["parameters"]}
        spends = "402" in operation["responses"] and route != "POST /v1/quote"
        assert not spends or "Idempotency-Key" in named, route


def test_what_needs_a_key_says_so_and_may_be_refused(openapi: dict[str, Any]) -> None:
    for route, operation in operations(openapi).items():
        keyless = OPERATIONS[route].scope is None
        assert (operation["security"] == []) == keyless, route
        refusals = {"401", "403", "429"} & operation["responses"].keys()
        assert refusals == ({"429"} if keyless else {"401", "403", "429"}), route
