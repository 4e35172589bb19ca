"""What videos have to survive: hostile clips, long ideas, bad timing, a function without Pillow."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import boto3
import pytest

from shoal.adapters.aws.client import config_of
from shoal.adapters.aws.s3_videos import SignedUrls
from shoal.dialects.video import VIDEOS_MAX, parse_list_query
from shoal.domain.errors import JobClosed, OutputInvalid
from shoal.domain.job import JobStatus
from shoal.media import probe
from shoal.media.probe import probe_clip
from shoal.media.script import LOOK_CHARACTERS_MAX, write_script
from tests.fakes.videos import CLIP
from tests.support.media_files import clip_bytes, written
from tests.worlds.world import World

FUNCTIONS = Path(probe.__file__).parents[2]
SCRIPT_ALONE = """
import sys
for package in ("PIL", "av", "espeakng_loader"):
    sys.modules[package] = None
from shoal.adapters.outputs.studio import EmbeddedScriptWriter
scenes = EmbeddedScriptWriter().write(
    idea="Sharks", category="story", scene_count=2, style=None, language="en", seed=1
)
print(len(scenes))
"""


def test_a_script_is_written_without_the_media_packages() -> None:
    """The function that does it carries none of their layers."""
    done = subprocess.run(  # noqa: S603 - our own text
        [sys.executable, "-c", SCRIPT_ALONE], capture_output=True, text=True, check=False, cwd=FUNCTIONS
    )
    assert (done.stdout.strip(), done.stderr) == ("2", "")


def test_how_it_looks_is_said_in_every_prompt_and_so_is_kept_short() -> None:
    idea = f"Sharks — {'neon ' * 380}style"
    scenes = write_script(idea=idea, category="story", scene_count=15, style=None, language="en", seed=1)

    assert all("neon neon" in scene.prompt for scene in scenes)
    assert max(len(scene.prompt) for scene in scenes) < 2 * LOOK_CHARACTERS_MAX


def test_a_page_of_videos_is_never_so_long_that_it_cannot_be_answered() -> None:
    assert parse_list_query({"limit": "100"})[1] == VIDEOS_MAX
    assert parse_list_query({"limit": "7"})[1] == 7


@pytest.mark.parametrize("region", ["eu-central-1", "us-west-2"])
def test_addresses_are_signed_for_the_host_of_the_region(
    region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    client = boto3.Session("a", "b", region_name=region).client("s3", config=config_of("s3"))
    url = SignedUrls(client, "videos-of-shoal", expires_s=60)("videos/x/final.mp4")

    assert url.startswith(f"https://videos-of-shoal.s3.{region}.amazonaws.com/videos/x/final.mp4?")


def test_a_local_cloud_is_asked_for_buckets_by_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their host names would not resolve: neither for a command that names it, nor for its functions."""
    endpoint, session = "http://localhost:4566", boto3.Session("a", "b", region_name="us-east-1")
    named = session.client("s3", endpoint_url=endpoint, config=config_of("s3", endpoint))
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    found = session.client("s3", config=config_of("s3"))

    for client in (named, found):
        assert SignedUrls(client, "videos", expires_s=60)("k").startswith(f"{endpoint}/videos/k?")


def test_a_scene_stored_while_its_video_is_canceled_is_not_told_of() -> None:
    world = World()
    customer = world.customer(credits=2)
    job = world.video(customer)
    world.write_script(job.account_id, job.id)
    world.jobs.begin(job.account_id, job.id, 0, "token", world.clock.now_ms())
    key = world.staging.stage(job, 0, CLIP)
    world.network.before("scenes.mark_ready", lambda: world.cancel_job(customer.caller, job.id))

    with pytest.raises(JobClosed):
        world.store_clip(job.account_id, job.id, 0, {"key": key})
    assert world.now(job).status is JobStatus.CANCELED


def vp9(path: Path, sizes: Sequence[tuple[int, int]]) -> Path:
    """A clip whose pictures change their size, which its header does not tell."""
    with av.open(str(path), "w", "matroska") as container:
        stream = container.add_stream("libvpx-vp9", rate=24)
        stream.width, stream.height, stream.pix_fmt = *sizes[0], "yuv420p"
        for index, (width, height) in enumerate(sizes):
            encoder = av.CodecContext.create("libvpx-vp9", "w")
            assert isinstance(encoder, av.VideoCodecContext)
            encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
            encoder.time_base = Fraction(1, 24)
            picture = av.VideoFrame(width, height, "yuv420p")
            for packet in [*encoder.encode(picture), *encoder.encode(None)]:
                packet.stream, packet.time_base = stream, Fraction(1, 24)
                packet.pts = packet.dts = index
                container.mux(packet)
    return path


def test_a_clip_that_changes_its_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputInvalid, match="changes its size"):
        probe_clip(vp9(tmp_path / "clip.mkv", [(64, 64), (64, 64), (128, 128)]))


def test_pictures_larger_than_the_header_says_are_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "SIDE_PX_MAX", 64)
    with pytest.raises(OutputInvalid, match="readable"):
        probe_clip(vp9(tmp_path / "clip.mkv", [(64, 64), (64, 64), (512, 512)]))


@pytest.mark.parametrize("size", [(4096, 16), (16, 1024)])
def test_a_strip_is_no_clip(tmp_path: Path, size: tuple[int, int]) -> None:
    with pytest.raises(OutputInvalid, match="unusable size"):
        probe_clip(vp9(tmp_path / "clip.mkv", [size]))


@pytest.mark.parametrize(("name", "bound"), [("FRAMES_MAX", 191), ("PIXELS_MAX", 192 * 180 * 320 - 1)])
def test_a_clip_of_endless_pictures_is_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, bound: int
) -> None:
    clip = written(tmp_path, clip_bytes())
    monkeypatch.setattr(probe, name, bound + 1)
    assert probe_clip(clip).frames == 192
    monkeypatch.setattr(probe, name, bound)
    with pytest.raises(OutputInvalid, match="too many pictures"):
        probe_clip(clip)


def test_what_a_clip_says_of_itself_need_not_be_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w", "matroska") as container:
        container.metadata["title"] = "Haie é"
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    path.write_bytes(path.read_bytes().replace("Haie é".encode(), b"Haie \xe9\xe9"))

    assert probe_clip(path).frames == 1
