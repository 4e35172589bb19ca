"""The OpenAPI 3.1 document, put together from operations, schemas and recorded examples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from shoal.dialects.spoken import Shape
from shoal.domain.catalog import Catalog, load_catalog
from shoal.domain.errors import ApiError, ValidationFailed
from shoal.domain.webhook import EVENT_TYPES

from . import requests
from .errors import error_schema, gateway_schema
from .event_resources import ENVELOPES, MEANING
from .examples import Example, recorded_examples
from .json_schema import schemas_of
from .operation import Operation
from .operations import OPERATIONS
from .parameters import (
    ANSWER_HEADERS,
    QUERY,
    REQUEST_HEADERS,
    path_parameters,
    query_name,
)

Schema = dict[str, Any]

ORIGIN = "https://shoal.example"
"""Stands for the caller's host: the served documents have that instead."""
REF = "#/components/schemas/{model}"
GATEWAY_STATUSES = {413, 429, 500, 503}
"""What API Gateway may also say by itself, in words of its own."""
WITH_RETRY_AFTER = {"rate_limited", "unavailable", "idempotency_in_flight"}

TAGS = {
    "Images": "An image from a prompt: `mode` says size and price.",
    "Tasks": "One to four outputs of a model of the catalog, in `{data, error}` envelopes.",
    "Files": "Pictures, clips and sound of yours, kept for a day, to be named as inputs.",
    "Videos": "A narrated video of eight-second scenes from a one-line idea, paid in credits.",
    "Models and prices": "What can be asked for, and what it costs.",
    "Account": "Money and usage.",
    "Webhooks": "Which endpoints get events, and with which secret they are signed.",
    "Deliveries": "What became of events.",
    "About": "The API on itself. No key needed.",
}
INTRODUCTION = """\
Submit, then poll or subscribe: every generation is asynchronous, and every submit holds its price first.
Success captures the hold, anything else releases it; each hold resolves exactly once.

Three dialects share jobs, wallet and webhooks. They differ in the words of requests, answers and errors:
**images** under `/v1` and `/api/v1`, **tasks** under `/v1`, **videos** under `/api/v1`. A key works on all of
them as far as its scopes go.

Every `POST` that spends, creates or cancels takes an `Idempotency-Key`, good for 24 hours. A key has 60
requests a minute with a burst of 20, and ten times as many reads of a job, task or video by its id, unless
its operator says otherwise: `RateLimit` and `RateLimit-Policy` are on every answer to a known key,
`Retry-After` on every refusal that passes with time.

Agents find the same as tools of the Model Context Protocol at `/mcp`.
"""


def document(catalog: Catalog | None = None) -> Schema:
    """The whole document; its server is `ORIGIN`."""
    catalog = catalog or load_catalog()
    responses: dict[str, Schema] = {}
    paths: dict[str, Schema] = defaultdict(dict)
    for route, operation in OPERATIONS.items():
        method, path = route.split(" ")
        paths[path][method.lower()] = _operation(route, operation, catalog, responses)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Shoal",
            "version": version("shoal"),
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
            "summary": "Images, tasks and videos, generated asynchronously.",
            "description": INTRODUCTION,
        },
        "servers": [{"url": ORIGIN}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": dict(paths),
        "webhooks": {event_type: _webhook(event_type, catalog) for event_type in EVENT_TYPES},
        "components": {
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`sk_live_…` and `vsk_live_…` spend money, `sk_test_…` play money. "
                    "Scopes: `generate`, `read`, `webhooks`.",
                }
            },
            "parameters": _parameters(),
            "headers": ANSWER_HEADERS,
            "responses": responses,
            "schemas": {**requests.schemas(catalog), **_answer_schemas(), "GatewayError": gateway_schema()},
        },
    }


