"""WriteScript: begin a video, announce it, and make scenes of its idea."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shoal.domain.errors import JobClosed
from shoal.domain.events import opening_events
from shoal.domain.job import Job, Step
from shoal.domain.routing import WITHIN, Route
from shoal.domain.script import SceneText
from shoal.ports.jobs import Jobs
from shoal.ports.system import Bus, Clock
from shoal.ports.videos import Scenes, ScriptWriters
from shoal.use_cases.providers.try_routes import TryRoutes


@dataclass(frozen=True, slots=True)
class WriteScript:
    jobs: Jobs
    scenes: Scenes
    bus: Bus
    writers: ScriptWriters
    try_routes: TryRoutes
    routes: Callable[[Job], Sequence[Route]]
    clock: Clock

    def __call__(self, account_id: str, job_id: str) -> Job:
        """The job with its script stored: the one that was stored first, however often this runs.

        Raises `JobClosed` if it ended before it began, and what the script writer raises. A canceled job that
        awaits clips is left as it is.
        """
        try:
            job = self.jobs.advance(account_id, job_id, self.clock.now_ms())
        except JobClosed:
            job = self.jobs.get(account_id, job_id)
            if not job.awaiting:
                raise
            return job
        self.bus.publish(opening_events(job))
        if not self.scenes.of(job):
            self._write(job)
        return self.jobs.advance(account_id, job_id, self.clock.now_ms(), Step.SCRIPT)

    def _write(self, job: Job) -> None:
        told = job.brief.of_video

        def write(route: Route) -> tuple[SceneText, ...]:
            return self.writers.get(route).write(
                idea=job.brief.prompt,
                category=told.category,
                scene_count=job.output_count,
                style=told.style,
                language=told.language,
                seed=seed_of(job),
            )

        routes = (WITHIN,) if job.simulated else self.routes(job)
        script = self.try_routes(routes, self.writers.has, write, scenes=job.output_count)
        self.scenes.write(job, script)


def seed_of(job: Job) -> int:
    """The caller's seed, or one of the job's own."""
    if job.brief.seed is not None:
        return job.brief.seed
    return int.from_bytes(hashlib.sha256(job.id.encode()).digest()[:4], "big")
