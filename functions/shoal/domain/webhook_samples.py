"""Made-up events of every type, to try an endpoint with."""

from __future__ import annotations

from typing import Any

from shoal.domain.events import Event, iso_ms

_ULID = "00000000000000000000000000"
_AT = "2026-05-13T10:23:14.001Z"
_JOB = {
    "job_id": f"job_{_ULID}",
    "dialect": "image",
    "model": "nanobanana",
    "mode": "1k",
    "test": True,
    "metadata": None,
    "created_at": _AT,
}
_COMPLETED = {
    "status": "completed",
    "closed_at": _AT,
    "cost": "$0.01",
    "image_url": f"https://example.com/images/job_{_ULID}/0.png",
    "urls": [f"https://example.com/images/job_{_ULID}/0.png"],
    "error": None,
}
_FAILED: dict[str, Any] = {
    "status": "failed",
    "closed_at": _AT,
    "cost": "$0.00",
    "image_url": None,
    "urls": [],
    "error": {"code": "provider_failed", "message": "The provider could not make the image."},
}
_TASK = _JOB | {"job_id": f"gen_{_ULID}", "dialect": "tasks", "mode": None}
_FILE = {
    "url": f"https://example.com/images/job_{_ULID}/0.png",
    "content_type": "image/png",
    "bytes": 1_482_203,
    "width": 1024,
    "height": 1024,
}
_VIDEO = _JOB | {
    "job_id": f"vid_{_ULID}",
    "video_id": f"vid_{_ULID}",
    "clip_count": 2,
    "dialect": "video",
    "model": "video",
    "mode": None,
}
_VIDEO_FOLDER = f"https://example.com/videos/vid_{_ULID}"
_SAMPLES: dict[str, dict[str, Any]] = {
    "video.created": _VIDEO | {"status": "queued"},
    "video.scene_ready": _VIDEO
    | {"index": 0, "clip_url": None, "preview_url": f"{_VIDEO_FOLDER}/scenes/0.jpg"},
    "video.ready": _VIDEO
    | {
        "status": "completed",
        "closed_at": _AT,
        "cost": "2",
        "final_video_url": f"{_VIDEO_FOLDER}/final.mp4",
        "narration_audio_url": f"{_VIDEO_FOLDER}/narration.mp3",
        "poster_url": f"{_VIDEO_FOLDER}/poster.jpg",
        "error": None,
    },
    "video.failed": _VIDEO
    | {
        "status": "failed",
        "closed_at": _AT,
        "cost": "0",
        "final_video_url": None,
        "narration_audio_url": None,
        "poster_url": None,
        "error": {"code": "provider_failed", "message": "A scene could not be rendered."},
    },
    "image.completed": _JOB | _COMPLETED,
    "image.failed": _JOB | _FAILED,
    "task.completed": _TASK | _COMPLETED | {"files": [_FILE]},
    "task.failed": _TASK | _FAILED | {"files": []},
    "wallet.low_balance": {
        "asset": "usd",
        "balance": "$0.95",
        "available": "$0.93",
        "threshold": "$1.00",
        "test": True,
    },
    "webhook.disabled": {
        "webhook_id": f"wh_{_ULID}",
        "name": "",
        "url": "https://example.com/",
        "reason": "failing",
        "disabled_at": _AT,
        "test": True,
    },
}


def sample_event(event_type: str, event_id: str, account_id: str, at_ms: int) -> Event:
    """An event of a known type that nothing has caused; its data says so."""
    detail = {
        "id": event_id,
        "type": event_type,
        "created_at": iso_ms(at_ms),
        "account_id": account_id,
        "data": _SAMPLES[event_type] | {"synthetic": True},
    }
    return Event(event_type, detail)
