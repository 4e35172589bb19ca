"""Types of fields that the answers of several dialects have."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

ULID = "[0-7][0-9A-HJKMNP-TV-Z]{25}"

JobId = Annotated[str, Field(pattern=f"^(job|gen|vid)_{ULID}$")]
WebhookId = Annotated[str, Field(pattern=f"^(wh)_{ULID}$")]
DeliveryId = Annotated[str, Field(pattern=f"^(dlv)_{ULID}$")]
EventId = Annotated[str, Field(pattern=f"^(evt)_{ULID}$")]
Secret = Annotated[str, Field(pattern="^whsec_[A-Za-z0-9+/]{43}=$")]
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Url = Annotated[str, Field(json_schema_extra={"format": "uri"})]
Usd = Annotated[str, Field(pattern=r"^-?\$[0-9]+\.[0-9]{2,6}$")]
Amount = Annotated[str, Field(pattern=r"^(-?\$[0-9]+\.[0-9]{2,6}|[0-9]+ credits?)$")]
"""Dollars, or whole credits where those are what was spent."""
Cursor = Annotated[str, Field(description="Hand it to `cursor` for the next page; null on the last one.")]
Metadata = Annotated[dict[str, Any], Field(description="As it was sent with the request.")]


class Failure(TypedDict):
    """Why a job ended without an output."""

    code: str
    """Stable: see the job errors on the documentation page."""
    message: str


class NoError(TypedDict):
    """What every success of the tasks dialect has beside its data."""

    error: None


class HealthAnswer(TypedDict):
    """The API answers."""

    status: Literal["ok"]
    stage: str
