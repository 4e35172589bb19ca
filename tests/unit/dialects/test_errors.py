"""Errors: one tree, two renderings."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from shoal.dialects.errors import (
    image_error,
    invalid_field,
    neutral_error,
    tasks_error,
    validation_error,
)
from shoal.domain import errors
from shoal.domain.errors import ApiError, InsufficientBalance, JobError, ProviderTimeout, RateLimited

PUBLISHED = {
    "invalid_json": 400,
    "unauthorized": 401,
    "insufficient_balance": 402,
    "insufficient_credits": 402,
    "max_cost_exceeded": 402,
    "forbidden": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "idempotency_in_flight": 409,
    "payload_too_large": 413,
    "unsupported_media_type": 415,
    "validation_error": 422,
    "idempotency_key_reused": 422,
    "rate_limited": 429,
    "internal_error": 500,
    "unavailable": 503,
}


def below(parent: type[Exception]) -> list[type[Any]]:
    return [child for direct in parent.__subclasses__() for child in (direct, *below(direct))]


API_ERRORS = [error for error in below(ApiError) if error.__module__ == errors.__name__]
"""Adapters and ports have some of their own, which callers get as `Unavailable`."""


def test_every_published_code_has_its_status_and_there_is_no_other() -> None:
    assert {error.code: error.status for error in below(ApiError)} == PUBLISHED


def test_the_tree_at_the_top_of_the_file_names_every_error() -> None:
    drawn = set(re.findall(r"[├└]── (\w+)", errors.__doc__ or ""))

    assert drawn == {
        error.__name__ for error in below(errors.ShoalError) if error.__module__ == errors.__name__
    }


@pytest.mark.parametrize("error", API_ERRORS)
def test_the_image_dialect_shouts_its_codes(error: type[ApiError]) -> None:
    made = error()

    assert image_error(made) == {
        "error": {"code": error.code.upper(), "message": made.message, "status": error.status}
    }
    assert made.message.endswith(".")


@pytest.mark.parametrize("error", API_ERRORS)
def test_the_tasks_dialect_wraps_its_errors_and_always_has_details(error: type[ApiError]) -> None:
    made = error(details={"scope": "read"})

    fields = {"code": error.code, "message": made.message, "status": error.status}
    assert tasks_error(made) == {"data": None, "error": fields | {"details": {"scope": "read"}}}
    assert tasks_error(error()) == {"data": None, "error": fields | {"details": {}}}


@pytest.mark.parametrize("error", API_ERRORS)
def test_the_neutral_shape_reads_as_an_error_in_both_dialects(error: type[ApiError]) -> None:
    made = error()

    assert neutral_error(made) == {
        "data": None,
        "error": {"code": error.code, "message": made.message, "status": error.status},
    }


def test_an_empty_wallet_is_told_in_the_documents_words() -> None:
    assert image_error(InsufficientBalance()) == {
        "error": {
            "code": "INSUFFICIENT_BALANCE",
            "message": "Your wallet balance is too low to process this request.",
            "status": 402,
        }
    }


def test_details_are_there_only_when_there_are_any() -> None:
    assert "details" not in image_error(errors.Forbidden(details={}))["error"]
    assert image_error(errors.Forbidden(details={"scope": "read"}))["error"]["details"] == {"scope": "read"}


def test_a_wait_becomes_a_header() -> None:
    assert RateLimited(retry_after_seconds=7).headers == {"Retry-After": "7"}
    assert RateLimited(retry_after_seconds=7, headers={"RateLimit": "x"}).headers == {
        "RateLimit": "x",
        "Retry-After": "7",
    }
    assert RateLimited().headers == {}


class _Form(BaseModel):
    one: int
    inner: dict[str, int]


def test_each_wrong_field_is_named_by_its_path() -> None:
    with pytest.raises(ValidationError) as found:
        _Form.model_validate({"one": "x", "inner": {"two": "y"}})

    failed = validation_error(found.value)

    assert [item["field"] for item in failed.details["fields"]] == ["one", "inner.two"]
    assert failed.message.startswith("The request is not valid. one: ")
    assert "pydantic" not in str(failed.details)


def test_a_request_wrong_as_a_whole_names_its_body() -> None:
    with pytest.raises(ValidationError) as found:
        _Form.model_validate([])

    assert validation_error(found.value).details["fields"][0]["field"] == "body"


def test_one_wrong_field_is_told_in_message_and_details() -> None:
    failed = invalid_field("mode", "must be one of 1k, 2k")

    assert failed.message == "The request is not valid. mode: must be one of 1k, 2k"
    assert failed.details == {"fields": [{"field": "mode", "message": "must be one of 1k, 2k"}]}


def test_the_time_out_has_the_documents_words() -> None:
    assert str(ProviderTimeout(180)) == "Provider request timed out after 180s."


def test_every_way_a_job_ends_has_a_code_of_its_own() -> None:
    codes = [error.code for error in below(JobError)]

    assert len(codes) == len(set(codes)) == 7
