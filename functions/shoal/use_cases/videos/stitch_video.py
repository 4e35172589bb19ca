"""StitchVideo: join the clips and the narration to the one file that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from shoal.domain.job import Job, Output, Step
from shoal.domain.script import NarratedLine
from shoal.domain.video import clip_key, final_key, poster_key
from shoal.ports.jobs import Jobs
from shoal.ports.system import Clock
from shoal.ports.videos import Studio, VideoFiles

VIDEO_TYPE, POSTER_TYPE = "video/mp4", "image/jpeg"


@dataclass(frozen=True, slots=True)
class StitchVideo:
    jobs: Jobs
    files: VideoFiles
    studio: Studio
    clock: Clock

    def __call__(self, account_id: str, job_id: str, narration: Mapping[str, Any]) -> Output:
        """The finished video. `narration` is what Narrate left.

        Raises `OutputInvalid` for clips that cannot be joined, `JobClosed` if the job ended meanwhile. Every
        byte comes from S3 once and goes there once; a repeated run overwrites its own files.
        """
        job = self.jobs.advance(account_id, job_id, self.clock.now_ms())
        with TemporaryDirectory() as folder:
            output = self._stitch(job, narration, Path(folder))
        self.jobs.advance(account_id, job_id, self.clock.now_ms(), Step.STITCH)
        return output

    def _stitch(self, job: Job, narration: Mapping[str, Any], folder: Path) -> Output:
        clips = [folder / f"{index}.mp4" for index in range(job.output_count)]
        for index, clip in enumerate(clips):
            self.files.fetch(clip_key(job.id, index), clip)
        wav, final, poster = folder / "narration.wav", folder / "final.mp4", folder / "poster.jpg"
        self.files.fetch_staged(narration["key"], wav)
        lines = [NarratedLine(**line) for line in narration["lines"]]
        wanted = lines if job.brief.of_video.subtitles == "track" else None
        facts = self.studio.stitch(clips, wav, final, subtitles=wanted)
        self.studio.poster(final, poster)
        self.files.put(poster_key(job.id), poster, POSTER_TYPE)
        self.files.put(final_key(job.id), final, VIDEO_TYPE)
        return Output(final_key(job.id), VIDEO_TYPE, facts.width_px, facts.height_px, facts.size_bytes)
