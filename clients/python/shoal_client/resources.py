"""What the API answers, as the OpenAPI document has it; a test holds the two against each other."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

ModelType = Literal["image_generate", "video_generate"]
Metadata = dict[str, Any]


class Failure(TypedDict):
    code: str
    message: str


class Accepted(TypedDict):
    job_id: str
    status: Literal["queued"]
    estimated_cost: str


class Job(TypedDict):
    job_id: str
    image_url: str | None
    cost: str | None
    error: str | None
    queued_at: str
    started_at: str | None
    completed_at: str | None
    created_at: str
    status: Literal["queued", "processing", "complete", "failed"]


class Wallet(TypedDict):
    balance: str
    held: str
    available: str
    free_generations_left: int


class UsageRow(TypedDict):
    job_id: str
    model: str
    mode: str | None
    prompt: str | None
    cost: str | None
    error: str | None
    created_at: str
    completed_at: str | None
    status: Literal["queued", "processing", "complete", "failed"]


class Usage(TypedDict):
    requests: list[UsageRow]
    next_cursor: str | None


class AcceptedTask(TypedDict):
    id: str
    status: Literal["pending"]
    model: str
    type: ModelType
    cost: str
    created_at: str


class TaskOutput(TypedDict):
    url: str | None
    urls: list[str]
    expired: NotRequired[Literal[True]]


class Task(TypedDict):
    id: str
    status: Literal["pending", "processing", "completed", "failed", "canceled"]
    model: str
    type: ModelType
    output: TaskOutput | None
    cost: str
    error: Failure | None
    metadata: Metadata | None
    created_at: str
    started_at: str | None
    completed_at: str | None


class Price(TypedDict):
    per: Literal["output"]
    amount: str
    asset: Literal["usd", "credit"]
    version: str


class Limits(TypedDict):
    num_outputs: int
    prompt_characters: int


class Model(TypedDict):
    id: str
    title: str
    type: ModelType
    parameters: dict[str, Any]
    price: Price
    limits: Limits
    availability: Literal["available", "unavailable"]
    deprecated: bool
    replacement: str | None


class Quote(TypedDict):
    model: str
    mode: str | None
    num_outputs: int
    price: str
    upper_bound: str
    price_version: str
    seconds_expected: int


class UsageOfModel(TypedDict):
    model: str
    total_units: int
    total_cost: str
    request_count: int


class Scene(TypedDict):
    index: int
    status: Literal["queued", "rendering", "ready", "failed", "canceled"]
    prompt: str
    narration: str
    clip_url: str | None


class Video(TypedDict):
    id: str
    status: Literal["queued", "rendering", "ready", "failed"]
    idea: str | None
    category: str | None
    duration: int | None
    aspect_ratio: str | None
    clip_count: int
    credits_charged: int
    credits_refunded: int
    progress: int
    scenes: list[Scene]
    final_video_url: str | None
    narration_audio_url: str | None
    poster_url: str | None
    error: Failure | None
    metadata: Metadata | None
    created_at: str
    started_at: str | None
    completed_at: str | None


class Credits(TypedDict):
    credits_remaining: int
    credits_held: int


class Webhook(TypedDict):
    id: str
    name: str
    url: str
    events: list[str]
    enabled: bool
    disabled_reason: Literal["requested", "failing", "gone"] | None
    created_at: str
    updated_at: str


class Attempt(TypedDict):
    at: str
    status_code: int | None
    duration_ms: int
    error: str | None
    response: str | None


class Delivery(TypedDict):
    id: str
    event_id: str
    event_type: str
    status: Literal["pending", "delivered", "failed"]
    attempts: list[Attempt]
    next_attempt_at: str | None


class NewWebhook(TypedDict):
    """`secret` is shown this once."""

    webhook: Webhook
    secret: str


class Event(TypedDict):
    """What a webhook is told; `data` depends on the type."""

    id: str
    type: str
    created_at: str
    data: dict[str, Any]
