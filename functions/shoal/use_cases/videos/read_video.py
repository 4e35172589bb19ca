"""Read one video with its scenes, or page through many."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.api_key import Caller
from shoal.domain.brief import Kind
from shoal.domain.job import Job
from shoal.domain.video import Scene
from shoal.ports.jobs import JobFilter
from shoal.ports.videos import Scenes
from shoal.use_cases.jobs.read_job import ListJobs, ReadJob

Video = tuple[Job, tuple[Scene, ...]]


@dataclass(frozen=True, slots=True)
class ReadVideo:
    read_job: ReadJob
    scenes: Scenes

    def __call__(self, caller: Caller, job_id: str) -> Video:
        """A job and its scenes; a job that is no video has none.

        The scenes are read after the job: what is shown may be ahead of the job's status, never behind it.
        Raises `NotFound` as `ReadJob` does.
        """
        return with_scenes(self.scenes, self.read_job(caller, job_id))


@dataclass(frozen=True, slots=True)
class ListVideos:
    list_jobs: ListJobs
    scenes: Scenes

    def __call__(
        self, caller: Caller, which: JobFilter, *, limit: int, cursor: str | None
    ) -> tuple[list[Video], str | None]:
        """Videos of the key's own mode, test or live. Raises `ValidationFailed` for an unknown cursor."""
        page = self.list_jobs(caller, which, limit=limit, cursor=cursor)
        scenes = self.scenes.of_each([job for job in page.jobs if job.kind is Kind.VIDEO])
        return [(job, scenes.get(job.id, ())) for job in page.jobs], page.next_cursor


def with_scenes(scenes: Scenes, job: Job) -> Video:
    return job, scenes.of(job) if job.kind is Kind.VIDEO else ()