def _operation(route: str, operation: Operation, catalog: Catalog, responses: dict[str, Schema]) -> Schema:
    path, examples = route.split(" ")[1], recorded_examples(route, catalog)
    built: Schema = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        **({"description": operation.text} if operation.text else {}),
        "security": [] if operation.scope is None else [{"key": [operation.scope.value]}],
        "parameters": [*path_parameters(path, catalog), *_inputs(operation)],
    }
    if operation.body:
        # What was refused for what it says is shown by its answer: an example of a body is one that fits.
        shown = {
            each.name: {"value": each.request}
            for each in examples
            if each.request is not None and each.status != ValidationFailed.status
        }
        media = {
            "schema": {"$ref": REF.format(model=operation.body)},
            **({"examples": shown} if shown else {}),
        }
        built["requestBody"] = {
            "required": operation.body_required,
            "content": {"application/json": media, **(_FILE_CONTENT if operation.takes_file else {})},
        }
    built["responses"] = {
        **_successes(operation, examples),
        **_refusals(operation, path, examples, responses),
    }
    return built


_FILE_CONTENT: dict[str, Schema] = {
    "multipart/form-data": {"schema": {"$ref": REF.format(model="FileForm")}},
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
}
"""A file as it may come with its request; any other type that is not JSON does for the file itself."""


def _inputs(operation: Operation) -> Iterable[Schema]:
    names = [f"query-{name}" for name in operation.query]
    names += ["Idempotency-Key"] if operation.idempotent else []
    names += ["Prefer"] if operation.waits else []
    names += ["traceparent"] if operation.traced else []
    names += ["If-None-Match"] if operation.cached else []
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def _parameters() -> dict[str, Schema]:
    query = {
        f"query-{name}": {"name": query_name(name), "in": "query", **each} for name, each in QUERY.items()
    }
    headers = {name: {"name": name, "in": "header", **each} for name, each in REQUEST_HEADERS.items()}
    return query | headers


def _successes(operation: Operation, examples: Iterable[Example]) -> dict[str, Schema]:
    if operation.cached:
        return _document(operation)
    found = {}
    for status, answers in sorted(operation.answers.items()):
        headers = ["X-Request-Id"]
        headers += ["RateLimit", "RateLimit-Policy"] if operation.scope else []
        optional = ["Idempotent-Replayed"] if operation.idempotent else []
        optional += ["Preference-Applied"] if operation.waits else []
        optional += ["Next-Cursor"] if operation.csv and operation.query else []
        answer = _response(_DESCRIPTIONS[status], headers, optional)
        if answers:
            shown = {each.name: {"value": each.body} for each in examples if each.status == status}
            media = {"schema": _any_of(_ref(each) for each in answers)}
            answer["content"] = {"application/json": media | ({"examples": shown} if shown else {})}
            if operation.csv:
                answer["content"]["text/csv"] = {"schema": {"type": "string"}}
        if operation.links:
            answer["links"] = {
                target: {"operationId": target, "parameters": dict(parameters)}
                for target, parameters in operation.links.items()
            }
        found[str(status)] = answer
    return found


_DESCRIPTIONS = {
    200: "As it is now.",
    201: "Made.",
    202: "Accepted.",
    204: "Gone.",
}


def _document(operation: Operation) -> dict[str, Schema]:
    headers = ["X-Request-Id", "ETag", "Cache-Control"]
    schema = {"type": "object" if operation.media_type == "application/json" else "string"}
    whole = _response("The document.", headers)
    return {
        "200": whole | {"content": {operation.media_type: {"schema": schema}}},
        "304": _response("The copy is still good.", headers),
    }


