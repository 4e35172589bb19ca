"""A first look at a provider's output: what it refuses no decoder takes, and what it can see it refuses."""

from __future__ import annotations

import io
import random
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from shoal.adapters.outputs.check import STEPS_MAX, check_file, check_head
from shoal.domain.clip import FRAMES_PER_CLIP
from shoal.domain.errors import OutputInvalid
from shoal.domain.job import Job
from shoal.media.picture import inspect_picture
from shoal.media.probe import probe_clip
from tests.fakes.providers.media import MP4, png
from tests.support.factories import a_job, a_video
from tests.support.media_files import clip_bytes, foreign_clip

NOISE = Image.frombytes("RGB", (96, 64), random.Random(7).randbytes(96 * 64 * 3))  # noqa: S311 (a picture)


def picture(file_format: str, **options: bool) -> bytes:
    file = io.BytesIO()
    NOISE.save(file, file_format, **options)
    return file.getvalue()


PREVIEWED = picture("JPEG").replace(b"\xff\xdb", b"\xff\xe1\x00\x0cExif\0\0\xff\xda\xff\xd9\xff\xdb", 1)
"""Its headers hold a preview, with an end marker of its own."""
FILLED = picture("JPEG").replace(b"\xff\xdb", b"\xff\xff\xff\xdb", 1)
"""A marker of its headers has fill bytes before it (ITU-T T.81 B.1.1.2)."""
PICTURES = {
    "png": picture("PNG"),
    "jpeg": picture("JPEG"),
    "progressive": picture("JPEG", progressive=True),
    "previewed": PREVIEWED,
    "filled": FILLED,
    "webp": picture("WEBP"),
    "lossless": picture("WEBP", lossless=True),
}


def check_bytes(job: Job, data: bytes) -> None:
    check_file(job, io.BytesIO(data))


@pytest.mark.parametrize("data", PICTURES.values(), ids=PICTURES)
def test_whole_pictures_pass_and_halves_do_not(data: bytes) -> None:
    check_bytes(a_job(), data)
    check_bytes(a_job(), data + b"what some programs append")
    for cut in (len(data) // 2, len(data) // 4, 100):
        with pytest.raises(OutputInvalid, match="cut off"):
            check_bytes(a_job(), data[: len(data) - cut])


def test_whole_clips_pass_and_cut_ones_do_not(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.mp4"
    foreign_clip(foreign, codec="mpeg4", frames=9, sound=True)
    for data in (clip_bytes(), foreign.read_bytes()):
        check_bytes(a_video(), data)
        check_bytes(a_video(), data + b"what some programs append")
        for cut in (len(data) // 2, 1):
            with pytest.raises(OutputInvalid, match="cut off"):
                check_bytes(a_video(), data[: len(data) - cut])


@pytest.mark.parametrize("data", [b"", b"<html></html>", b"GIF89a", b"\x89PNG", b"{}", MP4, b"RIFF____WAVE"])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(OutputInvalid, match="readable image"):
        check_bytes(a_job(), data)


@pytest.mark.parametrize("data", [b"", b"<html></html>", png(64, 64)])
def test_what_is_no_clip_is_refused(data: bytes) -> None:
    for look in (check_bytes, check_head):
        with pytest.raises(OutputInvalid, match="readable clip"):
            look(a_video(), data)


@pytest.mark.parametrize("size", [(8, 64), (64, 8), (8_193, 16), (0, 0)])
def test_a_picture_of_an_unusable_size_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(OutputInvalid, match="unusable size"):
        check_bytes(a_job(), png(*size))


@pytest.mark.parametrize(
    "box", [b"\x00\x00\x00\x01moov" + (24).to_bytes(8) + bytes(8), b"\x00\x00\x00\x00moov"]
)
def test_a_box_may_tell_its_length_in_eight_bytes_or_reach_to_the_end(box: bytes) -> None:
    check_bytes(a_video(), MP4[:24] + box)


def test_what_is_appended_to_a_clip_does_not_hinder_its_player(tmp_path: Path) -> None:
    file = tmp_path / "appended.mp4"
    file.write_bytes(clip_bytes() + b"what some programs append")

    assert probe_clip(file).frames == FRAMES_PER_CLIP


class Reads(io.BytesIO):
    """Counts how often it is read."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.count += 1
        return super().read(size)


@pytest.mark.parametrize(
    ("job", "data"),
    [
        (a_job(), png(64, 64)[:33] + bytes(12) * 400_000),
        (a_job(), b"\xff\xd8" + b"\xff" * 2_000_000),
        (a_job(), b"\xff\xd8" + b"\xff\xe0\x00\x02" * 500_000),
        (a_video(), MP4 + b"\x00\x00\x00\x08free" * 400_000),
    ],
    ids=["chunks", "fill bytes", "segments", "boxes"],
)
def test_a_flood_of_empty_parts_is_not_followed_to_its_end(job: Job, data: bytes) -> None:
    file = Reads(data)

    with suppress(OutputInvalid):
        check_file(job, file)

    assert file.count <= 2 * STEPS_MAX + 10


@pytest.mark.parametrize("kind", PICTURES)
def test_what_a_decoder_takes_although_its_end_is_missing_passes(kind: str) -> None:
    data = PICTURES[kind]
    for cut in range(40):
        try:
            check_bytes(a_job(), data[: len(data) - cut])
        except OutputInvalid:
            with pytest.raises(OutputInvalid):
                inspect_picture(data[: len(data) - cut])


@given(st.sampled_from([*PICTURES.values(), MP4]), st.randoms(use_true_random=False), st.integers(0, 5))
def test_damage_is_refused_or_passes_and_never_crashes(
    whole: bytes, chance: random.Random, breaks: int
) -> None:
    data = bytearray(whole)
    for _ in range(breaks):
        data[chance.randrange(min(len(data), 80))] = chance.randrange(256)
    del data[chance.randrange(len(data)) :]

    for job in (a_job(), a_video()):
        with suppress(OutputInvalid):
            check_bytes(job, bytes(data))
