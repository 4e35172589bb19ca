"""What subscribers of the bus are told: the envelope of webhooks, with the account's id, in AWS's own."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, create_model

from shoal.dialects.answers.common import EventId, Moment
from shoal.domain.events import SOURCE
from shoal.domain.webhook import EVENT_TYPES

from . import event_resources as webhooks
from .json_schema import TEXTS_DESCRIBE, Describing

Schema = dict[str, Any]


class JobCreated(webhooks.Job):
    status: Literal["queued"]


class JobProcessing(webhooks.Job):
    status: Literal["processing"]


class VideoProcessing(webhooks.Job, webhooks.Video):
    status: Literal["processing"]


DATA: dict[str, Any] = {
    **{event_type: webhooks.DATA[event_type] for event_type in EVENT_TYPES},
    "job.created": JobCreated | webhooks.VideoCreated,
    "job.processing": JobProcessing | VideoProcessing,
    "job.completed": webhooks.PictureCompleted | webhooks.VideoReady,
    "job.failed": webhooks.PictureFailed | webhooks.VideoFailed,
}
"""The engine's own events are about jobs of any dialect."""


def bus_schemas() -> dict[str, Schema]:
    """The schema of each type of event as EventBridge delivers it, in JSON Schema draft 4.

    EventBridge's registries know that and OpenAPI 3.0, of which only draft 4 can say what may be null.
    """
    return {event_type: _draft_4(_event(event_type)) for event_type in DATA}


def _event(event_type: str) -> Schema:
    fields: dict[str, Any] = {
        "id": (EventId, ...),
        "type": (Literal[event_type], ...),
        "created_at": (Moment, ...),
        "account_id": (str, Field(description="The account it happened to.")),
        "data": (DATA[event_type], ...),
    }
    detail = create_model("Detail", __config__=TEXTS_DESCRIBE, **fields)
    around: dict[str, Any] = {
        "version": (str, ...),
        "id": (str, Field(description="EventBridge's own id: the detail's stays the same in a replay.")),
        "detail-type": (Literal[event_type], ...),
        "source": (Literal[SOURCE], ...),
        "account": (str, Field(pattern="^[0-9]{12}$")),
        "time": (Moment, ...),
        "region": (str, ...),
        "resources": (list[str], ...),
        "detail": (detail, ...),
    }
    event = create_model("Event", __config__=TEXTS_DESCRIBE, **around)
    schema: Schema = event.model_json_schema(
        ref_template="#/definitions/{model}", schema_generator=Describing, mode="serialization"
    )
    return {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "x-amazon-events-source": SOURCE,
        "x-amazon-events-detail-type": event_type,
        **schema,
        "title": event_type,
    }


def _draft_4(part: Any) -> Any:
    """The same in the words of draft 4, which knows neither `const` nor `$defs`."""
    if isinstance(part, list):
        return [_draft_4(each) for each in part]
    if not isinstance(part, dict):
        return part
    words = {"$defs": "definitions"}
    found = {words.get(name, name): _draft_4(each) for name, each in part.items() if name != "const"}
    return found | ({"enum": [part["const"]]} if "const" in part else {})
