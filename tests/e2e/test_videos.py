"""Videos end to end: the document's own clients, the file that comes of it, and what can go wrong."""

from __future__ import annotations

import io
import json
import math
import os
import re
import struct
import subprocess
import time
from array import array
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import av
import pytest
from av.container import InputContainer

from infra import NODE
from tests.support.curl import curl
from tests.support.deployed import Customer, Deployed, eventually
from tests.support.receiver import Receiver
from tests.support.videos import VIDEO_SECONDS_MAX, VideosClient
from tests.support.webhooks import WebhooksClient

HOST = "https://vidshark.ai"
CURL = """
curl -X POST https://vidshark.ai/api/v1/videos \\
  -H "Authorization: Bearer $VIDSHARK_API_KEY" \\
  -H "Content-Type: application/json" \\
  -H "Idempotency-Key: $(uuidgen)" \\
  -d '{
    "idea": "Why the Persian Empire fell — Pixar-style animated explainer",
    "category": "story",
    "duration": 16,
    "aspect_ratio": "9:16"
  }'
"""
LOOP = """
async function waitForVideo(id: string) {
  const key = process.env.VIDSHARK_API_KEY!;
  while (true) {
    const r = await fetch(`https://vidshark.ai/api/v1/videos/${id}`, {
      headers: { Authorization: `Bearer ${key}` },
    });
    const { video } = await r.json();
    if (video.status === "ready")  return video.final_video_url;
    if (video.status === "failed") throw new Error("Render failed");
    await new Promise(r => setTimeout(r, 10_000)); // 10s
  }
}
"""
"""The loop of the document, to the letter."""


@pytest.fixture
def videos(filmmaker: Customer) -> VideosClient:
    return VideosClient(filmmaker.client)


def opened(data: bytes) -> InputContainer:
    """The file, open for reading."""
    return av.open(io.BytesIO(data), "r")


