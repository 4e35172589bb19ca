"""What the video dialect answers: videos, credits, webhooks and their deliveries."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .fields import (
    Cursor,
    DeliveryId,
    EventId,
    Failure,
    JobId,
    Metadata,
    Moment,
    Resource,
    Secret,
    Url,
    WebhookId,
)


class Scene(Resource):
    index: int
    status: Literal["queued", "rendering", "ready", "failed", "canceled"]
    prompt: str
    narration: str
    clip_url: Url | None
    """Signed, and good for an hour; read the video again for a fresh one."""


class Video(Resource):
    id: JobId
    status: Literal["queued", "rendering", "ready", "failed"]
    idea: str | None
    category: str | None
    duration: int | None
    """Seconds asked for."""
    aspect_ratio: str | None
    clip_count: int
    credits_charged: int
    credits_refunded: int
    """All of `credits_charged` if the video failed or was canceled."""
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


class VideoAnswer(Resource):
    video: Video


class VideoListAnswer(Resource):
    videos: list[Video]
    next_cursor: Cursor | None


class CreditsAnswer(Resource):
    credits_remaining: int
    """What can be spent: held credits are not among them."""
    credits_held: int


class Webhook(Resource):
    id: WebhookId
    name: str
    url: Url
    events: list[str]
    enabled: bool
    disabled_reason: Literal["requested", "failing", "gone"] | None
    created_at: Moment
    updated_at: Moment


class WebhookAnswer(Resource):
    webhook: Webhook


class NewWebhookAnswer(WebhookAnswer):
    secret: Secret
    """Shown in this answer alone: store it now."""


class WebhookListAnswer(Resource):
    webhooks: list[Webhook]
    next_cursor: Cursor | None


class Attempt(Resource):
    at: Moment
    status_code: int | None
    duration_ms: int
    error: str | None
    """Why the attempt failed; null if it did not."""
    response: str | None
    """How the endpoint's answer begins."""


class Delivery(Resource):
    id: DeliveryId
    event_id: EventId
    event_type: str
    status: Literal["pending", "delivered", "failed"]
    attempts: list[Attempt]
    next_attempt_at: Moment | None


class DeliveryAnswer(Resource):
    delivery: Delivery


class DeliveryListAnswer(Resource):
    deliveries: list[Delivery]
    next_cursor: Cursor | None


class Recover(Resource):
    since: Moment
    until: Moment
    events_max: int


class RecoverAnswer(Resource):
    recover: Recover
