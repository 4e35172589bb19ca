"""What the fields of answers have in common."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

ULID = "[0-7][0-9A-HJKMNP-TV-Z]{25}"


class Resource(BaseModel):
    """A part of an answer; the text under a field is its description."""

    model_config = ConfigDict(use_attribute_docstrings=True)


def _id(*prefixes: str) -> Any:
    return Field(pattern=f"^({'|'.join(prefixes)})_{ULID}$")


JobId = Annotated[str, _id("job", "gen", "vid")]
WebhookId = Annotated[str, _id("wh")]
DeliveryId = Annotated[str, _id("dlv")]
EventId = Annotated[str, _id("evt")]
Secret = Annotated[str, Field(pattern="^whsec_[A-Za-z0-9+/]{43}=$")]
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Url = Annotated[str, Field(json_schema_extra={"format": "uri"})]
Usd = Annotated[str, Field(pattern=r"^-?\$[0-9]+\.[0-9]{2,6}$")]
Amount = Annotated[str, Field(pattern=r"^(-?\$[0-9]+\.[0-9]{2,6}|[0-9]+ credits?)$")]
"""Dollars, or whole credits where those are what was spent."""
Cursor = Annotated[str, Field(description="Hand it to `cursor` for the next page; null on the last one.")]
Metadata = Annotated[dict[str, Any], Field(description="As it was sent with the request.")]
ModelType = Literal["image_generate", "video_generate"]


class Failure(Resource):
    """Why a job ended without an output."""

    code: str
    """Stable: see the job errors on the documentation page."""
    message: str
