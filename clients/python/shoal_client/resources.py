"""What the API answers and sends: made from the OpenAPI document by `make client-types`."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict


class Accepted(TypedDict):
    """The job was accepted and its price is held."""

    job_id: str
    status: Literal["queued"]
    estimated_cost: str


class Job(TypedDict):
    """A job as `/v1` spells it: success is `complete`."""

    job_id: str
    image_url: str | None
    """The picture, once the job has completed."""

    cost: str | None
    """What was charged, once the job has completed, or was canceled when its picture was already billed."""

    error: str | None
    """
    Why the job failed, in plain words. A failed job costs nothing: one that was canceled too late for that
    completes.
    """

    queued_at: str
    started_at: str | None
    completed_at: str | None
    """Null while the job has not completed, and for ever if it failed."""

    created_at: str
    status: Literal["queued", "processing", "complete", "failed"]


class Wallet(TypedDict):
    """Dollars of the key's account; of a test key, play money."""

    balance: str
    held: str
    """What open jobs may still cost."""

    available: str
    """Balance less held: what can be spent."""

    free_generations_left: int


class UsageRow(TypedDict):
    """A request that was made."""

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
    """One page of requests, newest first."""

    requests: list[UsageRow]
    next_cursor: str | None


class AcceptedTask(TypedDict):
    """The task was accepted and its price is held."""

    id: str
    status: Literal["pending"]
    model: str
    type: Literal[
        "image_generate",
        "image_edit",
        "image_upscale",
        "image_segment",
        "video_generate",
        "video_edit",
        "audio_generate",
        "speech_generate",
        "model3d_generate",
        "text_generate",
    ]
    cost: str
    created_at: str


class TaskOutput(TypedDict):
    """Where the outputs are; those that have expired have no address any more."""

    url: str | None
    """The first output."""

    urls: list[str]
    expired: NotRequired[Literal[True]]
    """Only there when the outputs are no longer kept."""


class Failure(TypedDict):
    """Why a job ended without an output."""

    code: str
    """Stable: see the job errors on the documentation page."""

    message: str


class OutputFile(TypedDict):
    """A file of an output, as it was measured."""

    url: str
    content_type: str
    bytes: int
    width: NotRequired[int]
    """In pixels; only there for what can be seen."""

    height: NotRequired[int]
    seconds: NotRequired[int | float]
    """To the millisecond; only there for what lasts."""

    extra: NotRequired[Literal[True]]
    """Only there for a file beside an output, such as a preview: it is not charged."""


class Task(TypedDict):
    id: str
    status: Literal["pending", "processing", "completed", "failed", "canceled"]
    model: str
    type: Literal[
        "image_generate",
        "image_edit",
        "image_upscale",
        "image_segment",
        "video_generate",
        "video_edit",
        "audio_generate",
        "speech_generate",
        "model3d_generate",
        "text_generate",
    ]
    output: TaskOutput | None
    """
    Null until the task has completed. A canceled task has the outputs that it was charged for, as soon as
    they are there.
    """

    cost: str
    """
    What was charged: `$0.00` until the task has completed, four decimals from then on. Canceling a task
    costs the outputs that a provider bills although it stops.
    """

    error: Failure | None
    metadata: dict[str, Any] | None
    created_at: str
    started_at: str | None
    completed_at: str | None
    files: list[OutputFile]
    """What is known of each file of the output, in the order of its `urls`, with what came beside it."""


class PriceRow(TypedDict):
    """An amount for each unit, where these parameters have these values."""

    per: str
    amount: str
    when: dict[str, str]


class Price(TypedDict):
    rows: NotRequired[list[PriceRow]]
    """Only there where a price is more than one for each output: what it is made of."""

    sentence: NotRequired[str]
    """The same in words, as it is unless more is asked for: `$0.062 a second at 720p`."""

    per: Literal["output", "rows"]
    amount: str
    """Of an output as it is made unless more is asked for."""

    asset: Literal["usd", "credit"]
    version: str


