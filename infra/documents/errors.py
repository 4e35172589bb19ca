"""Every error code: what it means, what to do, and how each dialect says it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from functools import cache
from typing import Any

from shoal.dialects.answers import errors as answers
from shoal.dialects.spoken import Shape
from shoal.domain.api_key import Scope
from shoal.domain.errors import ApiError, JobError
from shoal.domain.job import JobStatus

from .json_schema import Schema, schemas_of

SHAPES: Mapping[Shape, tuple[type[Any], type[Any]]] = {
    "image": (answers.ImageError, answers.ErrorFields),
    "tasks": (answers.TasksError, answers.DetailedFields),
    "video": (answers.VideoError, answers.VideoError),
    "neutral": (answers.NeutralError, answers.ErrorFields),
}
"""The whole answer, and what in it has the code."""

MEANING = {
    "invalid_json": (
        "The body is not JSON in UTF-8, or JSON that other readers would take differently: `NaN`, a lone "
        "surrogate, a number of more than 308 digits. U+FFFD stands for bytes that were no UTF-8.",
        "Send UTF-8 JSON from a JSON library, and a U+FFFD that is meant as `\\ufffd`.",
    ),
    "unauthorized": (
        "There is no key, or the key is unknown or revoked.",
        "Send `Authorization: Bearer sk_live_…`. If the key is right, ask your operator whether it was "
        "revoked.",
    ),
    "insufficient_balance": (
        "The available balance, which is the balance less what open jobs hold, is below the price.",
        "Top up, wait for open jobs to end, or ask for something cheaper. Nothing was held.",
    ),
    "insufficient_credits": (
        "A video costs one credit for each eight seconds. `details` says how many are needed and there.",
        "Top up or pick a shorter length. Nothing was held.",
    ),
    "max_cost_exceeded": (
        "The price is above the request's own `max_cost`.",
        "Raise `max_cost`, or ask `POST /v1/quote` first. Nothing was held.",
    ),
    "forbidden": (
        "The key is good but lacks the scope that this request needs: `generate`, `read` or `webhooks`. Or "
        "its account is suspended, or a web page asks that may not.",
        "Use a key with the scope that `details.scope` names. Where it names none, `message` says why.",
    ),
    "not_found": (
        "There is nothing at this address, or under this id in your account. What belongs to another account "
        "is not found either, nor a live key's job by a test key, nor a test key's by a live one.",
        "Check the id. For a model, `details.nearest` has names like it.",
    ),
    "method_not_allowed": (
        "The address exists and takes other methods.",
        "`Allow` lists them: `HEAD` wherever `GET` is taken.",
    ),
    "conflict": (
        "The thing is not in a state that permits this: the job has already ended, the webhook is disabled, "
        "the account has reached its limit of webhooks, or the delivery was sent again too often.",
        "Read it, and decide by what it is now. Where a cancel came too late, `details.status` tells how the "
        "job ended: `canceled` if an earlier cancel, whose answer may have been lost, was in time.",
    ),
    "idempotency_in_flight": (
        "A request with the same `Idempotency-Key` is being worked on at this moment.",
        "Repeat the request after `Retry-After` seconds: it gets the first one's answer.",
    ),
    "payload_too_large": (
        "The body is larger than 1 MB, with `data:` URIs 5.5 MB, as a file 4.4 MB.",
        "Send less: pictures go by address, larger files by an ordered upload.",
    ),
    "unsupported_media_type": (
        "The body is not declared as JSON, or is compressed.",
        "Send `Content-Type: application/json`, and the body as it is: `Accept-Encoding` names what is "
        "taken.",
    ),
    "validation_error": (
        "The request is JSON but not what this address takes.",
        "`details.fields` names every wrong field, in the words of your request, and what is wrong with it. "
        "Where content moderation refused the words, `details.moderation.categories` says as what.",
    ),
    "idempotency_key_reused": (
        "The `Idempotency-Key` was used within 24 hours with another body, or to cancel another job.",
        "Use a new key for a new request; repeat a request with its old body. `details` name what the key "
        "`made`, and the SHA-256 of what both bodies say: 8 and 8.0, or a null and nothing, say the same.",
    ),
    "rate_limited": (
        "The key has used up its requests: 60 a minute with a burst of 20, and 600 reads of a job, task or "
        "video by its id, unless its operator says otherwise. Or the limit that `details.limit` names is "
        "reached: of the account's requests over all its keys (`account`), of its jobs that are not done "
        "(`open_jobs`), of pictures fetched to be edited (`fetching`), or of what comes from one address "
        "without a key, or with one that nobody has (`source`).",
        "Wait `Retry-After` seconds. `RateLimit` on every answer tells what is left.",
    ),
    "internal_error": (
        "Something went wrong on our side. It has been logged.",
        "Repeat the request with its `Idempotency-Key`; if it goes on, report the `X-Request-Id`.",
    ),
    "unavailable": (
        "Something that is needed did not answer in time, or the model has no provider here.",
        "Repeat the request after `Retry-After` seconds, with its `Idempotency-Key`.",
    ),
}
"""By code: what it means, and what the caller does about it."""

JOB_MEANING = {
    "provider_rejected": "The provider refused the request itself, most often for moderation.",
    "provider_failed": "The provider could not do it.",
    "provider_timeout": "A provider was asked and nothing came in time: 180 s, an image from its acceptance.",
    "output_invalid": "What the provider delivered was not a usable picture or clip.",
    "expired": "Its time was over before a provider could be asked.",
    "canceled": "You canceled it. What its providers billed by then is charged and delivered.",
    "internal_error": "Something went wrong on our side.",
}
"""Why a job ended without all its outputs. It costs nothing, but for a cancel, and repeating it is safe."""

DETAILS: dict[str, dict[str, Any]] = {
    "validation_error": {
        "fields": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
                "required": ["field", "message"],
            },
        },
        "moderation": {
            "type": "object",
            "properties": {"categories": {"type": "array", "items": {"type": "string"}}},
            "required": ["categories"],
        },
    },
    "insufficient_credits": {
        "credits_required": {"type": "integer"},
        "credits_remaining": {"type": "integer"},
    },
    "max_cost_exceeded": {"price": {"type": "string"}, "max_cost": {"type": "string"}},
    "conflict": {
        "webhooks_max": {"type": "integer"},
        "status": {"type": "string", "enum": [status for status in JobStatus if status.terminal]},
    },
    "idempotency_key_reused": {
        name: {"type": "string"} for name in ("idempotency_key", "made", "first_body", "this_body")
    },
    "forbidden": {
        "scope": {"type": "string", "enum": [*Scope]},
        "limit": {"type": "string", "enum": ["failures"]},
    },
    "rate_limited": {"limit": {"type": "string", "enum": ["account", "source", "open_jobs", "fetching"]}},
    "not_found": {"nearest": {"type": "array", "items": {"type": "string"}}},
}
"""What `details` may hold, by code."""


def leaves(error: type[Exception]) -> Iterator[type[Any]]:
    """The error classes below one, itself included, that have a code."""
    if isinstance(error.__dict__.get("code"), str):
        yield error
    for below in error.__subclasses__():
        yield from leaves(below)


def api_errors() -> dict[str, int]:
    """Every code a caller may be answered, with its status, by status."""
    found = {error.code: error.status for error in leaves(ApiError)}
    return dict(sorted(found.items(), key=lambda item: item[1]))


def job_codes() -> set[str]:
    """Every code a job may fail with."""
    return {error.code for error in leaves(JobError)}


def error_schema(shape: Shape, status: int, codes: Iterable[str]) -> Schema:
    """JSON Schema of an answer with this status and one of these codes."""
    known = sorted(codes)
    answer, inner = SHAPES[shape]
    schemas = deepcopy(_schemas(shape))
    whole, fields = schemas[answer.__name__], schemas[inner.__name__]["properties"]
    if answer is not inner:
        whole["properties"]["error"] = schemas[inner.__name__]
        fields["status"] = {"const": status}
    fields["code"]["enum"] = [code.upper() for code in known] if shape == "image" else known
    fields["details"] = {"type": "object"}
    for code in known:
        fields["details"].setdefault("properties", {}).update(DETAILS.get(code, {}))
    return whole


@cache
def _schemas(shape: Shape) -> dict[str, Schema]:
    return schemas_of(SHAPES[shape], "{model}")


def gateway_schema() -> Schema:
    """What API Gateway itself says when no function is asked: throttled, too large, or too late."""
    return {"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]}
