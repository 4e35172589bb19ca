"""What the tasks dialect answers: `{data, error}` envelopes."""

from __future__ import annotations

from typing import Any, Literal

from .fields import (
    Amount,
    Cursor,
    Failure,
    JobId,
    Metadata,
    ModelType,
    Moment,
    Resource,
    Secret,
    Url,
)


class AcceptedTask(Resource):
    """The task was accepted and its price is held."""

    id: JobId
    status: Literal["pending"]
    model: str
    type: ModelType
    cost: Amount
    created_at: Moment


class TaskOutput(Resource):
    """Where the outputs are; those that have expired have no address any more."""

    url: Url | None
    """The first output."""
    urls: list[Url]
    expired: Literal[True] = True
    """Only there when the outputs are no longer kept."""


class Task(Resource):
    id: JobId
    status: Literal["pending", "processing", "completed", "failed", "canceled"]
    model: str
    type: ModelType
    output: TaskOutput | None
    """Null until the task has completed."""
    cost: Amount
    """What was charged: `$0.00` until the task has completed, four decimals from then on."""
    error: Failure | None
    metadata: Metadata | None
    created_at: Moment
    started_at: Moment | None
    completed_at: Moment | None


class Price(Resource):
    per: Literal["output"]
    amount: Amount
    asset: Literal["usd", "credit"]
    version: str


class Limits(Resource):
    num_outputs: int
    prompt_characters: int


class Model(Resource):
    """A model of the catalog."""

    id: str
    title: str
    type: ModelType
    parameters: dict[str, Any]
    """JSON Schema of what the model takes beside `model` and what any submit takes."""
    price: Price
    limits: Limits
    availability: Literal["available", "unavailable"]
    deprecated: bool
    replacement: str | None


class Quote(Resource):
    """What a submit of the same body would cost."""

    model: str
    mode: str | None
    num_outputs: int
    price: Amount
    """Per output."""
    upper_bound: Amount
    """What a submit would hold: all outputs. Fewer delivered outputs cost less."""
    price_version: str
    seconds_expected: int


class UsageOfModel(Resource):
    model: str
    total_units: int
    """Delivered outputs; of a video, its clips."""
    total_cost: Amount
    request_count: int


class SecretAge(Resource):
    created_at: Moment
    updated_at: Moment


class NewSecret(SecretAge):
    secret: Secret
    """Shown in this answer alone: store it now."""


class _Envelope(Resource):
    error: None


class AcceptedTaskAnswer(_Envelope):
    data: AcceptedTask


class TaskAnswer(_Envelope):
    data: Task


class TaskListAnswer(_Envelope):
    data: list[Task]
    next_cursor: Cursor | None


class ModelAnswer(_Envelope):
    data: Model


class ModelListAnswer(_Envelope):
    data: list[Model]


class QuoteAnswer(_Envelope):
    data: Quote


class UsageSummaryAnswer(_Envelope):
    data: list[UsageOfModel]


class SecretAgeAnswer(_Envelope):
    data: SecretAge


class NewSecretAnswer(_Envelope):
    data: NewSecret