class Limits(TypedDict):
    num_outputs: int
    prompt_characters: int


class Model(TypedDict):
    """A model of the catalog."""

    id: str
    title: str
    type: Literal[
        "image_generate",
        "image_edit",
        "image_upscale",
        "image_segment",
        "video_generate",
        "video_edit",
        "audio_generate",
        "speech_generate",
        "model3d_generate",
        "text_generate",
    ]
    parameters: dict[str, Any]
    """JSON Schema of what the model takes beside `model` and what any submit takes."""

    price: Price
    limits: Limits
    availability: Literal["available", "unavailable"]
    deprecated: bool
    replacement: str | None


class QuotedRow(TypedDict):
    """A part of a price: an amount for each unit, and how many of it are expected at most."""

    per: str
    amount: str
    units: float
    """Thousandths are the least. Of an output where it is counted for each, else of the whole request."""


class Quote(TypedDict):
    """What a submit of the same body would cost."""

    rows: NotRequired[list[QuotedRow]]
    """Only there where a price is more than one for each output: what it is made of."""

    sentence: NotRequired[str]
    """The same in words, such as `$0.0620 a second`."""

    model: str
    mode: str | None
    num_outputs: int
    price: str
    """Per output, at most."""

    upper_bound: str
    """What a submit would hold: all outputs. Fewer or smaller ones than were asked for cost less."""

    price_version: str
    seconds_expected: int


class UsageOfModel(TypedDict):
    units: NotRequired[dict[str, float]]
    """What else was charged by than outputs, such as `{"second": 12.5}`."""

    model: str
    total_units: int
    """Delivered outputs; of a video, its clips."""

    total_cost: str
    request_count: int


class Scene(TypedDict):
    index: int
    status: Literal["queued", "rendering", "ready", "failed", "canceled"]
    prompt: str
    narration: str
    clip_url: str | None
    """
    The clip, once it is paid for: when the video is ready, or if a cancel charged it. Signed, and good for
    an hour; read the video again for a fresh one.
    """

    preview_url: str | None
    """A small picture of a clip that is there and not paid for yet. Signed like `clip_url`."""


class Video(TypedDict):
    id: str
    status: Literal["queued", "rendering", "ready", "failed"]
    idea: str | None
    category: str | None
    duration: int | None
    """Seconds asked for."""

    aspect_ratio: str | None
    clip_count: int
    credits_charged: int
    credits_refunded: int
    """All of `credits_charged` if the video failed; if it was canceled, what no clip had cost by then."""

    progress: int
    """Per cent of the steps that are done."""

    scenes: list[Scene]
    """Empty until the script is written."""

    final_video_url: str | None
    narration_audio_url: str | None
    poster_url: str | None
    error: Failure | None
    metadata: dict[str, Any] | None
    created_at: str
    started_at: str | None
    completed_at: str | None


class Credits(TypedDict):
    credits_remaining: int
    """What can be spent: held credits are not among them."""

    credits_held: int


class File(TypedDict):
    id: str
    status: Literal["awaited", "ready"]
    """`awaited`: nothing usable was found yet where its upload was ordered; type and size are as declared."""

    name: str
    content_type: str
    """Told by its bytes."""

    size_bytes: int
    sha256: str | None
    """Of a file that came with its request; null for one that was uploaded to an address."""

    metadata: dict[str, Any] | None
    created_at: str
    expires_at: str
    """A day after it was made: then it is gone."""


class Upload(TypedDict):
    """Where to send the file: once, with these header fields, before it expires."""

    method: Literal["PUT"]
    url: str
    headers: dict[str, str]
    expires_at: str


class NewFile(TypedDict):
    id: str
    status: Literal["awaited", "ready"]
    """`awaited`: nothing usable was found yet where its upload was ordered; type and size are as declared."""

    name: str
    content_type: str
    """Told by its bytes."""

    size_bytes: int
    sha256: str | None
    """Of a file that came with its request; null for one that was uploaded to an address."""

    metadata: dict[str, Any] | None
    created_at: str
    expires_at: str
    """A day after it was made: then it is gone."""

    upload: NotRequired[Upload]
    """There when an upload was ordered, and may still be sent."""


