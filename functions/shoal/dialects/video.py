"""The video dialect: requests in, `{video: …}` resources out. No AWS, no money moves here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError

from shoal.dialects import fields
from shoal.dialects.errors import invalid_field, validation_error, video_error
from shoal.dialects.spoken import SpokenApi, View
from shoal.domain import families
from shoal.domain.brief import Brief, Kind, Subtitles, VideoBrief
from shoal.domain.catalog import Catalog
from shoal.domain.clip import CLIP_SIZES_PX, SCENE_SECONDS
from shoal.domain.events import UrlOf
from shoal.domain.job import Job, JobStatus
from shoal.domain.languages import letter_without_font, showable
from shoal.domain.models.tariff import Terms
from shoal.domain.money import Asset
from shoal.domain.script import CATEGORIES, VOICES, without_markers
from shoal.domain.submission import Submission
from shoal.domain.text import is_blank
from shoal.domain.video import (
    MODEL,
    Scene,
    clip_key,
    narration_key,
    poster_key,
    preview_key,
    progress,
    scene_status,
)
from shoal.domain.wallet import Wallet
from shoal.ports.jobs import JobFilter, JobPage

if TYPE_CHECKING:
    from shoal.dialects.answers import video as answers

IDEA_LENGTH_MAX = 2_000
STYLE_LENGTH_MAX = 200
VIDEOS_MAX = 20
"""On one page of a list: each has scenes with signed addresses, and Lambda answers with at most 6 MB."""
STATUS_WORDS: Mapping[JobStatus, answers.Status] = {
    JobStatus.QUEUED: "queued",
    JobStatus.PROCESSING: "rendering",
    JobStatus.COMPLETED: "ready",
    JobStatus.FAILED: "failed",
    JobStatus.CANCELED: "failed",
    JobStatus.EXPIRED: "failed",
}
Idea = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=IDEA_LENGTH_MAX), fields.Visible
]
Style = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=STYLE_LENGTH_MAX), fields.Visible
]
Language = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$", max_length=35)
]


class VideoRequest(fields.SubmitFields):
    """The body of a submit."""

    idea: Idea
    category: Literal[CATEGORIES]  # type: ignore[valid-type]
    duration: Annotated[int, Field(ge=SCENE_SECONDS, multiple_of=SCENE_SECONDS), fields.Whole]
    aspect_ratio: str
    voice: Literal[VOICES] | None = None  # type: ignore[valid-type]
    language: Language = "en"
    style: Style | None = None
    seed: fields.Seed | None = None
    subtitles: Subtitles = "track"


def parse_submission(body: Mapping[str, Any], catalog: Catalog) -> Submission:
    """A submit as the engine takes it, priced. Raises `ValidationFailed` naming every wrong field."""
    try:
        request = VideoRequest.model_validate(body)
    except ValidationError as error:
        raise validation_error(error) from None
    terms = catalog.video
    if request.duration > terms.seconds_max:
        raise invalid_field("duration", f"must be at most {terms.seconds_max}")
    if request.aspect_ratio not in terms.aspect_ratios:
        raise invalid_field("aspect_ratio", f"must be one of {', '.join(terms.aspect_ratios)}")
    if is_blank(without_markers(request.idea)):
        raise invalid_field("idea", "must say something")
    if request.subtitles == "burned":
        _check_drawable(request)
    width_px, height_px = CLIP_SIZES_PX[request.aspect_ratio]
    return Submission(
        family=families.VIDEO,
        model=MODEL,
        mode=None,
        brief=Brief(
            kind=Kind.VIDEO,
            model=terms.clip_model,
            prompt=request.idea,
            aspect_ratio=request.aspect_ratio,
            width_px=width_px,
            height_px=height_px,
            seed=request.seed,
            video=VideoBrief(
                category=request.category,
                style=request.style,
                voice=request.voice,
                language=request.language,
                subtitles=request.subtitles,
            ),
        ),
        words=request.words(),
        metadata=request.metadata,
        asset=Asset.CREDIT,
        terms=Terms.flat(terms.price_credits),
        output_count=request.duration // SCENE_SECONDS,
        price_version=catalog.price_version,
        catalog_version=catalog.version,
        free_trial_allowed=False,
        max_cost=fields.parse_max_cost(request.max_cost, Asset.CREDIT),
        webhook_url=request.webhook_url,
        ttl_s=request.ttl_seconds,
    )


def _check_drawable(request: VideoRequest) -> None:
    """Raises `ValidationFailed` where a subtitle in the picture would lack letters."""
    if not showable(request.language):
        raise invalid_field("subtitles", 'cannot be "burned" in this language, but can be a "track"')
    if letter := letter_without_font(without_markers(request.idea)):
        raise invalid_field("idea", f'has the letter {letter!r}, which no subtitle that is "burned" shows')


def acceptance(job: Job) -> answers.VideoAnswer:
    """The answer to a submit: a video of which nothing is made yet has no addresses either."""
    return wrap(_resource(job, (), str, job.created_at_ms))


def wrap(video: answers.Video) -> answers.VideoAnswer:
    """The shape of every answer about one video."""
    return {"video": video}


def video_resource(job: Job, scenes: Sequence[Scene], *, url_of: UrlOf, now_ms: int) -> answers.VideoAnswer:
    """`{video: …}`. Each call signs the addresses again; once its files are deleted, there are none."""
    return wrap(_resource(job, scenes, url_of, now_ms))


def video_list(page: JobPage, view: View) -> answers.VideoListAnswer:
    """`{videos: […], next_cursor}`"""
    scenes = view.scenes().of_each([job for job in page.jobs if job.kind is Kind.VIDEO])
    shown = [_resource(job, scenes.get(job.id, ()), view.url_of, view.now_ms) for job in page.jobs]
    return {"videos": shown, "next_cursor": page.next_cursor}


def credits_resource(wallet: Wallet) -> answers.CreditsAnswer:
    """`credits_remaining` are those that can be spent: what is held is not among them."""
    return {"credits_remaining": wallet.available, "credits_held": wallet.held}


def parse_list_query(query: Mapping[str, str]) -> tuple[JobFilter, int, str | None]:
    """Filter, page size (`VIDEOS_MAX` at most) and cursor of a list of videos. Raises `ValidationFailed`."""
    fields.check_parameters(query, {"status", "limit", "cursor"})
    statuses = fields.parse_statuses(query["status"], STATUS_WORDS) if "status" in query else None
    which = JobFilter(statuses=statuses, families=frozenset({families.VIDEO}))
    return which, min(fields.parse_limit(query), VIDEOS_MAX), query.get("cursor")


def _resource(job: Job, scenes: Sequence[Scene], url_of: UrlOf, now_ms: int) -> answers.Video:
    words, charged = job.submission.words, 0 if job.asset.in_dollars else job.hold.amount
    in_video = job.kind is Kind.VIDEO
    there = job.status is JobStatus.COMPLETED and not job.outputs_expired(now_ms)
    final = url_of(job.outputs[0].key) if there else None
    return {
        "id": job.id,
        "status": STATUS_WORDS[job.status],
        "idea": job.asked,
        "category": words.get("category"),
        "duration": words.get("duration"),
        "aspect_ratio": job.brief.aspect_ratio,
        "clip_count": job.output_count,
        "credits_charged": charged,
        "credits_refunded": _refund(job, charged),
        "progress": progress(job, scenes),
        "scenes": [_scene(job, scene, url_of, now_ms) for scene in scenes],
        "final_video_url": final,
        "narration_audio_url": url_of(narration_key(job.id)) if there and in_video else None,
        "poster_url": url_of(poster_key(job.id)) if there and in_video else None,
        "error": {"code": job.failure.code, "message": job.failure.message} if job.failure else None,
        "metadata": job.submission.metadata,
        "created_at": fields.iso_seconds(job.created_at_ms),
        "started_at": fields.iso_seconds(job.started_at_ms),
        "completed_at": fields.iso_seconds(job.completed_at_ms),
    }


def _scene(job: Job, scene: Scene, url_of: UrlOf, now_ms: int) -> answers.Scene:
    status = scene_status(job, scene)
    there, paid = status == "ready" and not job.outputs_expired(now_ms), job.status.terminal
    return {
        "index": scene.index,
        "status": status,
        "prompt": scene.prompt,
        "narration": scene.narration,
        "clip_url": url_of(clip_key(job.id, scene.index)) if there and paid else None,
        "preview_url": url_of(preview_key(job.id, scene.index)) if there and not paid else None,
    }


def _refund(job: Job, charged: int) -> int:
    """What came back of the credits of a video that came to nothing, or not to all of it."""
    incomplete = job.status.terminal and job.status is not JobStatus.COMPLETED
    return 0 if job.asset.in_dollars or not incomplete else charged - job.cost


def _shown(job: Job, view: View) -> answers.Video:
    """The scenes are read after the job: they may be ahead of its status, never behind it."""
    scenes = view.scenes().of(job) if job.kind is Kind.VIDEO else ()
    return _resource(job, scenes, view.url_of, view.now_ms)


API = SpokenApi(
    render_error=video_error,
    shapes=("video",),
    request_of=lambda *_: VideoRequest,
    parse=parse_submission,
    accepted=acceptance,
    resource=_shown,
    wrap=wrap,
    parse_list=parse_list_query,
    listing=video_list,
    submit_waits=False,
    reads_neutral=False,
)
"""No answer waits for a video to end: that takes longer than any answer may."""
