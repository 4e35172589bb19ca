"""Narrate: speak the lines of all scenes into one file as long as the video."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from shoal.domain.errors import JobClosed
from shoal.domain.job import Job, Step
from shoal.domain.routing import SIMULATED, WITHIN, Route
from shoal.domain.script import Narration
from shoal.domain.video import narration_key
from shoal.ports.jobs import Jobs
from shoal.ports.system import Clock
from shoal.ports.videos import Scenes, Speakers, Studio, VideoFiles
from shoal.use_cases.providers.try_routes import TryRoutes

NARRATION_TYPE = "audio/mpeg"


@dataclass(frozen=True, slots=True)
class Narrate:
    jobs: Jobs
    scenes: Scenes
    files: VideoFiles
    speakers: Speakers
    try_routes: TryRoutes
    routes: Callable[[Job], Sequence[Route]]
    studio: Studio
    clock: Clock

    def __call__(self, account_id: str, job_id: str) -> dict[str, Any]:
        """Key of the staged narration, and its lines with the seconds at which each is heard.

        Raises `JobClosed` if the job ended meanwhile, and what the speaker raises. A repeated run overwrites
        its own files. Nothing is spoken for a canceled job that awaits clips.
        """
        try:
            job = self.jobs.advance(account_id, job_id, self.clock.now_ms())
        except JobClosed:
            if not self.jobs.get(account_id, job_id).awaiting:
                raise
            return {"key": "", "lines": []}
        lines = [scene.narration for scene in self.scenes.of(job)]
        with TemporaryDirectory() as folder:
            wav, narration = Path(folder, "narration.wav"), Path(folder, "narration.mp3")
            spoken = self._speak(job, lines, wav)
            self.studio.encode_audio(wav, narration)
            self.files.put(narration_key(job.id), narration, NARRATION_TYPE)
            key = self.files.stage(job, wav.name, wav)
        self.jobs.advance(account_id, job_id, self.clock.now_ms(), Step.NARRATION)
        return {"key": key, "lines": [line._asdict() for line in spoken.lines]}

    def _speak(self, job: Job, lines: Sequence[str], wav: Path) -> Narration:
        """All lines by one speaker: the next one speaks all of them again."""
        told = job.brief.of_video

        def narrate(route: Route) -> Narration:
            speaker = self.speakers.get(route)
            speak = partial(speaker.speak, voice=told.voice, language=told.language)
            return self.studio.narrate(lines, speak, wav)

        # Play money never leaves the stage: one without a voice of its own sounds the simulator's tones.
        routes = (WITHIN, SIMULATED) if job.simulated else self.routes(job)
        return self.try_routes(routes, self.speakers.has, narrate, scenes=len(lines))
