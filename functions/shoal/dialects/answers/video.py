"""What the video dialect answers: videos and credits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from shoal.dialects.answers.common import Cursor, Failure, JobId, Metadata, Moment, Url
from shoal.domain.video import SceneStatus

Status = Literal["queued", "rendering", "ready", "failed"]


class Scene(TypedDict):
    index: int
    status: SceneStatus
    prompt: str
    narration: str
    clip_url: Url | None
    """The clip, once it is paid for: when the video is ready, or if a cancel charged it. Signed, and good for
    an hour; read the video again for a fresh one."""
    preview_url: Url | None
    """A small picture of a clip that is there and not paid for yet. Signed like `clip_url`."""


class Video(TypedDict):
    id: JobId
    status: Status
    idea: str | None
    category: str | None
    duration: int | None
    """Seconds asked for."""
    aspect_ratio: str | None
    clip_count: int
    credits_charged: int
    credits_refunded: int
    """All of `credits_charged` if the video failed; if it was canceled, what no clip had cost by then."""
    progress: Annotated[int, Field(ge=0, le=100)]
    """Per cent of the steps that are done."""
    scenes: list[Scene]
    """Empty until the script is written."""
    final_video_url: Url | None
    narration_audio_url: Url | None
    poster_url: Url | None
    error: Failure | None
    metadata: Metadata | None
    created_at: Moment
    started_at: Moment | None
    completed_at: Moment | None


class VideoAnswer(TypedDict):
    video: Video


class VideoListAnswer(TypedDict):
    videos: list[Video]
    next_cursor: Cursor | None


class CreditsAnswer(TypedDict):
    credits_remaining: int
    """What can be spent: held credits are not among them."""
    credits_held: int
