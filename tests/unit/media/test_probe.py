"""What is no whole video is found, whatever its header says, and nothing but the file itself is opened."""

from __future__ import annotations

import os
import random
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from shoal.domain.errors import OutputInvalid
from shoal.media.child import in_child
from shoal.media.clip import render_clip
from shoal.media.narration import encode_audio
from shoal.media.probe import conforms, probe_apart, probe_clip
from shoal.media.sound import write_wav
from tests.support.hostile import clips as hostile_clips
from tests.support.media_files import clip_bytes, foreign_clip, still, written

CLIP = clip_bytes(seconds=3.0)
NOISE = random.Random(1).randbytes(200_000)  # noqa: S311 - noise, not secrets


@pytest.mark.parametrize("share", [0.0005, 0.01, 0.3, 0.7, 0.95, 0.99, 0.999])
def test_a_file_that_was_cut_off_is_found(tmp_path: Path, share: float) -> None:
    cut = written(tmp_path, CLIP[: int(len(CLIP) * share)])

    with pytest.raises(OutputInvalid):
        probe_clip(cut)
    with pytest.raises(OutputInvalid):
        probe_clip(cut, decode_all=False)


def test_a_part_that_takes_too_long_ends_with_its_process(tmp_path: Path) -> None:
    """A slice of some bytes is a picture to the decoder; none of its calls returns to us in between."""
    slow = hostile_clips.many_slices(tmp_path / "slow.mkv", 10_000)
    assert slow.stat().st_size < 1_000_000

    with pytest.raises(OutputInvalid, match="too long"):
        probe_apart(slow, cpu_seconds_max=1)


def test_a_reader_that_is_brought_down_takes_nobody_with_it() -> None:
    with pytest.raises(OutputInvalid, match="could not be decoded"):
        in_child(partial(os._exit, 1), cpu_seconds_max=1)


def test_what_is_found_in_a_process_apart_is_what_is_found_here(tmp_path: Path) -> None:
    clip = written(tmp_path, CLIP)

    assert probe_apart(clip) == probe_clip(clip)
    with pytest.raises(OutputInvalid, match="damaged"):
        probe_apart(written(tmp_path, CLIP[:-1], "cut.mp4"))


def test_even_a_last_byte_is_missed(tmp_path: Path) -> None:
    assert probe_clip(written(tmp_path, CLIP)).frames == 72
    with pytest.raises(OutputInvalid, match="damaged"):
        probe_clip(written(tmp_path, CLIP[:-1]))


def test_a_webm_without_its_second_half_is_found(tmp_path: Path) -> None:
    whole = foreign_clip(tmp_path / "whole.webm", codec="libvpx-vp9", frames=120).read_bytes()

    with pytest.raises(OutputInvalid):
        probe_clip(written(tmp_path, whole[: len(whole) // 2], "half.webm"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"\x00\x17" * 5_000,
        NOISE,
        b'{"error": "rate limited"}',
        b"<html><body>502</body></html>",
    ],
    ids=["empty", "one byte", "zeros", "noise", "json", "html"],
)
def test_what_is_no_video_is_refused_in_plain_words(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(OutputInvalid, match=r"^The provider did not deliver a readable video\.$"):
        probe_clip(written(tmp_path, data))


def test_large_damage_in_the_middle_is_found_by_decoding(tmp_path: Path) -> None:
    middle, hole = len(CLIP) // 2, len(CLIP) // 3
    damaged = CLIP[:middle] + NOISE[:hole] + CLIP[middle + hole :]

    with pytest.raises(OutputInvalid):
        probe_clip(written(tmp_path, damaged))


def test_a_picture_is_no_video(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "picture.png")

    with pytest.raises(OutputInvalid, match="readable video"):
        probe_clip(tmp_path / "picture.png")


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    write_wav(bytes(96_000), tmp_path / "silence.wav")
    encode_audio(tmp_path / "silence.wav", tmp_path / "silence.mp3")
    for name in ("silence.wav", "silence.mp3"):
        with pytest.raises(OutputInvalid):
            probe_clip(tmp_path / name)


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:8\n#EXTINF:8,\n{clip}\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:8\n#EXTINF:8,\nhttp://127.0.0.1:9/clip.mp4\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {clip}\n",
    ],
    ids=["file", "address", "concat"],
)
def test_a_file_that_names_other_files_opens_none_of_them(tmp_path: Path, playlist: str) -> None:
    clip = written(tmp_path, CLIP)

    with pytest.raises(OutputInvalid, match="readable video"):
        probe_clip(written(tmp_path, playlist.format(clip=clip).encode(), "list.mp4"))


def test_a_size_nobody_can_use_is_refused(tmp_path: Path) -> None:
    render_clip(still(), tmp_path / "wide.mp4", width_px=4_352, height_px=16, seed=1, seconds=0.1)

    with pytest.raises(OutputInvalid, match="unusable size"):
        probe_clip(tmp_path / "wide.mp4")


def test_a_codec_that_is_not_known_is_refused(tmp_path: Path) -> None:
    foreign = foreign_clip(tmp_path / "old.mp4", codec="mpeg2video", frames=5)

    with pytest.raises(OutputInvalid, match="encoded in a way"):
        probe_clip(foreign)


@pytest.mark.parametrize(
    ("codec", "name"),
    [("libx264", "a.mp4"), ("libvpx-vp9", "a.webm"), ("mpeg4", "a.mov"), ("libsvtav1", "a.mkv")],
)
def test_other_clips_are_measured_and_do_not_conform(tmp_path: Path, codec: str, name: str) -> None:
    facts = probe_clip(foreign_clip(tmp_path / name, codec=codec, frames=60, rate=30))

    assert (facts.width_px, facts.height_px, facts.frames) == (320, 180, 60)
    assert facts.seconds == 2
    assert facts.frames_per_second == 30
    assert not conforms(facts, 320, 180)


def test_a_clip_in_the_house_s_numbers_from_another_encoder_does_not_conform(tmp_path: Path) -> None:
    facts = probe_clip(foreign_clip(tmp_path / "clip.mp4", codec="libx264", frames=192, rate=24))

    assert (facts.frames, facts.codec) == (192, "h264")
    assert facts.frames_per_second == 24
    assert not conforms(facts, 320, 180)


def test_a_clip_with_sound_does_not_conform(tmp_path: Path) -> None:
    facts = probe_clip(foreign_clip(tmp_path / "clip.mp4", codec="libx264", frames=48, sound=True))

    assert facts.audio_codec == "aac"
