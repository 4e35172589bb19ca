"""Domain objects with everything filled in."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import partial
from typing import Any

from shoal.adapters.dynamodb.requests import brief_of, words_of
from shoal.domain import families
from shoal.domain.events import UrlOf, output_url
from shoal.domain.grant import Decision
from shoal.domain.job import Closer, HoldState, Job, JobFailure, JobStatus, Output
from shoal.domain.models.tariff import Terms
from shoal.domain.money import Asset
from shoal.domain.submission import Submission

DECISION = Decision("operator@example.com", "a late refund of invoice 7")
ACCOUNT = "acc_01JBQRSTVWXYZ0123456789ABC"
JOB = "job_01JD7Q3V9GM8T2XKZ5N4R6W0YB"
VIDEOS_BUCKET = "videos.test"
PUBLIC_URL = "https://cdn.test"
url_of: UrlOf = partial(output_url, public_url=PUBLIC_URL)
CREATED_MS = 1_763_980_800_123
"""2025-11-24T10:40:00.123Z"""


REQUEST: dict[str, Any] = {
    "prompt": "A shark",
    "aspect_ratio": "16:9",
    "seed": 7,
    "metadata": {"order": 1},
    "width_px": 2048,
    "height_px": 1152,
}
"""As its item keeps it."""
OF_SUBMISSION = {each.name for each in fields(Submission)} | {"request"}


def a_submission(
    *, request: dict[str, Any] = REQUEST, model: str = "shoal-image", **changes: Any
) -> Submission:
    """What a 2k job was submitted as; `request` is one document, as an item keeps it."""
    submission = Submission(
        family=families.IMAGE,
        model=model,
        mode="2k",
        brief=brief_of(request, model),
        words=words_of(request),
        metadata=request.get("metadata"),
        asset=Asset.USD,
        terms=Terms.flat(20_000),
        price_version="2026-11-22",
    )
    return replace(submission, **changes)


def a_job(**changes: Any) -> Job:
    """A queued 2k job; `changes` replace its fields and those of its submission."""
    asked = {name: changes.pop(name) for name in OF_SUBMISSION & set(changes)}
    job = Job(
        id=JOB,
        account_id=ACCOUNT,
        submission=a_submission(**asked),
        provider="simulator",
        provider_deadline_s=180,
        created_at_ms=CREATED_MS,
        key_id="key_01JBQRSTVWXYZ0123456789ABD",
        deadline_at_ms=CREATED_MS + 60_000,
    )
    return replace(job, **changes)


VIDEO = "vid_01JD7Q3V9GM8T2XKZ5N4R6W0YB"


VIDEO_REQUEST: dict[str, Any] = {
    "type": "video_generate",
    "idea": "Why sharks glow",
    "category": "story",
    "duration": 16,
    "aspect_ratio": "9:16",
    "voice": None,
    "language": "en",
    "style": None,
    "seed": None,
    "metadata": {"order": 1},
    "subtitles": "track",
    "width_px": 720,
    "height_px": 1280,
    "clip_model": "clip",
}


def a_video(**changes: Any) -> Job:
    """A queued video of two scenes; `changes` replace its fields."""
    video: dict[str, Any] = {
        "id": VIDEO,
        "family": families.VIDEO,
        "model": "video",
        "mode": None,
        "request": VIDEO_REQUEST,
        "asset": Asset.CREDIT,
        "terms": Terms.flat(1),
        "output_count": 2,
    }
    return a_job(**video | changes)


def a_completed_job(**changes: Any) -> Job:
    done: dict[str, Any] = {
        "status": JobStatus.COMPLETED,
        "hold_state": HoldState.CAPTURED,
        "cost": 20_000,
        "started_at_ms": CREATED_MS + 2_000,
        "closed_at_ms": CREATED_MS + 34_500,
        "closed_by": Closer.WORKFLOW,
        "deadline_at_ms": None,
        "outputs": (Output(f"images/{JOB}/0.png", "image/png", 2048, 1152, 99),),
    }
    return a_job(**done | changes)


def a_failed_job(status: JobStatus = JobStatus.FAILED, **changes: Any) -> Job:
    done: dict[str, Any] = {
        "status": status,
        "hold_state": HoldState.RELEASED,
        "started_at_ms": CREATED_MS + 2_000,
        "closed_at_ms": CREATED_MS + 182_000,
        "closed_by": Closer.WORKFLOW,
        "deadline_at_ms": None,
        "failure": JobFailure("provider_timeout", "Provider request timed out after 180s."),
    }
    return a_job(**done | changes)
