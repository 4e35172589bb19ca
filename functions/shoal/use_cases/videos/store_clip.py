"""StoreClip: check the clip of one scene, make it fit for joining, and keep it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from shoal.domain.errors import JobClosed
from shoal.domain.events import Event, UrlOf, scene_event
from shoal.domain.job import Job
from shoal.domain.video import Scene, clip_key, preview_key
from shoal.ports.jobs import Jobs
from shoal.ports.system import Clock
from shoal.ports.videos import Scenes, Studio, VideoFiles

VIDEO_TYPE, PREVIEW_TYPE = "video/mp4", "image/jpeg"


@dataclass(frozen=True, slots=True)
class StoreClip:
    jobs: Jobs
    scenes: Scenes
    files: VideoFiles
    studio: Studio
    clock: Clock
    url_of: UrlOf
    videos_bucket: str

    def __call__(self, account_id: str, job_id: str, index: int, delivered: Mapping[str, str]) -> Event:
        """The event that tells of the scene; the same again when run again.

        Raises `OutputInvalid` for a file that is no usable clip, `JobClosed` if the job ended before or while
        this ran: nothing is told of a scene after its video failed. A clip that a cancel captured is stored.
        """
        job = self._job(account_id, job_id, index)
        scene = self.scenes.get(job, index)
        with TemporaryDirectory() as folder:
            self._store(job, scene, delivered["key"], Path(folder))
        ready = self.scenes.mark_ready(job, index, self.clock.now_ms())
        self.jobs.advance(account_id, job_id, self.clock.now_ms())
        return scene_event(job, ready, self.url_of).with_files(self.videos_bucket)

    def _job(self, account_id: str, job_id: str, index: int) -> Job:
        try:
            return self.jobs.advance(account_id, job_id, self.clock.now_ms())
        except JobClosed:
            job = self.jobs.get(account_id, job_id)
            if not job.awaits(index):
                raise
            return job

    def _store(self, job: Job, scene: Scene, staged_key: str, folder: Path) -> None:
        brief, key = job.brief, clip_key(job.id, scene.index)
        delivered, conformed = folder / "delivered.mp4", folder / "conformed.mp4"
        size = {"width_px": brief.width_px, "height_px": brief.height_px}
        subtitle = scene.narration if brief.of_video.subtitles == "burned" else None
        preview = folder / "preview.jpg"
        self.files.fetch_staged(staged_key, delivered)
        if self.studio.conforms(delivered, **size) and subtitle is None:
            self.files.take_staged(staged_key, key, VIDEO_TYPE)
        else:
            self.studio.conform(
                delivered, conformed, **size, subtitle=subtitle, language=brief.of_video.language
            )
            self.files.put(key, conformed, VIDEO_TYPE)
        self.studio.preview(delivered, preview)
        self.files.put(preview_key(job.id, scene.index), preview, PREVIEW_TYPE)
