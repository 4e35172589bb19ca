"""A client of the video API, written from its document: only the host is different."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from tests.support.client import Client, Json

VIDEO_SECONDS_MAX = 150
POLL_SECONDS = 0.2
"""The document asks for ten seconds; the local cloud is quicker."""

FIELDS = {
    "id",
    "status",
    "idea",
    "category",
    "duration",
    "aspect_ratio",
    "clip_count",
    "credits_charged",
    "credits_refunded",
    "progress",
    "scenes",
    "final_video_url",
    "narration_audio_url",
    "poster_url",
    "error",
    "metadata",
    "created_at",
    "started_at",
    "completed_at",
}


def video_request(idea: str = "Why sharks glow", scenes: int = 1, **more: Any) -> Json:
    """The body of a submit."""
    return {"idea": idea, "category": "story", "duration": 8 * scenes, "aspect_ratio": "9:16", **more}


@dataclass(frozen=True)
class VideosClient:
    """`create`, `cancel` give the raw answer; the others expect success and give what is in it."""

    client: Client

    def create(self, idea: str = "Why sharks glow", scenes: int = 1, *, key: str = "", **more: Any) -> Any:
        """POST /api/v1/videos"""
        body = video_request(idea, scenes, **more)
        return self.client.request("POST", "/api/v1/videos", headers={"Idempotency-Key": key}, json=body)

    def submit(self, idea: str = "Why sharks glow", scenes: int = 1, **more: Any) -> str:
        """The id of a video that was accepted."""
        answer = self.create(idea, scenes, **more)
        assert answer.status_code == 202, answer.text
        video_id: str = answer.json()["video"]["id"]
        return video_id

    def video(self, video_id: str) -> Json:
        """GET /api/v1/videos/{id}"""
        answer = self.client.request("GET", f"/api/v1/videos/{video_id}")
        assert answer.status_code == 200, answer.text
        video: Json = answer.json()["video"]
        assert video.keys() == FIELDS
        return video

    def wait(self, video_id: str, seen: list[int] | None = None) -> Json:
        """Poll until the video is ready or failed; `seen` collects the progress on the way."""
        deadline = time.monotonic() + VIDEO_SECONDS_MAX
        while True:
            video = self.video(video_id)
            if seen is not None:
                seen.append(video["progress"])
            if video["status"] in ("ready", "failed"):
                return video
            assert time.monotonic() < deadline, video
            time.sleep(POLL_SECONDS)

    def cancel(self, video_id: str) -> Any:
        """POST /api/v1/videos/{id}/cancel"""
        return self.client.request("POST", f"/api/v1/videos/{video_id}/cancel")

    def credits(self) -> tuple[int, int]:
        """GET /api/v1/credits: remaining and held."""
        answer = self.client.request("GET", "/api/v1/credits")
        assert answer.status_code == 200, answer.text
        return answer.json()["credits_remaining"], answer.json()["credits_held"]
