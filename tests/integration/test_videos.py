"""Scenes in the real table, and files in the real buckets of the local cloud."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from shoal.adapters.aws.s3_videos import S3VideoFiles, SignedUrls
from shoal.domain.errors import NotFound, OutputInvalid, Unavailable
from shoal.domain.job import Step
from shoal.domain.video import clip_key
from tests.integration.bench import Bench
from tests.integration.conditions.conditions import client_of, over
from tests.integration.conditions.scenarios_videos import SCENES, a_video, script
from tests.integration.faults import Counting, canceled, faulty, timed_out
from tests.support.deployed import Deployed


@pytest.fixture
def files(deployed: Deployed) -> S3VideoFiles:
    outputs = deployed.cloud.outputs
    return S3VideoFiles(
        deployed.cloud.client("s3"),
        staging_bucket=outputs["StagingBucketName"],
        videos_bucket=outputs["VideosBucketName"],
    )


def test_scenes_are_read_in_order_and_one_by_one(bench: Bench) -> None:
    job = a_video(bench, scenes=15)
    assert bench.scenes.of(job) == ()

    written = bench.scenes.write(job, script(1, scenes=15))

    assert bench.scenes.of(job) == written
    assert [scene.index for scene in written] == list(range(15))
    assert bench.scenes.get(job, 11) == written[11]
    with pytest.raises(NotFound):
        bench.scenes.get(job, 15)


def test_the_scenes_of_a_whole_page_of_videos_are_read_in_three_calls(bench: Bench) -> None:
    videos = [a_video(bench, scenes=15) for _ in range(20)]
    written = {video.id: bench.scenes.write(video, script(n, scenes=15)) for n, video in enumerate(videos)}
    unwritten = a_video(bench, scenes=1)
    client = Counting(client_of(bench.table))

    found = bench.over(over(bench.table, client)).scenes.of_each(videos)

    assert found == written
    assert client.calls == ["batch_get_item"] * 3
    assert bench.scenes.of_each([unwritten]) == {}
    assert bench.scenes.of_each([]) == {}


def test_a_clip_is_ready_since_the_first_moment(bench: Bench) -> None:
    job = a_video(bench)
    bench.scenes.write(job, script(1))

    moments = [bench.scenes.mark_ready(job, 1, now_ms).ready_at_ms for now_ms in (5, 9)]

    assert moments == [5, 5]
    assert [scene.ready for scene in bench.scenes.of(job)] == [False, True, False]


def test_a_script_whose_reply_is_lost_is_there_when_it_is_written_again(bench: Bench) -> None:
    job = a_video(bench)
    lost = bench.over(faulty(bench.table, "transact_write_items", timed_out, after=True))
    with pytest.raises(Unavailable):
        lost.scenes.write(job, script(1))

    again = bench.scenes.write(job, script(2))

    assert {scene.prompt.partition(",")[0] for scene in again} == {"take 1"}
    assert len(again) == SCENES


def test_a_script_that_others_keep_from_being_written_is_written_later(bench: Bench) -> None:
    job = a_video(bench)
    busy = faulty(bench.table, "transact_write_items", canceled("TransactionConflict", 0), times=99)

    with pytest.raises(Unavailable):
        bench.over(busy).scenes.write(job, script(1))

    assert bench.scenes.of(job) == ()


def test_a_step_counts_once(bench: Bench) -> None:
    job = a_video(bench)

    for step in (Step.SCRIPT, Step.SCRIPT, Step.STITCH):
        bench.jobs.advance(job.account_id, job.id, bench.clock.now_ms(), step)

    assert bench.job(job).steps == {Step.SCRIPT, Step.STITCH}


def test_a_file_goes_from_bucket_to_disk_to_bucket(bench: Bench, files: S3VideoFiles, tmp_path: Path) -> None:
    job, key = a_video(bench), "narration.wav"
    here, there = tmp_path / "here", tmp_path / "there"
    here.write_bytes(b"sound" * 100_000)

    staged = files.stage(job, key, here)
    files.fetch_staged(staged, there)
    files.put(clip_key(job.id, 0), there, "video/mp4")
    files.fetch(clip_key(job.id, 0), here)

    assert here.read_bytes() == b"sound" * 100_000


def test_a_staged_file_is_taken_as_it_is_and_can_be_fetched_by_a_signed_address(
    bench: Bench, files: S3VideoFiles, deployed: Deployed, tmp_path: Path
) -> None:
    job, source = a_video(bench), tmp_path / "clip"
    source.write_bytes(b"clip")
    staged = files.stage(job, "0", source)

    files.take_staged(staged, clip_key(job.id, 0), "video/mp4")

    bucket = deployed.cloud.outputs["VideosBucketName"]
    sign = SignedUrls(deployed.cloud.client("s3"), bucket, expires_s=60)
    answer = requests.get(sign(clip_key(job.id, 0)), timeout=10)
    assert (answer.status_code, answer.content) == (200, b"clip")
    assert answer.headers["Content-Type"] == "video/mp4"


def test_what_is_not_there_is_an_invalid_output(bench: Bench, files: S3VideoFiles, tmp_path: Path) -> None:
    job = a_video(bench)
    ways: tuple[Callable[[], object], ...] = (
        lambda: files.fetch_staged(f"{job.account_id}/{job.id}/9", tmp_path / "x"),
        lambda: files.take_staged(f"{job.account_id}/{job.id}/9", clip_key(job.id, 9), "video/mp4"),
        lambda: files.fetch(clip_key(job.id, 9), tmp_path / "x"),
    )
    for reach in ways:
        with pytest.raises(OutputInvalid, match="gone"):
            reach()


def test_everything_of_a_job_is_deleted_and_nothing_of_another(
    bench: Bench, files: S3VideoFiles, tmp_path: Path
) -> None:
    job, other = a_video(bench), a_video(bench)
    source = tmp_path / "clip"
    source.write_bytes(b"clip")
    for mine in (job, other):
        files.stage(mine, "0", source)
        for index in range(3):
            files.put(clip_key(mine.id, index), source, "video/mp4")

    files.delete_of(job)
    files.delete_of(job)

    with pytest.raises(OutputInvalid):
        files.fetch(clip_key(job.id, 0), source)
    files.fetch(clip_key(other.id, 2), source)
    files.fetch_staged(f"{other.account_id}/{other.id}/0", source)
    files.delete_of(other)
