"""What the bus is told. An event's id derives from what it is about: told twice it is still one event."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, NotRequired, TypedDict

from shoal.domain import families
from shoal.domain.api_key import ApiKey, KeyPrefix
from shoal.domain.brief import Kind
from shoal.domain.canceling import movements_of
from shoal.domain.ids import derived_id
from shoal.domain.job import Job, JobStatus, Output
from shoal.domain.models.tariff import whole_or_decimal
from shoal.domain.models.versions import Published
from shoal.domain.money import Asset, decimal_amount, format_amount, format_usd
from shoal.domain.video import Scene, clip_key, final_key, narration_key, poster_key, preview_key
from shoal.domain.wallet import EntryKind, Movement, Wallet

SOURCE = "shoal"

SCHEMA_VERSION = "1.1.0"
"""Of what details hold (semver.org). Fields that come to it raise the second number; what would break a
subscriber is a new type of event, told beside the old one for half a year."""

TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
"""What W3C Trace Context, version 00, calls valid."""

MOVEMENT_TYPES = {
    EntryKind.CAPTURE: "wallet.captured",
    EntryKind.RELEASE: "wallet.released",
    EntryKind.TOP_UP: "wallet.credited",
    EntryKind.REFUND_FAILURE: "wallet.credited",
    EntryKind.DISPUTE_REVERSAL: "wallet.credited",
    EntryKind.REFUND: "wallet.refunded",
    EntryKind.DISPUTE: "wallet.refunded",
    EntryKind.GIVE_BACK: "wallet.refunded",
    EntryKind.UNDELIVERED: "wallet.refunded",
}
"""Every kind of entry but a hold, which moves no money: the events of a wallet add up to its balance."""

OPERATORS_TYPES = (
    *dict.fromkeys(MOVEMENT_TYPES.values()),
    "account.suspended",
    "key.created",
    "key.revoked",
    "provider.breaker_opened",
    "catalog.published",
    "audit.discrepancy",
)
"""What operators and finance subscribe to on the bus; no webhook is told of it."""

UrlOf = Callable[[str], str]
"""The address under which callers fetch what is stored at a key."""

DAY_MS = 24 * 3_600_000


def iso_ms(at_ms: int) -> str:
    """ISO 8601 UTC with milliseconds: `2026-05-13T10:23:14.001Z`."""
    moment = datetime.fromtimestamp(at_ms // 1000, UTC).replace(microsecond=at_ms % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc_day(at_ms: int) -> str:
    """The UTC day of a moment: `2026-05-13`."""
    return iso_ms(at_ms)[:10]


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the bus. `detail` is the envelope webhooks carry plus the account id."""

    type: str
    detail: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.detail["id"])

    @property
    def test(self) -> bool:
        """Whether it is of test mode: of a job of play money, or of a webhook of a test key."""
        return bool(self.detail["data"].get("test"))

    def entry(self) -> dict[str, Any]:
        """As the state machine hands it to PutEvents, which adds the bus's name."""
        return {"DetailType": self.type, "Detail": self.detail}

    def with_files(self, bucket: str) -> Event:
        """With bucket and key of each file whose signed address stands in its data: those do not expire."""
        data = self.detail["data"]
        keys = {field: key for field, key in private_files(self.type, data).items() if data.get(field)}
        files = {field: {"bucket": bucket, "key": key} for field, key in keys.items()}
        return replace(self, detail=self.detail | {"files": files})


def opening_events(job: Job) -> list[Event]:
    """`job.created`, for a video `video.created` too, and `job.processing` once it has started."""
    types = ["job.created", *(["video.created"] if job.kind is Kind.VIDEO else [])]
    events = [_event(name, job, job.created_at_ms, {"status": JobStatus.QUEUED}) for name in types]
    if job.started_at_ms is not None:
        events.append(_event("job.processing", job, job.started_at_ms, {"status": JobStatus.PROCESSING}))
    return events


def scene_event(job: Job, scene: Scene, url_of: UrlOf) -> Event:
    """`video.scene_ready`: one for each scene, however often it is made. Its clip is not paid for yet."""
    data = {
        "index": scene.index,
        "clip_url": None,
        "preview_url": url_of(preview_key(job.id, scene.index)),
    }
    at_ms = scene.ready_at_ms or job.created_at_ms
    return _event("video.scene_ready", job, at_ms, data, str(scene.index))


def closing_events(job: Job, url_of: UrlOf, videos_bucket: str) -> list[Event]:
    """What is left to tell of a terminal job: its beginning, unless it was told, its end and its money.

    They go to the bus in one call: PutEvents takes ten.
    """
    moved = [movement_event(movement, job) for movement in movements_of(job)]
    ended = [event.with_files(videos_bucket) for event in ending_events(job, url_of)]
    return [*([] if job.opened else opening_events(job)), *ended, *moved]


