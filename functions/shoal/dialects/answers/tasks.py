"""What the tasks dialect answers: `{data, error}` envelopes."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, NotRequired, TypeVar

from pydantic import WithJsonSchema
from typing_extensions import TypedDict

from shoal.dialects.answers.common import Amount, Cursor, Failure, JobId, Metadata, Moment, NoError, Url
from shoal.domain.models.model import ModelType
from shoal.domain.money import Asset

Data = TypeVar("Data")
Status = Literal["pending", "processing", "completed", "failed", "canceled"]
LiveAsset = Annotated[Asset, WithJsonSchema({"enum": [Asset.USD, Asset.CREDIT], "type": "string"})]
"""What catalog prices are in: never play money."""


class AcceptedTask(TypedDict):
    """The task was accepted and its price is held."""

    id: JobId
    status: Literal["pending"]
    model: str
    type: ModelType
    cost: Amount
    created_at: Moment


class OutputFile(TypedDict):
    """A file of an output, as it was measured."""

    url: Url
    content_type: str
    bytes: int
    width: NotRequired[int]
    """In pixels; only there for what can be seen."""
    height: NotRequired[int]
    seconds: NotRequired[int | float]
    """To the millisecond; only there for what lasts."""
    extra: NotRequired[Literal[True]]
    """Only there for a file beside an output, such as a preview: it is not charged."""


class TaskOutput(TypedDict):
    """Where the outputs are; those that have expired have no address any more."""

    url: Url | None
    """The first output."""
    urls: list[Url]
    expired: NotRequired[Literal[True]]
    """Only there when the outputs are no longer kept."""


class Task(TypedDict):
    id: JobId
    status: Status
    model: str
    type: ModelType
    output: TaskOutput | None
    """Null until the task has completed. A canceled task has the outputs that it was charged for, as soon as
    they are there."""
    cost: Amount
    """What was charged: `$0.00` until the task has completed, four decimals from then on. Canceling a task
    costs the outputs that a provider bills although it stops."""
    error: Failure | None
    metadata: Metadata | None
    created_at: Moment
    started_at: Moment | None
    completed_at: Moment | None
    files: list[OutputFile]
    """What is known of each file of the output, in the order of its `urls`, with what came beside it."""


class PriceRow(TypedDict):
    """An amount for each unit, where these parameters have these values."""

    per: str
    amount: Amount
    when: dict[str, str]


class PriceRows(TypedDict, total=False):
    rows: list[PriceRow]
    """Only there where a price is more than one for each output: what it is made of."""
    sentence: str
    """The same in words, as it is unless more is asked for: `$0.062 a second at 720p`."""


class Price(PriceRows):
    per: Literal["output", "rows"]
    amount: Amount
    """Of an output as it is made unless more is asked for."""
    asset: LiveAsset
    version: str


class Limits(TypedDict):
    num_outputs: int
    prompt_characters: int


class Model(TypedDict):
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


class QuotedRow(TypedDict):
    """A part of a price: an amount for each unit, and how many of it are expected at most."""

    per: str
    amount: Amount
    units: float
    """Thousandths are the least. Of an output where it is counted for each, else of the whole request."""


class QuotedRows(TypedDict, total=False):
    rows: list[QuotedRow]
    """Only there where a price is more than one for each output: what it is made of."""
    sentence: str
    """The same in words, such as `$0.0620 a second`."""


class Quote(QuotedRows):
    """What a submit of the same body would cost."""

    model: str
    mode: str | None
    num_outputs: int
    price: Amount
    """Per output, at most."""
    upper_bound: Amount
    """What a submit would hold: all outputs. Fewer or smaller ones than were asked for cost less."""
    price_version: str
    seconds_expected: int


class Units(TypedDict, total=False):
    units: dict[str, float]
    """What else was charged by than outputs, such as `{"second": 12.5}`."""


class UsageOfModel(Units):
    model: str
    total_units: int
    """Delivered outputs; of a video, its clips."""
    total_cost: Amount
    request_count: int


class Envelope(TypedDict, Generic[Data]):
    """The shape of every success."""

    data: Data
    error: None


class AcceptedTaskAnswer(NoError):
    data: AcceptedTask


class TaskAnswer(NoError):
    data: Task


class TaskListAnswer(NoError):
    data: list[Task]
    next_cursor: Cursor | None


class ModelAnswer(NoError):
    data: Model


class ModelListAnswer(NoError):
    data: list[Model]


class QuoteAnswer(NoError):
    data: Quote


class UsageSummaryAnswer(NoError):
    data: list[UsageOfModel]
