"""Videos: their scenes, where their files lie, and how far one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from shoal.domain.job import Job, JobStatus

MODEL: Final = "video"
"""The model of every video job: what its usage is counted under."""

FOLDER: Final = "videos/"
"""What lies under it is private: its addresses are signed and expire."""

SceneStatus = Literal["queued", "rendering", "ready", "failed", "canceled"]


@dataclass(frozen=True, slots=True)
class Scene:
    """One scene of a video: what its clip shows, what is said over it, and since when the clip is stored."""

    index: int
    prompt: str
    narration: str
    ready_at_ms: int | None = None

    @property
    def ready(self) -> bool:
        return self.ready_at_ms is not None


def folder(job_id: str) -> str:
    """All that is stored of a video lies under this."""
    return f"{FOLDER}{job_id}/"


def clip_key(job_id: str, index: int) -> str:
    return f"{folder(job_id)}scenes/{index}.mp4"


def preview_key(job_id: str, index: int) -> str:
    """Of a small picture of a clip: what is shown of it before it is paid for."""
    return f"{folder(job_id)}scenes/{index}.jpg"


def paid_clips(job: Job) -> frozenset[str]:
    """The keys of the clips that a cancel captured."""
    return frozenset(clip_key(job.id, index) for index in job.captured)


def final_key(job_id: str) -> str:
    return f"{folder(job_id)}final.mp4"


def narration_key(job_id: str) -> str:
    return f"{folder(job_id)}narration.mp3"


def poster_key(job_id: str) -> str:
    return f"{folder(job_id)}poster.jpg"


def progress(job: Job, scenes: Sequence[Scene]) -> int:
    """The share of steps that are done, in per cent rounded down: 100 only once the video is ready.

    Script, narration, each scene, stitching and settling are a step each. A video that failed keeps what it
    had reached.
    """
    if job.status is JobStatus.COMPLETED:
        return 100
    done = len(job.steps) + sum(scene.ready for scene in scenes)
    return 100 * done // (job.output_count + 4)


def scene_status(job: Job, scene: Scene) -> SceneStatus:
    """In a failed video `failed` for the scene at fault, else `canceled` unless it was paid for."""
    if job.status.terminal and job.status is not JobStatus.COMPLETED:
        if scene.ready and scene.index in job.captured:
            return "ready"
        at_fault = job.failure is not None and job.failure.scene == scene.index
        return "failed" if at_fault else "canceled"
    if scene.ready:
        return "ready"
    return "rendering" if scene.index in job.task_tokens else "queued"