def ending_events(job: Job, url_of: UrlOf) -> list[Event]:
    """The end events of a terminal job: its family's and the engine's own."""
    closed_at_ms = job.closed_at_ms or job.created_at_ms
    completed = job.status is JobStatus.COMPLETED
    data = {
        "status": job.status,
        "closed_at": iso_ms(closed_at_ms),
        **_result(job, url_of),
    }
    family = job.family
    types = (family.completed, "job.completed") if completed else (family.failed, "job.failed")
    return [_event(event_type, job, closed_at_ms, data) for event_type in types]


def private_files(event_type: str, data: Mapping[str, Any]) -> dict[str, str]:
    """The keys of the files whose signed addresses stand in an event's data, by its fields."""
    video_id = str(data.get("video_id"))
    if event_type == "video.scene_ready":
        # Version 0.1 told the address of the clip.
        return {
            "clip_url": clip_key(video_id, data["index"]),
            "preview_url": preview_key(video_id, data["index"]),
        }
    if event_type in ("video.ready", "job.completed") and "video_id" in data:
        return {
            "final_video_url": final_key(video_id),
            "narration_audio_url": narration_key(video_id),
            "poster_url": poster_key(video_id),
        }
    return {}


def low_balance_event(job: Job, wallet: Wallet, below: int) -> Event:
    """`wallet.low_balance`: a completed job left less than `below` available in its wallet."""
    data = {
        "asset": wallet.asset,
        "balance": format_amount(wallet.asset, wallet.balance),
        "available": format_amount(wallet.asset, wallet.available),
        "threshold": format_amount(wallet.asset, below),
        "test": job.test,
    }
    at_ms = job.closed_at_ms or job.created_at_ms
    return make_event("wallet.low_balance", job.account_id, at_ms, data, job.id, traceparent=_trace(job))


def movement_event(movement: Movement, job: Job | None = None) -> Event:
    """What an entry of the ledger, any but a hold's, moved; `job` is the one that ended with it."""
    asset = movement.asset
    data = {
        "entry_id": movement.entry_id,
        "kind": movement.kind,
        "job_id": job.id if job else None,
        "asset": asset,
        "balance_delta": decimal_amount(asset, movement.balance_delta),
        "held_delta": decimal_amount(asset, movement.held_delta),
        "owed_delta": decimal_amount(asset, movement.owed_delta),
        "free_generations_delta": movement.free_generations_delta,
        "note": movement.note,
        "test": asset.startswith("test_"),
    }
    named, trace = MOVEMENT_TYPES[movement.kind], _trace(job) if job else None
    about = asset, movement.entry_id
    return make_event(named, movement.account_id, movement.at_ms, data, *about, traceparent=trace)


def suspended_event(account_id: str, now_ms: int) -> Event:
    """`account.suspended`: from now on its keys are refused."""
    return make_event("account.suspended", account_id, now_ms, {"suspended_at": iso_ms(now_ms)}, account_id)


def key_created_event(key: ApiKey) -> Event:
    """`key.created`, without what anybody could call with."""
    return _key_event("key.created", key, key.created_at_ms)


def key_revoked_event(key: ApiKey, now_ms: int) -> Event:
    """`key.revoked`: the same event however often it is revoked."""
    return _key_event("key.revoked", key, now_ms)


def breaker_opened_event(route: str, provider: str, reason: str, until_ms: int, now_ms: int) -> Event:
    """`provider.breaker_opened`: a route failed so often that it is left alone until it is tried again."""
    data = {"route": route, "provider": provider, "reason": reason, "open_until": iso_ms(until_ms)}
    return make_event("provider.breaker_opened", None, now_ms, data, route)


def catalog_published_event(published: Published) -> Event:
    """`catalog.published`: what new jobs are accepted by from now on, within half a minute."""
    data = {
        "version": published.version,
        "previous_version": published.previous,
        "published_by": published.by,
        "note": published.note,
    }
    about = published.version, str(published.number)
    return make_event("catalog.published", None, published.at_ms, data, *about)


def discrepancy_event(
    account_id: str, asset: Asset, what: str, *, expected: int, found: int, now_ms: int
) -> Event:
    """`audit.discrepancy`: one event a day for each, however often the audit comes across it."""
    data = {
        "asset": asset,
        "what": what,
        "expected": decimal_amount(asset, expected),
        "found": decimal_amount(asset, found),
    }
    day_ms = now_ms - now_ms % DAY_MS
    parts = (account_id, asset, what, str(expected), str(found))
    return make_event("audit.discrepancy", account_id, now_ms, data, *parts, since_ms=day_ms)


def output_url(key: str, public_url: str) -> str:
    """The permanent address of a stored output that is public."""
    return f"{public_url.rstrip('/')}/{key}"


