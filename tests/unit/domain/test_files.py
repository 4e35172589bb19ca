"""What a file is by its bytes, what an input may be named by, and how much an account keeps."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from fractions import Fraction

import av
import pytest
from PIL import Image

from shoal.domain.errors import OutputInvalid, TooManyFiles
from shoal.domain.files.address import data_of, file_ulid, is_data_uri, is_file_id, is_on_web
from shoal.domain.files.file import COUNTED_BYTES_MIN, HOUR_MS, LIFETIME_MS, File, Kept, counted
from shoal.domain.files.kinds import MEDIA_BYTES_MAX, PICTURE_BYTES_MAX, TYPES, bytes_max, type_of

ULID = "01JD7Q3V9GM8T2XKZ5N4R6W0YB"
NOW_MS = 1_800_000_000_000


def picture(name: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), (10, 20, 30)).save(file, name)
    return file.getvalue()


def sound(container: str, codec: str, rate: int = 48_000) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as target:
        stream = target.add_stream(codec, rate=rate)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        for number in range(20):
            frame = av.AudioFrame(format=stream.format.name, layout="mono", samples=stream.frame_size or 1024)
            frame.rate, frame.pts = rate, number * (stream.frame_size or 1024)
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return file.getvalue()


def clip(container: str, codec: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as target:
        stream = target.add_stream(codec, rate=10)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for number in range(3):
            frame = av.VideoFrame(64, 64, "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return file.getvalue()


MADE: dict[str, Callable[[], bytes]] = {
    "image/png": lambda: picture("PNG"),
    "image/jpeg": lambda: picture("JPEG"),
    "image/webp": lambda: picture("WEBP"),
    "video/mp4": lambda: clip("mp4", "mpeg4"),
    "video/quicktime": lambda: clip("mov", "mpeg4"),
    "video/webm": lambda: clip("webm", "libvpx"),
    "audio/mpeg": lambda: sound("mp3", "libmp3lame"),
    "audio/wav": lambda: sound("wav", "pcm_s16le"),
    "audio/ogg": lambda: sound("ogg", "libopus"),
    "audio/flac": lambda: sound("flac", "flac"),
    "model/gltf-binary": lambda: b"glTF\x02\x00\x00\x00\x0c\x00\x00\x00",
}


@pytest.mark.parametrize("content_type", TYPES)
def test_a_file_is_known_by_its_bytes(content_type: str) -> None:
    assert type_of(MADE[content_type]()[:64]) == content_type


def test_sound_without_a_tag_is_known_by_its_first_frame() -> None:
    assert type_of(b"\xff\xfb\x90\x00" + bytes(400)) == "audio/mpeg"


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"\x89PNG",
        b"<svg xmlns='http://www.w3.org/2000/svg'>",
        b"<!doctype html>",
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"GIF89a",
        b"RIFF\x00\x00\x00\x00AVI ",
        b"\x00\x00\x00\x20ftypheic",
        b"\x00\x00\x00\x20ftypavif",
        b"\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska",
        b"glTF\x01\x00\x00\x00",
        b"\xff\xff\xff\xff",
        b"\xff\xf1\x50\x80",
        b"words",
    ],
)
def test_what_is_not_kept_is_no_type(start: bytes) -> None:
    assert type_of(start) is None


def test_pictures_are_smaller_than_the_rest() -> None:
    assert {bytes_max(each) for each in TYPES if each.startswith("image/")} == {PICTURE_BYTES_MAX}
    assert {bytes_max(each) for each in TYPES if not each.startswith("image/")} == {MEDIA_BYTES_MAX}


@pytest.mark.parametrize(
    "head", ["data:image/png;base64,", "data:;base64,", "DATA:text/plain;charset=x;Base64,"]
)
def test_a_data_uri_holds_its_bytes_whatever_it_says_they_are(head: str) -> None:
    assert data_of(head + base64.b64encode(b"shark").decode(), 5) == b"shark"


@pytest.mark.parametrize(
    "address",
    [
        "data:",
        "data:,words",
        "data:image/png,words",
        "data:;base64,c2hhcms",
        "data:;base64,c2h hcms=",
        "data:;base64,é",
    ],
)
def test_what_is_no_base64_is_refused(address: str) -> None:
    with pytest.raises(OutputInvalid, match="base64"):
        data_of(address, 100)


def test_the_head_of_a_data_uri_is_looked_for_where_it_may_be() -> None:
    with pytest.raises(OutputInvalid, match="base64"):
        data_of("data:" + ";" * 5_000_000 + ";base64,c2hhcms=", 10_000_000)


def test_a_data_uri_has_a_limit() -> None:
    address = "data:;base64," + base64.b64encode(bytes(11)).decode()
    with pytest.raises(OutputInvalid, match="at most 10 bytes"):
        data_of(address, 10)
    with pytest.raises(OutputInvalid, match="at most 10 bytes"):
        data_of("data:;base64," + "?" * 1_000, 10)
    assert data_of(address, 11) == bytes(11)


def test_addresses_files_and_data_are_told_apart() -> None:
    assert is_on_web("https://example.com/file_1")
    assert is_data_uri("Data:;base64,AA==")
    assert is_file_id("file_1")
    assert file_ulid(f"file_{ULID}") == ULID
    assert [file_ulid(each) for each in ("file_1", f"job_{ULID}", f"file_{ULID}x")] == [None] * 3


def a_file(size_bytes: int, at_ms: int = NOW_MS) -> File:
    return File(f"file_{ULID}", "acc_1", False, "x", "image/png", size_bytes, counted(size_bytes), at_ms)


def test_an_account_keeps_so_many_bytes_and_no_more() -> None:
    kept = Kept().with_file(a_file(600_000), 1_000_000).with_file(a_file(400_000), 1_000_000)

    assert kept.bytes_at(NOW_MS) == 1_000_000
    with pytest.raises(TooManyFiles) as refused:
        kept.with_file(a_file(1), 1_000_000)
    assert refused.value.details == {"kept_bytes": 1_000_000, "kept_bytes_max": 1_000_000}


def test_the_smallest_file_counts_too() -> None:
    assert Kept().with_file(a_file(1), 1_000_000).bytes_at(NOW_MS) == COUNTED_BYTES_MIN


def test_bytes_are_free_again_once_every_file_of_their_hour_has_expired() -> None:
    late_ms = (NOW_MS // HOUR_MS + 1) * HOUR_MS - 1
    kept = Kept().with_file(a_file(900_000, late_ms), 1_000_000)
    gone_ms = late_ms + 1 + LIFETIME_MS

    assert kept.bytes_at(gone_ms - 1) == 900_000
    with pytest.raises(TooManyFiles):
        kept.with_file(a_file(900_000, gone_ms - 1), 1_000_000)
    assert kept.with_file(a_file(900_000, gone_ms), 1_000_000).by_hour == {gone_ms // HOUR_MS: 900_000}