def _refusals(
    operation: Operation, path: str, examples: Iterable[Example], responses: dict[str, Schema]
) -> dict[str, Schema]:
    by_status: dict[int, dict[type[ApiError], None]] = defaultdict(dict)
    for error in operation.errors(path):
        by_status[error.status][error] = None
    found: dict[str, Schema] = {}
    for status, errors in sorted(by_status.items()):
        shown = {each.name: {"value": each.body} for each in examples if each.status == status}
        built, name = _refusal(operation, status, list(errors))
        if shown:
            built["content"]["application/json"]["examples"] = shown
            found[str(status)] = built
        else:
            responses[name] = built
            found[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return found


def _refusal(operation: Operation, status: int, errors: list[type[ApiError]]) -> tuple[Schema, str]:
    by_shape: dict[Shape, set[str]] = defaultdict(set)
    for error in errors:
        for shape in operation.shapes_of(error):
            by_shape[shape].add(error.code)
    schemas = [error_schema(shape, status, codes) for shape, codes in by_shape.items()]
    from_gateway = status in GATEWAY_STATUSES
    if from_gateway:
        schemas.append({"$ref": REF.format(model="GatewayError")})
    codes = sorted({error.code for error in errors})
    required = [] if from_gateway else ["X-Request-Id"]
    required += ["WWW-Authenticate"] if status == 401 else []
    required += ["Allow"] if status == 405 else []
    optional = ["X-Request-Id"] if from_gateway else []
    if operation.scope and status not in (401, 405):
        optional += ["RateLimit", "RateLimit-Policy"]
    optional += ["Retry-After"] if WITH_RETRY_AFTER & set(codes) else []
    answer = _response(" or ".join(f"`{code}`" for code in codes), required, optional)
    answer["content"] = {"application/json": {"schema": _any_of(schemas)}}
    known = "" if operation.scope else ".open"
    return answer, ".".join([*by_shape, str(status), *codes]) + known


def _response(description: str, headers: Iterable[str], optional: Iterable[str] = ()) -> Schema:
    always = {name: {"required": True, **ANSWER_HEADERS[name]} for name in headers}
    return {
        "description": description,
        "headers": always | {name: {"$ref": f"#/components/headers/{name}"} for name in optional},
    }


def _webhook(event_type: str, catalog: Catalog) -> Schema:
    shown = {each.name: {"value": each.body} for each in recorded_examples(f"webhook {event_type}", catalog)}
    media = {"schema": _ref(ENVELOPES[event_type]), **({"examples": shown} if shown else {})}
    return {
        "post": {
            "operationId": f"on_{event_type.replace('.', '_')}",
            "tags": ["Webhooks"],
            "summary": MEANING[event_type],
            "description": "At least once, in any order. Answer 2xx within 10 seconds; anything else is "
            "tried again after 1 and 5 minutes, half an hour, 2, 6 and 24 hours.",
            "security": [],
            "parameters": [
                {"name": name, "in": "header", "required": True, **_signed_text(text)}
                for name, text in SIGNATURES.items()
            ],
            "requestBody": {"required": True, "content": {"application/json": media}},
            "responses": {"2XX": {"description": "Taken."}, "410": {"description": "Never send any more."}},
        }
    }


SIGNATURES = {
    "VidShark-Signature": "`t=<unix>,v1=<hex>`: HMAC-SHA256 of `{t}.{body}`, keyed with the whole secret.",
    "webhook-id": "The event's id.",
    "webhook-timestamp": "Unix seconds. Refuse what is more than five minutes away.",
    "webhook-signature": "`v1,<base64>`: HMAC-SHA256 of `{id}.{timestamp}.{body}`, keyed with the bytes "
    "after `whsec_` (Standard Webhooks).",
}


def _signed_text(text: str) -> Schema:
    return {"description": text, "schema": {"type": "string"}}


def _answer_schemas() -> dict[str, Schema]:
    answers: list[type[Any]] = [*ENVELOPES.values()]
    for operation in OPERATIONS.values():
        answers += [each for several in operation.answers.values() for each in several]
    return schemas_of(dict.fromkeys(answers), REF)


def _ref(answer: type[Any]) -> Schema:
    return {"$ref": REF.format(model=answer.__name__)}


def _any_of(schemas: Iterable[Schema]) -> Schema:
    several = list(schemas)
    return several[0] if len(several) == 1 else {"anyOf": several}