class Webhook(TypedDict):
    id: str
    name: str
    url: str
    events: list[str]
    enabled: bool
    disabled_reason: Literal["requested", "failing", "gone"] | None
    created_at: str
    updated_at: str


class NewWebhook(TypedDict):
    webhook: Webhook
    secret: str
    """Shown in this answer alone: store it now."""


class Attempt(TypedDict):
    at: str
    status_code: int | None
    duration_ms: int
    error: str | None
    """Why the attempt failed; null if it did not."""

    response: str | None
    """How the endpoint's answer begins."""


class Delivery(TypedDict):
    id: str
    event_id: str
    event_type: str
    status: Literal["pending", "delivered", "failed"]
    attempts: list[Attempt]
    next_attempt_at: str | None


class VideoCreated(TypedDict):
    job_id: str
    dialect: Literal["image", "tasks", "video"]
    model: str
    mode: str | None
    test: bool
    """Whether a test key asked for it."""

    metadata: dict[str, Any] | None
    created_at: str
    synthetic: NotRequired[Literal[True]]
    """Only there in an event that `POST …/test` made up."""

    video_id: str
    clip_count: int
    status: Literal["queued"]


class VideoCreatedEvent(TypedDict):
    """A video's render has begun."""

    id: str
    """The same however often the event comes."""

    type: Literal["video.created"]
    created_at: str
    data: VideoCreated


class VideoSceneReady(TypedDict):
    job_id: str
    dialect: Literal["image", "tasks", "video"]
    model: str
    mode: str | None
    test: bool
    """Whether a test key asked for it."""

    metadata: dict[str, Any] | None
    created_at: str
    synthetic: NotRequired[Literal[True]]
    """Only there in an event that `POST …/test` made up."""

    video_id: str
    clip_count: int
    index: int
    clip_url: str | None
    """Null: the clip is not paid for yet. Read the video once it is ready."""

    preview_url: NotRequired[str]
    """A small picture of the clip. Signed, and good for an hour; gone once the video has failed."""


class VideoSceneReadyEvent(TypedDict):
    """One scene of a video is there; a video of several scenes sends one for each."""

    id: str
    """The same however often the event comes."""

    type: Literal["video.scene_ready"]
    created_at: str
    data: VideoSceneReady


class VideoReady(TypedDict):
    job_id: str
    dialect: Literal["image", "tasks", "video"]
    model: str
    mode: str | None
    test: bool
    """Whether a test key asked for it."""

    metadata: dict[str, Any] | None
    created_at: str
    synthetic: NotRequired[Literal[True]]
    """Only there in an event that `POST …/test` made up."""

    closed_at: str
    error: Failure | None
    video_id: str
    clip_count: int
    cost: str
    """Whole credits."""

    final_video_url: str | None
    narration_audio_url: str | None
    poster_url: str | None
    status: Literal["completed"]


class VideoReadyEvent(TypedDict):
    """The stitched MP4 is there."""

    id: str
    """The same however often the event comes."""

    type: Literal["video.ready"]
    created_at: str
    data: VideoReady


class VideoFailed(TypedDict):
    job_id: str
    dialect: Literal["image", "tasks", "video"]
    model: str
    mode: str | None
    test: bool
    """Whether a test key asked for it."""

    metadata: dict[str, Any] | None
    created_at: str
    synthetic: NotRequired[Literal[True]]
    """Only there in an event that `POST …/test` made up."""

    closed_at: str
    error: Failure | None
    video_id: str
    clip_count: int
    cost: str
    """Whole credits."""

    final_video_url: str | None
    narration_audio_url: str | None
    poster_url: str | None
    status: Literal["failed", "canceled", "expired"]


