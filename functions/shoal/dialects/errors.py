"""Errors as a caller reads them. A dialect decides the shape; codes and statuses come from the error tree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shoal.domain.errors import ApiError, ValidationFailed

if TYPE_CHECKING:
    from shoal.dialects.answers import errors as answers

FIELDS_MAX = 20
"""Wrong fields an answer names: a body may have more of them than an answer may have bytes."""

PATH_LENGTH_MAX = 200


def neutral_error(error: ApiError) -> answers.NeutralError:
    """For a request whose dialect is not known yet: reads as an error of the image and the tasks dialect."""
    return {"data": None, "error": _fields(error, error.code)}


def image_error(error: ApiError) -> answers.ImageError:
    """`{"error":{"code":"INSUFFICIENT_BALANCE","message":…,"status":402}}`"""
    return {"error": _fields(error, error.code.upper())}


def tasks_error(error: ApiError) -> answers.TasksError:
    """`{"data":null,"error":{"code":"insufficient_balance","message":…,"status":402,"details":{…}}}`"""
    return {"data": None, "error": {**_fields(error, error.code), "details": error.details}}


def video_error(error: ApiError, api_url: Callable[[], str]) -> answers.VideoError:
    """`{"code":"not_found","message":…,"docs_url":"https://…/docs/api#not_found","details":{…}}`"""
    return {
        "code": error.code,
        "message": error.message,
        "docs_url": f"{api_url().rstrip('/')}/docs/api#{error.code}",
        "details": error.details,
    }


def validation_error(
    error: ValidationError, say: Callable[[ErrorDetails], str] = lambda found: found["msg"]
) -> ValidationFailed:
    """What pydantic found, as field paths and plain words; `say` words what it found."""
    fields = [
        {"field": _path(found["loc"]), "message": say(found)}
        for found in error.errors(include_url=False, include_input=False)[:FIELDS_MAX]
    ]
    summary = "; ".join(f"{item['field']}: {item['message']}" for item in fields[:3])
    return ValidationFailed(f"The request is not valid. {summary}", details={"fields": fields})


def invalid_field(field: str, message: str) -> ValidationFailed:
    """One field that is wrong."""
    return ValidationFailed(
        f"The request is not valid. {field}: {message}",
        details={"fields": [{"field": field, "message": message}]},
    )


def _fields(error: ApiError, code: str) -> answers.ErrorFields:
    fields: answers.ErrorFields = {"code": code, "message": error.message, "status": error.status}
    if error.details:
        fields["details"] = error.details
    return fields


def _path(location: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in location)[:PATH_LENGTH_MAX] or "body"
