"""Events a job emits. An event's id derives from its job and type: emitted twice it is still one event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shoal.domain.brief import Kind
from shoal.domain.ids import derived_id
from shoal.domain.job import Job, JobStatus
from shoal.domain.money import decimal_amount, format_amount, format_usd
from shoal.domain.video import Scene, clip_key, final_key, narration_key, poster_key, preview_key
from shoal.domain.wallet import Wallet

SOURCE = "shoal"

UrlOf = Callable[[str], str]
"""The address under which callers fetch what is stored at a key."""


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
    def test(self) -> bool:
        """Whether it is of test mode: of a job of play money, or of a webhook of a test key."""
        return bool(self.detail["data"].get("test"))

    def entry(self) -> dict[str, Any]:
        """As the state machine hands it to PutEvents, which adds the bus's name."""
        return {"DetailType": self.type, "Detail": self.detail}


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


def closing_events(job: Job, url_of: UrlOf) -> list[Event]:
    """What is left to tell of a terminal job, in order: its beginning, unless it was told, and its end."""
    return [*([] if job.opened else opening_events(job)), *ending_events(job, url_of)]


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
    if event_type == "video.ready":
        return {
            "final_video_url": final_key(video_id),
            "narration_audio_url": narration_key(video_id),
            "poster_url": poster_key(video_id),
        }
    return {}


def low_balance_event(job: Job, wallet: Wallet, below: int) -> Event:
    """`wallet.low_balance`: a completed job left less than `below` available in its wallet."""
    at_ms, event_type = job.closed_at_ms or job.created_at_ms, "wallet.low_balance"
    detail = {
        "id": derived_id("evt", at_ms, job.id, event_type),
        "type": event_type,
        "created_at": iso_ms(at_ms),
        "account_id": job.account_id,
        "data": {
            "asset": wallet.asset,
            "balance": format_amount(wallet.asset, wallet.balance),
            "available": format_amount(wallet.asset, wallet.available),
            "threshold": format_amount(wallet.asset, below),
            "test": job.test,
        },
    }
    return Event(event_type, detail)


def output_url(key: str, public_url: str) -> str:
    """The permanent address of a stored output that is public."""
    return f"{public_url.rstrip('/')}/{key}"


def _result(job: Job, url_of: UrlOf) -> dict[str, Any]:
    cost = format_usd(job.cost) if job.asset.in_dollars else decimal_amount(job.asset, job.cost)
    urls = [url_of(output.key) for output in job.outputs]
    shown: dict[str, Any] = {"image_url": urls[0] if urls else None, "urls": urls}
    if job.kind is Kind.VIDEO:
        shown = _video_urls(job, urls, url_of)
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
    detail = {
        "id": derived_id("evt", since_ms, job.id, event_type, *parts),
        "type": event_type,
        "created_at": iso_ms(at_ms),
        "account_id": job.account_id,
        "data": common | data,
    }
    return Event(event_type, detail)
