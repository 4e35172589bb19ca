"""Fields that requests of several dialects share, and how query parameters are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, overload

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
)
from pydantic_core import PydanticCustomError

from shoal.dialects.errors import invalid_field
from shoal.domain.files.address import NO_DATA, file_ulid, head_length, is_data_uri, is_file_id
from shoal.domain.job import JobStatus
from shoal.domain.money import Asset, parse_usd
from shoal.domain.text import is_blank, json_bytes

PROMPT_LENGTH_MAX = 4_000
SEED_MAX = 2**32 - 1
METADATA_BYTES_MAX = 4_096
TTL_S_MIN = 60
TTL_S_MAX = 365 * 24 * 3600
URL_LENGTH_MAX = 2_048
DAY_MS = 24 * 3_600_000
PAGE_LIMIT = 20
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FAR_MS = 253_402_300_800_000
"""The year 10000 in Unix ms: a zone takes the last hours of 9999 beyond what can be written."""
PAGE_LIMIT_MAX = 100

_NOT_IN_ADDRESS = r"\s\x00-\x20\x7f-\x9f"  # what \s means differs among readers of JSON Schema
WEB_ADDRESS = rf"^https?://[^{_NOT_IN_ADDRESS}]+$"
INPUT_ADDRESS = (
    rf"^(https?://[^{_NOT_IN_ADDRESS}]{{1,{URL_LENGTH_MAX - len('https://')}}}"
    r"|data:[^,;]*(;[^,;]*)*;base64,[A-Za-z0-9+/]*={0,2}|file_[0-7][0-9A-HJKMNP-TV-Z]{25})$"
)


def _web_address(text: str) -> str:
    if re.search(f"[{_NOT_IN_ADDRESS}]", text):
        raise PydanticCustomError("no_address", "must not contain a space or a control character")
    if not re.match(WEB_ADDRESS, text, re.IGNORECASE):
        raise PydanticCustomError("no_address", "must begin with https:// and name a host")
    return text


def _input_address(text: str) -> str:
    """An address on the web, a `data:` URI or a file's id: whether anything is there shows later."""
    if is_data_uri(text):
        if head_length(text) is None:
            raise PydanticCustomError("no_data", NO_DATA)
        return text
    if is_file_id(text):
        if file_ulid(text) is None:
            raise PydanticCustomError("no_file_id", "is no id of a file")
        return text
    if len(text) > URL_LENGTH_MAX:
        raise PydanticCustomError("too_long", f"should have at most {URL_LENGTH_MAX} characters")
    return _web_address(text)


