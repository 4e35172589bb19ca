"""Videos: from a one-line idea, in credits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shoal_client.resources import Video
from shoal_client.transport import Transport, part
from shoal_client.waiting import poll

VideoPage = tuple[list[Video], str | None]
ENDED = frozenset({"ready", "failed"})


@dataclass(frozen=True)
class Videos:
    transport: Transport

    def create(
        self,
        idea: str,
        *,
        category: str,
        duration: int,
        aspect_ratio: str = "9:16",
        idempotency_key: str | None = None,
        **fields: Any,
    ) -> Video:
        """Submit a video of `duration` seconds, a multiple of eight: one credit for each eight.

        `fields`: voice, language, style, subtitles, seed, metadata, max_cost, ttl_seconds, webhook_url.
        Raises `PaymentRequired`, `InvalidRequest`.
        """
        body = {
            "idea": idea,
            "category": category,
            "duration": duration,
            "aspect_ratio": aspect_ratio,
            **fields,
        }
        video: Video = self.transport.spend("/api/v1/videos", body, idempotency_key)["video"]
        return video

    def get(self, video_id: str) -> Video:
        """With newly signed addresses. Raises `NotFound`."""
        video: Video = self.transport.get(f"/api/v1/videos/{part(video_id)}")["video"]
        return video

    def wait(
        self,
        video: Video | str,
        *,
        timeout_s: float = 1800.0,
        pause_s: float = 10.0,
        on_poll: Callable[[Video], None] | None = None,
    ) -> Video:
        """The video once it is ready. Raises `JobFailed`, `WaitTimedOut`."""
        video_id = video if isinstance(video, str) else video["id"]
        return poll(
            self.transport,
            lambda: self.get(video_id),
            success="ready",
            ended=ENDED,
            timeout_s=timeout_s,
            pause_s=pause_s,
            on_poll=on_poll,
        )

    def list(
        self, *, status: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> VideoPage:
        """One page, newest first, and the cursor of the next."""
        page = self.transport.get("/api/v1/videos", {"status": status, "cursor": cursor, "limit": limit})
        return page["videos"], page["next_cursor"]

    def cancel(self, video_id: str, *, idempotency_key: str | None = None) -> Video:
        """Refunds every credit. Raises `Conflict` once it has ended."""
        path = f"/api/v1/videos/{part(video_id)}/cancel"
        video: Video = self.transport.spend(path, None, idempotency_key)["video"]
        return video
