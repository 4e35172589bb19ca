"""What schemathesis can't know of: valid requests that the schema alone does not make acceptable, or cheap.

Loaded by its command line (SCHEMATHESIS_HOOKS). Only what is already valid is touched, so that what is meant
to be refused stays so.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import schemathesis
from schemathesis.generation.meta import CoverageScenario

from infra.documents.parameters import REQUEST_HEADERS
from infra.documents.requests import MOMENT
from shoal.dialects.fields import INPUT_ADDRESS, WEB_ADDRESS
from shoal.domain.files.kinds import MEDIA_BYTES_MAX, PICTURE_BYTES_MAX

RECEIVER = os.environ["SHOAL_FUZZ_RECEIVER"]
"""An address that takes events and gives a picture."""
KEY = "Idempotency-Key"
VALID_KEY = re.compile(REQUEST_HEADERS[KEY]["schema"]["pattern"])
INPUT = re.compile(INPUT_ADDRESS)
MARKED_MAX = 1_900
numbers = count()


@schemathesis.hook
def before_load_schema(_: Any, raw_schema: dict[str, Any]) -> None:
    """Leaves the models that have a parameter, or are are paid in what, none before them has.

    And files that are ordered: what forms and files may hold, `test_form_body.py` and `test_files.py` try.
    """
    content = raw_schema["paths"]["/v1/files"]["post"]["requestBody"]["content"]
    for media_type in [each for each in content if each != "application/json"]:
        del content[media_type]
    schemas = raw_schema["components"]["schemas"]
    task, seen, kept = schemas["TaskRequest"], set[str](), list[Any]()
    for reference in task["oneOf"]:
        properties = schemas[reference["$ref"].rpartition("/")[2]]["properties"]
        found = {*properties, str(properties["max_cost"])}
        if found - seen:
            kept.append(reference)
        seen |= found
    task["oneOf"] = kept


@schemathesis.hook
def before_call(_: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """`case` is one request; what is changed in it is what is sent."""
    if case.meta and getattr(case.meta.phase.data, "scenario", None) == CoverageScenario.MISSING_PARAMETER:
        return  # edited, it would count as whole, and be sent with what it is meant to lack
    headers = case.headers or {}
    if isinstance(case.body, dict):
        case.body = {name: _usable(name, value) for name, value in case.body.items()}
    if VALID_KEY.fullmatch(headers.get(KEY, "")):
        headers[KEY] = f"fuzz-{next(numbers)}"
    if str(headers.get("Prefer", "")).startswith("wait"):
        headers["Prefer"] = "wait=0"
    _in_order(case.query or {})


def _usable(name: str, value: Any) -> Any:
    """A field of a body: addresses that are there, moments of late, sizes that any file may have.

    And nothing that is drawn for minutes.
    """
    if name == "input_image_urls" and isinstance(value, list):
        return [RECEIVER if isinstance(each, str) and INPUT.fullmatch(each) else each for each in value]
    if name == "size_bytes" and isinstance(value, int) and value > PICTURE_BYTES_MAX:
        return PICTURE_BYTES_MAX if value <= MEDIA_BYTES_MAX else value
    if not isinstance(value, str):
        return value
    if name in ("url", "webhook_url") and re.fullmatch(WEB_ADDRESS, value):
        return RECEIVER
    if name in ("prompt", "idea") and value.strip() and len(value) < MARKED_MAX and "[fail]" not in value:
        return f"[fail]{value}"
    if name == "since" and re.match(r"\d{4}-\d\d-\d\d[Tt ]", value):
        return (datetime.now(UTC) - timedelta(days=1)).isoformat()
    return value


def _in_order(query: dict[str, Any]) -> None:
    moments: list[Any] = [query.get("from"), query.get("to")]
    if all(isinstance(each, str) and re.fullmatch(MOMENT, each) for each in moments):
        query["from"], query["to"] = sorted(moments)
