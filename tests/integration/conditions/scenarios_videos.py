"""What must hold for videos while others write: scenarios that fail without a condition."""

from __future__ import annotations

import pytest

from shoal.adapters.dynamodb.items import scene_key
from shoal.domain.errors import JobClosed, NotFound
from shoal.domain.job import Job, JobStatus, Step
from shoal.domain.script import SceneText
from tests.integration.bench import Bench

SCENES = 3


def script(take: int, scenes: int = SCENES) -> list[SceneText]:
    """One writer's script."""
    return [SceneText(f"take {take}, scene {n}", f"Line {n}.") for n in range(scenes)]


def a_video(bench: Bench, scenes: int = SCENES) -> Job:
    """A video that was submitted."""
    caller = bench.account(0, credits=scenes)
    return bench.jobs.get(caller.account_id, bench.submit_video(caller, scenes).job_id)


def a_script_is_written_once(bench: Bench) -> None:
    job = a_video(bench)
    first = bench.scenes.write(job, script(1))
    bench.scenes.mark_ready(job, 0, 7)
    again = bench.scenes.write(job, script(2))
    assert [scene.prompt for scene in again] == [scene.prompt for scene in first]
    assert bench.scenes.get(job, 0).ready_at_ms == 7


def two_scripts_never_mix(bench: Bench) -> None:
    job = a_video(bench)
    bench.scenes.write(job, script(1, scenes=2))
    bench.scenes.write(job, script(2))
    assert [scene.prompt for scene in bench.scenes.of(job)] == ["take 1, scene 0", "take 1, scene 1"]


def a_clip_makes_no_scene(bench: Bench) -> None:
    job = a_video(bench)
    with pytest.raises(NotFound):
        bench.scenes.mark_ready(job, 0, bench.clock.now_ms())
    assert bench.table.get(*scene_key(job.id, 0)) is None


def a_closed_video_does_not_advance(bench: Bench) -> None:
    job = a_video(bench)
    bench.fail(job)
    with pytest.raises(JobClosed):
        bench.jobs.advance(job.account_id, job.id, bench.clock.now_ms(), Step.SCRIPT)
    assert (bench.job(job).status, bench.job(job).steps) == (JobStatus.FAILED, frozenset())