def _without_zero_fraction(value: Any) -> Any:
    """`8.0` is `8`: JSON has one kind of number, and some writers give every one of them a fraction."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _says_something(text: str) -> str:
    if is_blank(text):
        raise PydanticCustomError("nothing_visible", "must say something that can be seen")
    return text


Visible = AfterValidator(_says_something)
"""For texts that must not look empty."""
EmptyIfBlank = AfterValidator(lambda text: "" if is_blank(text) else text)
"""For texts that may be empty: what looks empty is."""
Whole = BeforeValidator(_without_zero_fraction)
"""For fields that are whole numbers."""
Prompt = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=PROMPT_LENGTH_MAX), Visible
]
Seed = Annotated[int, Field(ge=0, le=SEED_MAX), Whole]
Url = Annotated[
    str,
    StringConstraints(min_length=1, max_length=URL_LENGTH_MAX),
    AfterValidator(_web_address),
    Field(json_schema_extra={"pattern": WEB_ADDRESS}),
]

Input = Annotated[
    str,
    StringConstraints(min_length=1),
    AfterValidator(_input_address),
    Field(json_schema_extra={"pattern": INPUT_ADDRESS}),
]
"""What an input is named by."""


class SubmitFields(BaseModel):
    """What any submit may carry beside the parameters of what it asks for."""

    # Built when first used: a cold start builds the dialect that is spoken, not the others.
    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    webhook_url: Url | None = None
    metadata: dict[str, Any] | None = None
    max_cost: str | None = None
    ttl_seconds: Annotated[int, Field(ge=TTL_S_MIN, le=TTL_S_MAX), Whole] | None = None

    def words(self, *without: str) -> dict[str, Any]:
        """What is asked for, as it came: without what any submit may carry, nor some of its own fields."""
        return self.model_dump(exclude={*SubmitFields.model_fields, *without})

    @field_validator("metadata")
    @classmethod
    def _metadata_is_small(cls, metadata: dict[str, Any] | None) -> dict[str, Any] | None:
        if metadata is not None and json_bytes(metadata) > METADATA_BYTES_MAX:
            raise PydanticCustomError("too_large", f"must be at most {METADATA_BYTES_MAX} bytes of JSON")
        return metadata


def parse_max_cost(text: str | None, asset: Asset) -> int | None:
    """A caller's limit in the asset's unit, from `0.05`, `$0.05` or whole credits.

    Raises `ValidationFailed`.
    """
    if text is None:
        return None
    try:
        return parse_usd(text) if asset.in_dollars else _whole(text)
    except ValueError:
        form = "an amount such as 0.05" if asset.in_dollars else "a whole number of credits"
        raise invalid_field("max_cost", f"must be {form}") from None


@overload
def iso_seconds(at_ms: int) -> str: ...


@overload
def iso_seconds(at_ms: None) -> None: ...


@overload
def iso_seconds(at_ms: int | None) -> str | None: ...


def iso_seconds(at_ms: int | None) -> str | None:
    """ISO 8601 UTC to the second, `2025-01-15T10:23:44Z`."""
    if at_ms is None:
        return None
    return (EPOCH + timedelta(seconds=at_ms // 1000)).isoformat().replace("+00:00", "Z")


def check_parameters(query: Mapping[str, str], known: set[str]) -> None:
    """Raises `ValidationFailed` for a query parameter that is not known."""
    unknown = set(query) - known
    if unknown:
        raise invalid_field(min(unknown)[:100], "unknown parameter")


def parse_range(query: Mapping[str, str]) -> tuple[int | None, int | None]:
    """From a moment up to but not at another, in Unix ms; a `to` that is a date means its whole day.

    Raises `ValidationFailed`, also when they are the wrong way round.
    """
    from_ms, to_ms = parse_moment(query, "from"), parse_moment(query, "to")
    whole_day = to_ms is not None and is_day(query["to"])
    if to_ms is not None and whole_day:
        to_ms += DAY_MS
    if from_ms is not None and to_ms is not None and from_ms > to_ms - whole_day:
        raise invalid_field("from", "must not be after to")
    return from_ms, to_ms


def parse_statuses(text: str, words: Mapping[JobStatus, str]) -> frozenset[JobStatus]:
    """The statuses that an API calls by this word. Raises `ValidationFailed`."""
    statuses = frozenset(status for status, word in words.items() if word == text)
    if not statuses:
        raise invalid_field("status", f"must be one of {', '.join(sorted(set(words.values())))}")
    return statuses


def parse_limit(query: Mapping[str, str]) -> int:
    """The size of a page. Raises `ValidationFailed`."""
    text = query.get("limit")
    if text is None:
        return PAGE_LIMIT
    if not re.fullmatch(r"[0-9]{1,4}", text, re.ASCII) or not 1 <= int(text) <= PAGE_LIMIT_MAX:
        raise invalid_field("limit", f"must be a whole number from 1 to {PAGE_LIMIT_MAX}")
    return int(text)


def parse_wait_s(prefer: str | None) -> int:
    """N of `Prefer: wait=N` (RFC 7240), 0 without one. An unusable preference is ignored, as the RFC asks."""
    match = re.search(r"(?:^|[,;])\s*wait\s*=\s*\"?([0-9]{1,4})\"?\s*(?:$|[,;])", prefer or "", re.I)
    return int(match.group(1)) if match else 0


def is_day(text: str) -> bool:
    """Whether a time that was read is a date alone."""
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        raise ValueError("not a whole number")
    return int(text)


def parse_moment(query: Mapping[str, str], name: str) -> int | None:
    """An ISO 8601 time in Unix ms, None without one; UTC if it names no zone. Raises `ValidationFailed`."""
    if name not in query:
        return None
    try:
        moment = datetime.fromisoformat(query[name])
    except ValueError:
        raise invalid_field(name, "must be an ISO 8601 time such as 2026-01-31T00:00:00Z") from None
    at_ms = (moment.replace(tzinfo=moment.tzinfo or UTC) - EPOCH) // timedelta(milliseconds=1)
    if not 0 <= at_ms < FAR_MS:
        raise invalid_field(name, "must be a time from 1970 to 9999")
    return at_ms