class VideoFailedEvent(TypedDict):
    """A video failed or was canceled. Credits come back, but for clips that a cancel charged."""

    id: str
    """The same however often the event comes."""

    type: Literal["video.failed"]
    created_at: str
    data: VideoFailed


class PictureCompleted(TypedDict):
    job_id: str
    dialect: Literal["image", "tasks", "video"]
    model: str
    mode: str | None
    test: bool
    """Whether a test key asked for it."""

    metadata: dict[str, Any] | None
    created_at: str
    synthetic: NotRequired[Literal[True]]
    """Only there in an event that `POST …/test` made up."""

    closed_at: str
    error: Failure | None
    cost: str
    image_url: str | None
    """The first output, whatever it is."""

    urls: list[str]
    files: NotRequired[list[OutputFile]]
    """Of a task: the files of all outputs, in the order of `urls`, each with what came beside it."""

    status: Literal["completed"]


class ImageCompletedEvent(TypedDict):
    """An image is there."""

    id: str
    """The same however often the event comes."""

    type: Literal["image.completed"]
    created_at: str
    data: PictureCompleted


class PictureFailed(TypedDict):
    job_id: str
    dialect: Literal["image", "tasks", "video"]
    model: str
    mode: str | None
    test: bool
    """Whether a test key asked for it."""

    metadata: dict[str, Any] | None
    created_at: str
    synthetic: NotRequired[Literal[True]]
    """Only there in an event that `POST …/test` made up."""

    closed_at: str
    error: Failure | None
    cost: str
    image_url: str | None
    """The first output, whatever it is."""

    urls: list[str]
    files: NotRequired[list[OutputFile]]
    """Of a task: the files of all outputs, in the order of `urls`, each with what came beside it."""

    status: Literal["failed", "canceled", "expired"]


class ImageFailedEvent(TypedDict):
    """An image could not be made, or was canceled. Nothing was charged."""

    id: str
    """The same however often the event comes."""

    type: Literal["image.failed"]
    created_at: str
    data: PictureFailed


class TaskCompletedEvent(TypedDict):
    """The outputs of a task are there."""

    id: str
    """The same however often the event comes."""

    type: Literal["task.completed"]
    created_at: str
    data: PictureCompleted


class TaskFailedEvent(TypedDict):
    """A task could not be done, or was canceled. `cost` is what a cancel charged, `urls` what came of it."""

    id: str
    """The same however often the event comes."""

    type: Literal["task.failed"]
    created_at: str
    data: PictureFailed


class LowBalance(TypedDict):
    asset: Literal["usd", "credit", "test_usd", "test_credit"]
    balance: str
    available: str
    """What fell below the threshold: the balance less what is held."""

    threshold: str
    test: bool
    synthetic: NotRequired[Literal[True]]


class WalletLowBalanceEvent(TypedDict):
    """The available balance fell below its threshold."""

    id: str
    """The same however often the event comes."""

    type: Literal["wallet.low_balance"]
    created_at: str
    data: LowBalance


class WebhookDisabled(TypedDict):
    webhook_id: str
    name: str
    url: str
    reason: Literal["failing", "gone"]
    disabled_at: str
    test: NotRequired[bool]
    """Whether the webhook is of test mode."""

    synthetic: NotRequired[Literal[True]]


class WebhookDisabledEvent(TypedDict):
    """A subscription was disabled, because its endpoint failed too long or said 410."""

    id: str
    """The same however often the event comes."""

    type: Literal["webhook.disabled"]
    created_at: str
    data: WebhookDisabled


Event: TypeAlias = (
    VideoCreatedEvent
    | VideoSceneReadyEvent
    | VideoReadyEvent
    | VideoFailedEvent
    | ImageCompletedEvent
    | ImageFailedEvent
    | TaskCompletedEvent
    | TaskFailedEvent
    | WalletLowBalanceEvent
    | WebhookDisabledEvent
)
"""What a webhook is told: `data` depends on `type`."""
