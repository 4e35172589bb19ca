"""Parameters and header fields, by the name under which operations ask for them."""

from __future__ import annotations

from typing import Any

from shoal.dialects import tasks, video
from shoal.dialects.answers.common import ULID
from shoal.dialects.fields import PAGE_LIMIT, PAGE_LIMIT_MAX
from shoal.dialects.files import NAME_LENGTH_MAX
from shoal.domain.catalog import Catalog
from shoal.domain.delivery import DeliveryStatus
from shoal.domain.idempotency import KEY_LENGTH_MAX
from shoal.domain.webhook import EVENT_TYPES, REQUESTED

from .requests import MOMENT

Schema = dict[str, Any]


def _text(description: str, **schema: Any) -> Schema:
    return {"description": description, "schema": {"type": "string", **schema}}


def _one_of(description: str, *words: str) -> Schema:
    return _text(description, enum=list(words))


def _moment(description: str) -> Schema:
    return _text(description, format="date-time", pattern=MOMENT)


QUERY: dict[str, Schema] = {
    "usage_status": _one_of(
        "Only those with this status.", "queued", "processing", "complete", "completed", "failed"
    ),
    "task_status": _one_of("Only those with this status.", *dict.fromkeys(tasks.STATUS_WORDS.values())),
    "video_status": _one_of("Only those with this status.", *dict.fromkeys(video.STATUS_WORDS.values())),
    "delivery_status": _one_of("Only those with this status.", *DeliveryStatus),
    "type": _one_of("Only deliveries of this type of event.", *EVENT_TYPES),
    "model": _text("Only those of this model."),
    "from": _moment("From this moment on, ISO 8601."),
    "to": _moment(
        "Up to, but not including, this moment; a date means its whole UTC day, and in a summary so does a "
        "moment."
    ),
    "name": _text("What you call the file, where it is the body.", maxLength=NAME_LENGTH_MAX),
    "limit": {
        "description": "How many a page shows.",
        "schema": {"type": "integer", "minimum": 1, "maximum": PAGE_LIMIT_MAX, "default": PAGE_LIMIT},
    },
    "cursor": _text("The `next_cursor` of the page before.", pattern=f"^{ULID}$"),
    "webhook_cursor": _text("The `next_cursor` of the page before.", pattern=f"^wh_{ULID}$"),
}
"""By component; the name that is sent is what comes after an underscore, if there is one."""

REQUEST_HEADERS: dict[str, Schema] = {
    "Idempotency-Key": _text(
        "Repeating a request with the same key and body within 24 hours gives the same answer, and does and "
        "costs nothing more.",
        minLength=1,
        maxLength=KEY_LENGTH_MAX,
        pattern="^[!-~]([ -~]*[!-~])?$",
    ),
    "Prefer": _text(
        "`wait=N`: answer when the job has ended, or after N seconds, 25 at most, with its state then. "
        "Any other preference is ignored."
    ),
    "traceparent": _text(
        "A trace to follow through the job's events, by W3C Trace Context. One that is not valid is ignored.",
        examples=["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
    ),
    "If-None-Match": _text("The ETag of a copy: 304 if it is still good."),
}
ANSWER_HEADERS: dict[str, Schema] = {
    "X-Request-Id": _text("Names the request in a report of a problem."),
    "RateLimit": _text(
        "`r` requests are left now, all of them again in `t` seconds.", pattern='^"key";r=[0-9]+;t=[0-9]+$'
    ),
    "RateLimit-Policy": _text("`q` requests in `w` seconds.", pattern='^"key";q=[0-9]+;w=60$'),
    "Idempotent-Replayed": _text("There when an earlier request had this answer.", const="true"),
    "Preference-Applied": _text("Which part of `Prefer` was applied.", pattern="^wait=[0-9]+$"),
    "Retry-After": _text("Seconds after which the request may be repeated.", pattern="^[1-9][0-9]*$"),
    "Next-Cursor": _text("The next page of CSV."),
    "Allow": _text("What the address may be asked with."),
    "WWW-Authenticate": _text("How to say who asks.", const="Bearer"),
    "ETag": _text("Changes with the document."),
    "Cache-Control": _text("How long a copy is good."),
}


def query_name(component: str) -> str:
    """What is sent in a query for a component: `status` for `task_status`."""
    return component.rpartition("_")[2]


def path_parameters(path: str, catalog: Catalog) -> list[Schema]:
    """The parts of a path that are in braces."""
    found = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    return [
        {"name": name, "in": "path", "required": True, **_path_part(name, path, catalog)} for name in found
    ]


def _path_part(name: str, path: str, catalog: Catalog) -> Schema:
    if name == "delivery_id":
        return _text("A delivery's id.", pattern=f"^dlv_{ULID}$")
    if "/models/" in path:
        return _text("A model's id; a slash in it is `%2F`.") | {"example": next(iter(catalog.models))}
    if "/files/" in path:
        return _text("A file's id.", pattern=f"^file_{ULID}$")
    if "/webhooks/" in path:
        requested = f"|{REQUESTED}" if "deliveries" in path or "recover" in path else ""
        return _text("A webhook's id.", pattern=f"^(wh_{ULID}{requested})$")
    return _text("A job's id, of any dialect.", pattern=f"^(job|gen|vid)_{ULID}$")