class OutputFile(TypedDict):
    """A file of an output as it was measured: in pixels if it can be seen, in seconds if it lasts."""

    url: str
    content_type: str
    bytes: int
    width: NotRequired[int]
    height: NotRequired[int]
    seconds: NotRequired[int | float]
    extra: NotRequired[Literal[True]]


def files_of(outputs: Sequence[Output], url_of: UrlOf) -> list[OutputFile]:
    """The file of each output, with those that came beside it."""
    told: list[OutputFile] = []
    for output in outputs:
        told.append(_file(output, url_of))
        told += [{**_file(extra, url_of), "extra": True} for extra in output.extras]
    return told


def _file(output: Output, url_of: UrlOf) -> OutputFile:
    told = OutputFile(url=url_of(output.key), content_type=output.content_type, bytes=output.size_bytes)
    if output.width_px and output.height_px:
        told |= {"width": output.width_px, "height": output.height_px}
    if output.duration_ms:
        told |= {"seconds": whole_or_decimal(output.duration_ms)}
    return told


def _result(job: Job, url_of: UrlOf) -> dict[str, Any]:
    cost = format_usd(job.cost) if job.asset.in_dollars else decimal_amount(job.asset, job.cost)
    urls = [url_of(output.key) for output in job.outputs]
    shown: dict[str, Any] = {"image_url": urls[0] if urls else None, "urls": urls}
    if job.kind is Kind.VIDEO:
        shown = _video_urls(job, urls, url_of)
    elif job.family is families.TASKS:
        shown["files"] = files_of(job.outputs, url_of)
    error = {"code": job.failure.code, "message": job.failure.message} if job.failure else None
    return {"cost": cost, **shown, "error": error}


def _video_urls(job: Job, urls: list[str], url_of: UrlOf) -> dict[str, Any]:
    """A signed address is long: each stands in an event once, for a webhook's body is limited."""
    return {
        "final_video_url": urls[0] if urls else None,
        "narration_audio_url": url_of(narration_key(job.id)) if urls else None,
        "poster_url": url_of(poster_key(job.id)) if urls else None,
    }


def _event(event_type: str, job: Job, at_ms: int, data: dict[str, Any], *parts: str) -> Event:
    """`parts` tell events of one type and job apart.

    Outputs of a job that begin side by side may each know another start: its event has one id all the same.
    """
    since_ms = job.created_at_ms if event_type == "job.processing" else at_ms
    video = {"video_id": job.id, "clip_count": job.output_count} if job.kind is Kind.VIDEO else {}
    common = {
        "job_id": job.id,
        **video,
        "dialect": job.family.spelling,
        "model": job.model,
        "mode": job.submission.mode,
        "test": job.test,
        "metadata": job.submission.metadata,
        "created_at": iso_ms(job.created_at_ms),
    }
    return make_event(
        event_type,
        job.account_id,
        at_ms,
        common | data,
        job.id,
        *parts,
        since_ms=since_ms,
        traceparent=_trace(job),
    )


def traceparent_of(header: str | None) -> str | None:
    """The `traceparent` of a request, None for one without, or with none that is valid."""
    return header if header and TRACEPARENT.fullmatch(header) else None


def _trace(job: Job) -> str:
    """The trace of all that is told of a job: the request's, or one of its own."""
    return job.submission.traceparent or _made_trace(job.id)


def _made_trace(about: str) -> str:
    digest = hashlib.sha256(about.encode()).hexdigest()
    return f"00-{digest[:32]}-{digest[32:48]}-00"


def _key_event(event_type: str, key: ApiKey, at_ms: int) -> Event:
    data = {
        "key_id": key.id,
        "prefix": key.prefix,
        "last_four": key.last_four,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "test": key.prefix is KeyPrefix.TEST,
    }
    return make_event(event_type, key.account_id, at_ms, data, key.id, since_ms=key.created_at_ms)


def make_event(
    event_type: str,
    account_id: str | None,
    at_ms: int,
    data: dict[str, Any],
    first: str,
    *about: str,
    since_ms: int | None = None,
    traceparent: str | None = None,
) -> Event:
    """An event in its envelope. Its id derives from its type, what it is about, and `since_ms`.

    That is when it happened, unless it may be told with several such moments. What happens to the stage
    itself is of no account.
    """
    made_ms = at_ms if since_ms is None else since_ms
    event_id = derived_id("evt", made_ms, first, event_type, *about)
    detail = {
        "id": event_id,
        "type": event_type,
        "created_at": iso_ms(at_ms),
        "account_id": account_id,
        "schema_version": SCHEMA_VERSION,
        "traceparent": traceparent or _made_trace(event_id),
        "files": {},
        "data": data,
    }
    return Event(event_type, detail)