def run_loop(deployed: Deployed, key: str, video_id: str, folder: Path) -> str:
    """Run the document's loop, types stripped by Node, asking more often than a customer should."""
    source = LOOP.replace(HOST, deployed.cloud.api_url).replace("10_000", "500")
    script = folder / "wait.mts"
    script.write_text(f"{source}\nconsole.log(await waitForVideo({json.dumps(video_id)}));\n")
    ran = subprocess.run(  # noqa: S603 - the document's own loop
        [NODE, "--no-warnings", str(script)],
        capture_output=True,
        text=True,
        check=False,
        timeout=VIDEO_SECONDS_MAX,
        env={**os.environ, "VIDSHARK_API_KEY": key},
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


class Screening:
    """One video made by the document's curl line, and what its webhook heard meanwhile."""

    def __init__(self, deployed: Deployed, folder: Path) -> None:
        self.customer = deployed.customer(usd="0", credits=20)
        self.videos = VideosClient(self.customer.client)
        with Receiver() as receiver:
            WebhooksClient(self.customer.client).subscribe(receiver.url(), "video.*")
            command = CURL.replace(HOST, deployed.cloud.api_url)
            self.accepted = curl(
                command, **{"$VIDSHARK_API_KEY": self.customer.key, "$(uuidgen)": str(uuid4())}
            )
            assert self.accepted.status_code == 202, self.accepted.text
            self.id: str = self.accepted.json()["video"]["id"]
            self.final_url = run_loop(deployed, self.customer.key, self.id, folder)
            eventually(lambda: len(receiver.requests) >= 4)
            self.heard = [json.loads(request.body) for request in receiver.requests]
        self.file = deployed.http.get(self.final_url).content


@pytest.fixture(scope="module")
def screening(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Screening:
    return Screening(deployed, tmp_path_factory.mktemp("screening"))


def test_the_documents_curl_line_gets_a_video_resource(screening: Screening) -> None:
    video = screening.accepted.json()["video"]

    assert re.fullmatch(r"vid_[0-7][0-9A-HJKMNP-TV-Z]{25}", video["id"])
    assert (video["status"], video["progress"], video["clip_count"]) == ("queued", 0, 2)
    assert video["idea"] == "Why the Persian Empire fell — Pixar-style animated explainer"
    assert (video["category"], video["duration"], video["aspect_ratio"]) == ("story", 16, "9:16")
    assert (video["credits_charged"], video["credits_refunded"]) == (2, 0)


def test_the_documents_loop_ends_at_a_video_that_plays(screening: Screening) -> None:
    video = screening.videos.video(screening.id)

    assert screening.final_url.split("?")[0] == video["final_video_url"].split("?")[0]
    assert (video["status"], video["progress"], video["error"]) == ("ready", 100, None)
    assert screening.videos.credits() == (18, 0)
    assert [scene["status"] for scene in video["scenes"]] == ["ready", "ready"]
    assert all(scene["prompt"] and scene["narration"] for scene in video["scenes"])


def test_the_file_is_exactly_as_long_as_was_asked_for(screening: Screening) -> None:
    with opened(screening.file) as container:
        (picture,) = container.streams.video
        assert (picture.codec_context.name, picture.width, picture.height) == ("h264", 720, 1280)
        assert picture.average_rate == 24
        assert sum(packet.size > 0 for packet in container.demux(picture)) == 384
        assert container.duration is not None
        assert abs(container.duration / 1_000_000 - 16) < 1 / 24
        (sound,) = container.streams.audio
        assert sound.codec_context.name == "aac"
        (words,) = container.streams.subtitles
        assert words.codec_context.name == "mov_text"


def test_every_picture_of_the_file_can_be_decoded_and_they_move(screening: Screening) -> None:
    with opened(screening.file) as container:
        frames = [bytes(frame.reformat(32, 32, "gray").planes[0]) for frame in container.decode(video=0)]

    assert len(frames) == 384
    assert len(set(frames)) > 300


def test_the_narration_is_heard_in_both_scenes(screening: Screening) -> None:
    loud = {0: 0.0, 1: 0.0}
    with opened(screening.file) as container:
        for frame in container.decode(audio=0):
            samples = array("f", bytes(frame.planes[0])[: frame.samples * 4])
            scene = min(1, int((frame.time or 0) // 8))
            loud[scene] = max(loud[scene], math.sqrt(sum(x * x for x in samples) / len(samples)))

    assert loud[0] > 0.01
    assert loud[1] > 0.01


def test_the_file_plays_before_it_is_all_there(screening: Screening) -> None:
    boxes, offset = [], 0
    while offset < len(screening.file):
        size, name = struct.unpack(">I4s", screening.file[offset : offset + 8])
        boxes.append(name)
        offset += size

    assert boxes.index(b"moov") < boxes.index(b"mdat")


def test_narration_poster_and_clips_can_be_fetched_too(deployed: Deployed, screening: Screening) -> None:
    video = screening.videos.video(screening.id)

    narration = deployed.http.get(video["narration_audio_url"])
    with opened(narration.content) as container:
        assert container.streams.audio[0].codec_context.name.startswith("mp3")
        assert container.duration is not None
        assert abs(container.duration / 1_000_000 - 16) < 0.2
    assert deployed.http.get(video["poster_url"]).content.startswith(b"\xff\xd8")
    for scene in video["scenes"]:
        with opened(deployed.http.get(scene["clip_url"]).content) as clip:
            assert sum(packet.size > 0 for packet in clip.demux(video=0)) == 192


def test_each_read_signs_the_addresses_again(screening: Screening) -> None:
    first = screening.videos.video(screening.id)["final_video_url"]

    def later() -> str | None:
        again: str = screening.videos.video(screening.id)["final_video_url"]
        return again if again != first else None

    again = eventually(later)
    assert "X-Amz-Expires=3600" in again
    assert again.split("?")[0] == first.split("?")[0]


def test_the_webhook_heard_everything_in_the_documents_words(screening: Screening) -> None:
    told = {event["type"]: event for event in screening.heard}

    assert sorted(event["type"] for event in screening.heard) == [
        "video.created",
        "video.ready",
        "video.scene_ready",
        "video.scene_ready",
    ]
    data = told["video.ready"]["data"]
    assert (data["video_id"], data["clip_count"]) == (screening.id, 2)
    assert data["final_video_url"].split("?")[0] == screening.final_url.split("?")[0]
    assert data["narration_audio_url"].split("?")[0].endswith("narration.mp3")
    scenes = [event["data"] for event in screening.heard if event["type"] == "video.scene_ready"]
    assert {scene["index"] for scene in scenes} == {0, 1}
    assert {(scene["video_id"], scene["clip_count"]) for scene in scenes} == {(screening.id, 2)}


def test_the_video_can_be_read_in_every_dialect(screening: Screening) -> None:
    client, path = screening.customer.client, screening.final_url.split("?")[0]

    assert client.job(screening.id)["image_url"].split("?")[0] == path
    task = client.request("GET", f"/v1/tasks/{screening.id}").json()["data"]
    assert (task["output"]["url"].split("?")[0], task["cost"]) == (path, "2 credits")
    (row,) = client.request("GET", "/v1/usage/summary").json()["data"]
    assert row == {"model": "video", "total_units": 2, "total_cost": "2 credits", "request_count": 1}


def test_a_video_that_is_done_cannot_be_canceled(screening: Screening) -> None:
    answer = screening.videos.cancel(screening.id)

    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert screening.videos.credits() == (18, 0)


def files_of(deployed: Deployed, customer: Customer, video_id: str) -> list[str]:
    """Everything that is stored of a video."""
    s3, outputs = deployed.cloud.client("s3"), deployed.cloud.outputs
    places = [
        (outputs["VideosBucketName"], f"videos/{video_id}/"),
        (outputs["StagingBucketName"], f"{customer.account_id}/{video_id}/"),
    ]
    pages = [s3.list_objects_v2(Bucket=bucket, Prefix=prefix) for bucket, prefix in places]
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


@pytest.mark.parametrize(
    ("idea", "scenes", "code", "message", "failed"),
    [
        ("[fail:scene=1] sharks", 2, "provider_failed", "The provider failed to generate the clip.", 1),
        ("[fail] sharks", 2, "provider_failed", "The provider failed to generate the clip.", None),
        ("[nsfw:scene=0] sharks", 1, "provider_rejected", "The prompt was refused by content moderation.", 0),
        ("[truncated:scene=0] sharks", 1, "output_invalid", None, 0),
        ("[empty:scene=0] sharks", 1, "output_invalid", None, 0),
    ],
    ids=["one fails", "all fail", "refused", "truncated", "empty"],
)
def test_a_video_that_fails_refunds_everything_and_leaves_nothing_behind(
    deployed: Deployed,
    filmmaker: Customer,
    videos: VideosClient,
    idea: str,
    scenes: int,
    code: str,
    message: str | None,
    failed: int | None,
) -> None:
    video_id = videos.submit(idea, scenes)

    video = videos.wait(video_id)

    assert (video["status"], video["error"]["code"]) == ("failed", code)
    assert message is None or video["error"]["message"] == message
    assert (video["credits_charged"], video["credits_refunded"]) == (scenes, scenes)
    assert videos.credits() == (20, 0)
    statuses = [scene["status"] for scene in video["scenes"]]
    assert statuses.count("failed") == 1
    assert failed is None or statuses[failed] == "failed"
    assert video["progress"] < 100
    assert video["final_video_url"] is video["narration_audio_url"] is video["poster_url"] is None
    clean_up(deployed, filmmaker, video_id)
    assert files_of(deployed, filmmaker, video_id) == []


def clean_up(deployed: Deployed, customer: Customer, video_id: str) -> None:
    """A quarter of an hour passes, and the sweeper looks after what was on its way."""
    deployed.make_due(deployed.job(customer, video_id))
    deployed.sweep()


def test_scenes_that_come_by_poll_or_callback_make_the_same_video(
    filmmaker: Customer, videos: VideosClient
) -> None:
    seen: list[int] = []

    video = videos.wait(
        videos.submit("[poll:scene=0] [callback:scene=1] sharks", 2, aspect_ratio="1:1", subtitles="none"),
        seen,
    )

    assert video["status"] == "ready"
    assert seen == sorted(seen)
    assert seen[-1] == 100
    assert len(set(seen)) >= 3


def test_burned_subtitles_make_a_video_without_a_track(deployed: Deployed, videos: VideosClient) -> None:
    video = videos.wait(videos.submit("sharks", aspect_ratio="16:9", subtitles="burned", language="de"))

    assert video["status"] == "ready"
    with opened(deployed.http.get(video["final_video_url"]).content) as container:
        assert container.streams.subtitles == ()
        assert container.streams.video[0].width == 1280


def test_sixteen_equal_submits_with_one_key_make_one_video(
    deployed: Deployed, filmmaker: Customer, videos: VideosClient
) -> None:
    key = str(uuid4())
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda _: videos.create("[timeout] sharks", 2, key=key, metadata={"n": 1}), range(16))
        )

    accepted = [answer for answer in answers if answer.status_code == 202]
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len({answer.json()["video"]["id"] for answer in accepted}) == 1
    assert len({answer.text for answer in accepted}) == 1
    assert videos.credits() == (18, 2)
    other = videos.create("[timeout] whales", 2, key=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert videos.cancel(accepted[0].json()["video"]["id"]).status_code == 200
    assert videos.credits() == (20, 0)


BAD: list[tuple[dict[str, Any], str]] = [
    *(({"duration": duration}, "duration") for duration in (0, 7, 12, 128, -8, "16", 16.5)),
    ({"idea": ""}, "idea"),
    ({"idea": "x" * 5_000}, "idea"),
    ({"category": "gossip"}, "category"),
    ({"aspect_ratio": "4:3"}, "aspect_ratio"),
    ({"voice": "siri"}, "voice"),
    ({"language": "klingon please"}, "language"),
    ({"webhook_url": "gopher://example.com"}, "webhook_url"),
]


@pytest.mark.parametrize(("changes", "field"), BAD, ids=[json.dumps(changes)[:40] for changes, _ in BAD])
def test_bad_input_is_refused_in_the_documents_shape_and_costs_nothing(
    videos: VideosClient, changes: dict[str, Any], field: str
) -> None:
    answer = videos.create(**{"idea": "sharks", **changes})

    assert answer.status_code == 422
    error = answer.json()
    assert error.keys() == {"code", "message", "docs_url", "details"}
    assert error["docs_url"].endswith("/docs/api#validation_error")
    assert field in {found["field"] for found in error["details"]["fields"]}
    assert videos.credits() == (20, 0)


def test_too_few_credits_are_told_as_in_the_document(deployed: Deployed) -> None:
    poor = deployed.customer(usd="0", credits=2)

    answer = VideosClient(poor.client).create("sharks", 6)

    assert answer.status_code == 402
    error = answer.json()
    assert error.pop("docs_url").endswith("/docs/api#insufficient_credits")
    assert error == {
        "code": "insufficient_credits",
        "message": "Need 6 credits, you have 2. Top up or pick a shorter length.",
        "details": {"credits_required": 6, "credits_remaining": 2},
    }


def test_a_list_shows_videos_newest_first(deployed: Deployed) -> None:
    customer = deployed.customer(usd="0", credits=3)
    videos = VideosClient(customer.client)
    ids = []
    for _ in range(3):
        ids.append(videos.submit("[timeout] sharks"))
        time.sleep(0.002)  # ids sort by the millisecond
    first = customer.client.request("GET", "/api/v1/videos", params={"limit": 2}).json()
    rest = customer.client.request("GET", "/api/v1/videos", params={"cursor": first["next_cursor"]}).json()

    assert [video["id"] for video in first["videos"] + rest["videos"]] == ids[::-1]
    for video_id in ids:
        assert videos.cancel(video_id).status_code == 200
    failed = customer.client.request("GET", "/api/v1/videos", params={"status": "failed"}).json()
    assert len(failed["videos"]) == 3
