"""What webhooks are told: one envelope around the data of each type of event."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import BaseModel, Field, create_model
from typing_extensions import TypedDict

from shoal.dialects.answers.common import Amount, EventId, Failure, JobId, Metadata, Moment, Url, WebhookId
from shoal.dialects.answers.tasks import OutputFile
from shoal.domain.webhook import EVENT_TYPES

from .json_schema import TEXTS_DESCRIBE

Credits = Annotated[str, Field(pattern="^[0-9]+$")]
Cost = Annotated[str, Field(pattern=r"^(\$[0-9]+\.[0-9]{2,6}|[0-9]+)$")]
"""Dollars, or a number of whole credits where those are what was spent."""


class Job(TypedDict):
    job_id: JobId
    dialect: Literal["image", "tasks", "video"]
    model: str
    mode: str | None
    test: bool
    """Whether a test key asked for it."""
    metadata: Metadata | None
    created_at: Moment
    synthetic: NotRequired[Literal[True]]
    """Only there in an event that `POST …/test` made up."""


class _Closed(Job):
    closed_at: Moment
    error: Failure | None


class _Picture(_Closed):
    cost: Cost
    image_url: Url | None
    """The first output, whatever it is."""
    urls: list[Url]
    files: NotRequired[list[OutputFile]]
    """Of a task: the files of all outputs, in the order of `urls`, each with what came beside it."""


class PictureCompleted(_Picture):
    status: Literal["completed"]


class PictureFailed(_Picture):
    status: Literal["failed", "canceled", "expired"]


class Video(TypedDict):
    video_id: JobId
    clip_count: int


class VideoCreated(Job, Video):
    status: Literal["queued"]


class VideoSceneReady(Job, Video):
    index: int
    clip_url: Url | None
    """Null: the clip is not paid for yet. Read the video once it is ready."""
    preview_url: NotRequired[Url]
    """A small picture of the clip. Signed, and good for an hour; gone once the video has failed."""


class _VideoClosed(_Closed, Video):
    cost: Credits
    """Whole credits."""
    final_video_url: Url | None
    narration_audio_url: Url | None
    poster_url: Url | None


class VideoReady(_VideoClosed):
    status: Literal["completed"]


class VideoFailed(_VideoClosed):
    status: Literal["failed", "canceled", "expired"]


class LowBalance(TypedDict):
    asset: Literal["usd", "credit", "test_usd", "test_credit"]
    balance: Amount
    available: Amount
    """What fell below the threshold: the balance less what is held."""
    threshold: Amount
    test: bool
    synthetic: NotRequired[Literal[True]]


class WebhookDisabled(TypedDict):
    webhook_id: WebhookId
    name: str
    url: Url
    reason: Literal["failing", "gone"]
    disabled_at: Moment
    test: NotRequired[bool]
    """Whether the webhook is of test mode."""
    synthetic: NotRequired[Literal[True]]


DATA: dict[str, type[Any]] = {
    "video.created": VideoCreated,
    "video.scene_ready": VideoSceneReady,
    "video.ready": VideoReady,
    "video.failed": VideoFailed,
    "image.completed": PictureCompleted,
    "image.failed": PictureFailed,
    "task.completed": PictureCompleted,
    "task.failed": PictureFailed,
    "wallet.low_balance": LowBalance,
    "webhook.disabled": WebhookDisabled,
}
MEANING = {
    "video.created": "A video's render has begun.",
    "video.scene_ready": "One scene of a video is there; a video of several scenes sends one for each.",
    "video.ready": "The stitched MP4 is there.",
    "video.failed": "A video failed or was canceled. Credits come back, but for clips that a cancel charged.",
    "image.completed": "An image is there.",
    "image.failed": "An image could not be made, or was canceled. Nothing was charged.",
    "task.completed": "The outputs of a task are there.",
    "task.failed": (
        "A task could not be done, or was canceled. `cost` is what a cancel charged, `urls` what came of it."
    ),
    "wallet.low_balance": "The available balance fell below its threshold.",
    "webhook.disabled": "A subscription was disabled, because its endpoint failed too long or said 410.",
}


def envelope(event_type: str) -> type[BaseModel]:
    """The body of a delivery of this type."""
    name = "".join(word.capitalize() for word in event_type.replace(".", "_").split("_")) + "Event"
    fields: dict[str, Any] = {
        "id": (EventId, Field(description="The same however often the event comes.")),
        "type": (Literal[event_type], ...),
        "created_at": (Moment, ...),
        "data": (DATA[event_type], ...),
    }
    return create_model(name, __config__=TEXTS_DESCRIBE, __doc__=MEANING[event_type], **fields)


ENVELOPES = {event_type: envelope(event_type) for event_type in EVENT_TYPES}
