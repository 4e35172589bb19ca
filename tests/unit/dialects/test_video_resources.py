"""How a video is shown, and which events tell of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shoal.dialects import image, tasks
from shoal.dialects.answers import video as answers
from shoal.dialects.spoken import View
from shoal.dialects.video import acceptance, credits_resource, video_list, video_resource
from shoal.domain.events import closing_events, ending_events, opening_events, scene_event
from shoal.domain.job import HoldState, Job, JobFailure, JobStatus, Output, Step
from shoal.domain.money import Asset
from shoal.domain.video import Scene, final_key, preview_key
from shoal.domain.wallet import Wallet
from shoal.domain.webhook import EVENT_TYPES
from shoal.ports.jobs import JobPage
from tests.fakes.network import Network
from tests.fakes.tables import Tables
from tests.fakes.videos import FakeScenes
from tests.support.factories import CREATED_MS, VIDEO, VIDEOS_BUCKET, a_completed_job, a_video, url_of

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
SCENES = (Scene(0, "A shark, far away", "Sharks glow."), Scene(1, "A shark, close", "Here is why."))
READY = tuple(Scene(scene.index, scene.prompt, scene.narration, CREATED_MS + 9_000) for scene in SCENES)


def shown(job: Job, scenes: tuple[Scene, ...] = SCENES, now_ms: int = CREATED_MS) -> answers.Video:
    video = video_resource(job, scenes, url_of=url_of, now_ms=now_ms)["video"]
    assert video.keys() == FIELDS
    json.dumps(video)
    return video


def a_ready_video(**changes: Any) -> Job:
    done = {
        "status": JobStatus.COMPLETED,
        "hold_state": HoldState.CAPTURED,
        "cost": 2,
        "started_at_ms": CREATED_MS + 1_000,
        "closed_at_ms": CREATED_MS + 60_000,
        "steps": frozenset(Step),
        "outputs": (Output(final_key(VIDEO), "video/mp4", 720, 1280, 99),),
    }
    return a_video(**done | changes)


def a_failed_video(**changes: Any) -> Job:
    done = {
        "status": JobStatus.FAILED,
        "hold_state": HoldState.RELEASED,
        "started_at_ms": CREATED_MS + 1_000,
        "closed_at_ms": CREATED_MS + 60_000,
        "steps": frozenset({Step.SCRIPT, Step.NARRATION}),
        "failure": JobFailure("provider_failed", "The provider failed to generate the clip.", scene=1),
    }
    return a_video(**done | changes)


def test_an_accepted_video_is_queued_and_charged_up_front() -> None:
    video = acceptance(a_video())["video"]

    assert video.keys() == FIELDS
    assert (video["id"], video["status"], video["progress"], video["scenes"]) == (VIDEO, "queued", 0, [])
    assert (video["clip_count"], video["credits_charged"], video["credits_refunded"]) == (2, 2, 0)
    assert (video["created_at"], video["started_at"], video["completed_at"]) == (
        "2025-11-24T10:40:00Z",
        None,
        None,
    )
    assert (video["idea"], video["duration"], video["metadata"]) == ("Why sharks glow", 16, {"order": 1})


def test_progress_is_the_share_of_steps_that_are_done() -> None:
    job = a_video(status=JobStatus.PROCESSING)
    steps: frozenset[Step] = frozenset()
    seen = [shown(job, ())["progress"]]
    for step, scenes in (
        (Step.SCRIPT, SCENES),
        (Step.NARRATION, SCENES),
        (None, (READY[0], SCENES[1])),
        (None, READY),
        (Step.STITCH, READY),
    ):
        steps |= {step} if step else frozenset()
        seen.append(shown(a_video(status=JobStatus.PROCESSING, steps=steps), scenes)["progress"])
    seen.append(shown(a_ready_video(), READY)["progress"])

    assert seen == [0, 16, 33, 50, 66, 83, 100]


def test_a_video_on_its_way_shows_how_far_each_scene_is() -> None:
    job = a_video(status=JobStatus.PROCESSING, task_tokens={1: "token"})

    video = shown(job, (READY[0], SCENES[1]))

    assert video["status"] == "rendering"
    assert [(scene["index"], scene["status"]) for scene in video["scenes"]] == [
        (0, "ready"),
        (1, "rendering"),
    ]
    assert {scene["clip_url"] for scene in video["scenes"]} == {None}, "none is paid for"
    previews = [scene["preview_url"] for scene in video["scenes"]]
    assert previews == [url_of(preview_key(VIDEO, 0)), None]
    assert (video["scenes"][1]["prompt"], video["scenes"][1]["narration"]) == (
        "A shark, close",
        "Here is why.",
    )
    assert video["final_video_url"] is video["narration_audio_url"] is video["poster_url"] is None


def test_a_ready_video_says_where_everything_is() -> None:
    video = shown(a_ready_video(), READY)

    assert (video["status"], video["credits_charged"], video["credits_refunded"]) == ("ready", 2, 0)
    folder = f"https://cdn.test/videos/{VIDEO}"
    assert video["final_video_url"] == f"{folder}/final.mp4"
    assert video["narration_audio_url"] == f"{folder}/narration.mp3"
    assert video["poster_url"] == f"{folder}/poster.jpg"
    assert [scene["clip_url"] for scene in video["scenes"]] == [f"{folder}/scenes/{n}.mp4" for n in (0, 1)]
    assert (video["error"], video["completed_at"]) == (None, "2025-11-24T10:41:00Z")


def test_a_failed_video_names_the_scene_at_fault_and_what_came_back() -> None:
    video = shown(a_failed_video(), (READY[0], SCENES[1]))

    assert (video["status"], video["credits_charged"], video["credits_refunded"]) == ("failed", 2, 2)
    assert [scene["status"] for scene in video["scenes"]] == ["canceled", "failed"]
    assert [scene["clip_url"] for scene in video["scenes"]] == [None, None]
    assert video["error"] == {
        "code": "provider_failed",
        "message": "The provider failed to generate the clip.",
    }
    assert (video["progress"], video["completed_at"], video["final_video_url"]) == (50, None, None)


@pytest.mark.parametrize("status", [JobStatus.CANCELED, JobStatus.EXPIRED])
def test_every_other_end_is_a_failure_too(status: JobStatus) -> None:
    video = shown(a_failed_video(status=status, failure=JobFailure(status.value, "Canceled by request.")))

    assert video["status"] == "failed"
    assert video["error"] == {"code": status.value, "message": "Canceled by request."}
    assert [scene["status"] for scene in video["scenes"]] == ["canceled", "canceled"]


def test_an_expired_video_has_no_addresses_any_more() -> None:
    job = a_ready_video(ttl_s=60, outputs_expire_at_ms=CREATED_MS + 120_000)

    assert shown(job, READY, CREATED_MS + 119_999)["final_video_url"]
    late = shown(job, READY, CREATED_MS + 120_000)
    assert late["status"] == "ready"
    assert late["final_video_url"] is late["narration_audio_url"] is late["poster_url"] is None
    assert {scene["clip_url"] for scene in late["scenes"]} == {None}


def test_a_picture_can_be_read_as_a_video() -> None:
    video = shown(a_completed_job(), ())

    assert (video["status"], video["idea"], video["category"], video["scenes"]) == (
        "ready",
        "A shark",
        None,
        [],
    )
    assert (video["credits_charged"], video["narration_audio_url"]) == (0, None)


def test_a_video_can_be_read_in_every_other_dialect() -> None:
    job, final = a_ready_video(), url_of(final_key(VIDEO))

    picture = image.job_resource(job, complete="complete", url_of=url_of, now_ms=CREATED_MS)
    task = tasks.task_resource(job, url_of=url_of, now_ms=CREATED_MS)

    assert (picture["status"], picture["image_url"], picture["cost"]) == ("complete", final, "2 credits")
    measured = {"content_type": "video/mp4", "bytes": 99, "width": 720, "height": 1280}
    assert (task["type"], task["cost"]) == ("video_generate", "2 credits")
    assert task["output"] == {"url": final, "urls": [final]}
    assert task["files"] == [{"url": final, **measured}]
    assert image.usage_row(job, "complete")["prompt"] == "Why sharks glow"


def test_a_list_has_a_cursor_and_credits_have_two_numbers() -> None:
    scenes = FakeScenes(Network(), Tables(scenes={VIDEO: READY}))
    jobs = JobPage((a_ready_video(),), "cursor")

    page = video_list(jobs, View(url_of, CREATED_MS, lambda: scenes))

    assert page["next_cursor"] == "cursor"
    assert [(video["id"], len(video["scenes"])) for video in page["videos"]] == [(VIDEO, len(READY))]
    wallet = Wallet("acc_1", Asset.CREDIT, balance=9, held=2)
    assert credits_resource(wallet) == {"credits_remaining": 7, "credits_held": 2}


def test_the_opening_tells_of_the_video_too() -> None:
    events = opening_events(a_video(status=JobStatus.PROCESSING, started_at_ms=CREATED_MS + 5))

    assert [event.type for event in events] == ["job.created", "video.created", "job.processing"]
    assert {event.detail["data"]["video_id"] for event in events} == {VIDEO}
    assert {event.detail["data"]["clip_count"] for event in events} == {2}


def test_each_scene_has_an_event_of_its_own_that_stays_the_same() -> None:
    job = a_video(status=JobStatus.PROCESSING)

    first, again, second = (scene_event(job, scene, url_of) for scene in (READY[0], READY[0], READY[1]))

    assert first == again
    assert first.detail["id"] != second.detail["id"]
    assert first.type == "video.scene_ready"
    data = first.detail["data"]
    assert (data["index"], data["clip_count"], data["video_id"]) == (0, 2, VIDEO)
    assert (data["clip_url"], data["preview_url"]) == (None, url_of(preview_key(VIDEO, 0)))


def test_a_ready_video_is_told_in_the_documents_words() -> None:
    ready, job = ending_events(a_ready_video(), url_of)

    assert (ready.type, job.type) == ("video.ready", "job.completed")
    data = ready.detail["data"]
    documented = {"video_id", "final_video_url", "narration_audio_url", "clip_count"}
    assert {name: data[name] for name in documented} == {
        "video_id": VIDEO,
        "final_video_url": url_of(final_key(VIDEO)),
        "narration_audio_url": f"https://cdn.test/videos/{VIDEO}/narration.mp3",
        "clip_count": 2,
    }
    assert (data["cost"], data["error"]) == ("2", None)


def test_a_failed_video_is_told_with_its_error_and_no_address() -> None:
    failed, job = ending_events(a_failed_video(), url_of)

    assert (failed.type, job.type) == ("video.failed", "job.failed")
    data = failed.detail["data"]
    assert (data["final_video_url"], data["narration_audio_url"], data["cost"]) == (None, None, "0")
    assert data["error"]["code"] == "provider_failed"


def test_the_largest_event_fits_a_webhook() -> None:
    metadata = {"text": "x" * 4_000}
    signed = "https://bucket.s3.eu-west-1.amazonaws.com/k?X-Amz-Security-Token=" + "x" * 2_000

    for event in ending_events(a_ready_video(metadata=metadata, output_count=15), lambda _: signed):
        assert len(json.dumps(event.detail)) < 20_000


def test_every_event_of_a_video_can_be_subscribed_to() -> None:
    job = a_ready_video()
    told = [*opening_events(job), scene_event(job, READY[0], url_of), *ending_events(job, url_of)]
    told += ending_events(a_failed_video(), url_of)

    types = {event.type for event in told if event.type.startswith("video.")}
    assert types == {event_type for event_type in EVENT_TYPES if event_type.startswith("video.")}


def test_who_replays_the_events_of_a_video_finds_its_files() -> None:
    told = closing_events(a_ready_video(), url_of, VIDEOS_BUCKET)
    ready = {event.type: event.detail for event in told}

    for event_type in ("video.ready", "job.completed"):
        data, files = ready[event_type]["data"], ready[event_type]["files"]
        assert set(files) == {"final_video_url", "narration_audio_url", "poster_url"}
        for name, file in files.items():
            assert file["bucket"] == VIDEOS_BUCKET
            assert data[name] == url_of(file["key"])
