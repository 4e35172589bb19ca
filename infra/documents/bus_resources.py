"""What subscribers of the bus are told: the envelope of webhooks, with the account's id, in AWS's own."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, create_model
from typing_extensions import TypedDict

from shoal.dialects.answers.common import ULID, EventId, JobId, Moment
from shoal.domain.events import MOVEMENT_TYPES, SCHEMA_VERSION, SOURCE
from shoal.domain.webhook import EVENT_TYPES

from . import event_resources as webhooks
from .json_schema import TEXTS_DESCRIBE, Describing

Schema = dict[str, Any]

Asset = Literal["usd", "credit", "test_usd", "test_credit"]
Kind = Annotated[str, Field(json_schema_extra={"enum": [str(kind) for kind in MOVEMENT_TYPES]})]
Decimal = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]{2,6})?$")]

OF_NO_ACCOUNT = frozenset({"provider.breaker_opened", "catalog.published"})


class JobCreated(webhooks.Job):
    status: Literal["queued"]


class JobProcessing(webhooks.Job):
    status: Literal["processing"]


class VideoProcessing(webhooks.Job, webhooks.Video):
    status: Literal["processing"]


class StoredFile(TypedDict):
    bucket: str
    key: str


class Movement(TypedDict):
    entry_id: str
    """The entry of the ledger: one of a wallet's, and never told with another id of an event."""
    kind: Kind
    job_id: JobId | None
    """The job that ended with it, if one did."""
    asset: Asset
    balance_delta: Decimal
    """What it added to the balance: dollars, or whole credits. All of a wallet add up to its balance."""
    held_delta: Decimal
    owed_delta: Decimal
    """What went back to a payer when it was spent already: it is paid out of the next money."""
    free_generations_delta: int
    note: str
    """Whose doing: `operator`, `grant` for what an account began with, a payment's id."""
    test: bool


class Suspended(TypedDict):
    suspended_at: Moment


class Key(TypedDict):
    key_id: Annotated[str, Field(pattern=f"^key_{ULID}$")]
    prefix: Literal["sk_live_", "vsk_live_", "sk_test_"]
    last_four: str
    name: str
    scopes: list[str]
    test: bool


class BreakerOpened(TypedDict):
    route: str
    provider: str
    reason: str
    """The error that opened it, for operators."""
    open_until: Moment
    """When it is tried again."""


class CatalogPublished(TypedDict):
    version: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    """The first half of the SHA-256 of the catalog's document."""
    previous_version: str
    """What it replaces: a version, too."""
    published_by: str
    note: str


class Discrepancy(TypedDict):
    asset: Asset
    what: str
    expected: Decimal
    found: Decimal


DATA: dict[str, Any] = {
    **{event_type: webhooks.DATA[event_type] for event_type in EVENT_TYPES},
    "job.created": JobCreated | webhooks.VideoCreated,
    "job.processing": JobProcessing | VideoProcessing,
    "job.completed": webhooks.PictureCompleted | webhooks.VideoReady,
    "job.failed": webhooks.PictureFailed | webhooks.VideoFailed,
    **dict.fromkeys(MOVEMENT_TYPES.values(), Movement),
    "account.suspended": Suspended,
    "key.created": Key,
    "key.revoked": Key,
    "provider.breaker_opened": BreakerOpened,
    "catalog.published": CatalogPublished,
    "audit.discrepancy": Discrepancy,
}
"""The engine's own events are about jobs of any dialect; those of money and keys are for operators."""

MEANING = {
    **webhooks.MEANING,
    "job.created": "A job was accepted: its price is held.",
    "job.processing": "A job has begun.",
    "job.completed": "A job has completed, in any dialect.",
    "job.failed": "A job failed, expired or was canceled, in any dialect.",
    "wallet.captured": "What a job cost was spent, and the rest of its hold released.",
    "wallet.released": "A job's whole hold was released: it cost nothing.",
    "wallet.credited": "Money came in: a payment, a grant, or a claim of a payer's that came to nothing.",
    "wallet.refunded": (
        "Money went back: to the wallet what a job had cost (`give_back`, `undelivered`), "
        "or to the payer what was paid in (`refund`, `dispute`)."
    ),
    "account.suspended": "An operator suspended an account: its keys are refused.",
    "key.created": "An API key was made. Its secret is in no event.",
    "key.revoked": "An API key was revoked.",
    "provider.breaker_opened": "A provider's route failed too often: it is left alone for a while.",
    "catalog.published": "A catalog was published: new jobs go by it, those under way by their own.",
    "audit.discrepancy": "The audit found a wallet that differs from its ledger or its jobs' holds.",
}


@cache
def bus_schemas() -> dict[str, Schema]:
    """The schema of each type of event as EventBridge delivers it, in JSON Schema draft 4.

    EventBridge's registries know that and OpenAPI 3.0, of which only draft 4 can say what may be null.
    """
    return {event_type: _draft_4(_event(event_type)) for event_type in DATA}


def _detail(event_type: str) -> type[BaseModel]:
    fields: dict[str, Any] = {
        "id": (EventId, ...),
        "type": (Literal[event_type], ...),
        "created_at": (Moment, ...),
        "account_id": (
            _account_of(event_type),
            Field(description="The account it happened to; null for what happens to the stage."),
        ),
        "schema_version": (
            str,
            Field(
                pattern=rf"^{SCHEMA_VERSION.partition('.')[0]}\.[0-9]+\.[0-9]+$",
                description="Semantic: within one first number, fields are added and none changes.",
            ),
        ),
        "traceparent": (
            str,
            Field(
                pattern="^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
                description="W3C Trace Context: of the request that caused it, or a trace of its own.",
            ),
        ),
        "files": (
            dict[str, StoredFile],
            Field(description="By field of `data`: where the file of a signed address is, which expires."),
        ),
        "data": (DATA[event_type], ...),
    }
    detail: type[BaseModel] = create_model("Detail", __config__=TEXTS_DESCRIBE, **fields)
    return detail


def _event(event_type: str) -> Schema:
    around: dict[str, Any] = {
        "version": (str, ...),
        "id": (str, Field(description="EventBridge's own id: the detail's stays the same in a replay.")),
        "detail-type": (Literal[event_type], ...),
        "source": (Literal[SOURCE], ...),
        "account": (str, Field(pattern="^[0-9]{12}$")),
        "time": (Moment, ...),
        "region": (str, ...),
        "resources": (list[str], ...),
        "detail": (_detail(event_type), ...),
    }
    event = create_model("Event", __config__=TEXTS_DESCRIBE, **around)
    schema: Schema = event.model_json_schema(
        ref_template="#/definitions/{model}", schema_generator=Describing, mode="serialization"
    )
    schema["properties"]["replay-name"] = {
        "type": "string",
        "description": "The replay's name, in an event that the archive brings again.",
    }
    return {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "x-amazon-events-source": SOURCE,
        "x-amazon-events-detail-type": event_type,
        **schema,
        "title": event_type,
    }


def _account_of(event_type: str) -> Any:
    return None if event_type in OF_NO_ACCOUNT else str


def _draft_4(part: Any) -> Any:
    """The same in the words of draft 4, which knows neither `const` nor `$defs`."""
    if isinstance(part, list):
        return [_draft_4(each) for each in part]
    if not isinstance(part, dict):
        return part
    words = {"$defs": "definitions"}
    found = {words.get(name, name): _draft_4(each) for name, each in part.items() if name != "const"}
    return found | ({"enum": [part["const"]]} if "const" in part else {})
