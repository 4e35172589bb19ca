"""A first look at a caller's picture: by its header, whatever the rest is."""

from __future__ import annotations

import io
import random
import struct
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from shoal.adapters.outputs.picture_header import check_picture_header
from shoal.domain.errors import OutputInvalid
from shoal.media.picture_work import SIDE_PX_MAX, SIDE_PX_MIN
from tests.support.hostile.pictures import HOSTILE, animated_webp, costs, progressive, saved, with_scans

FORMATS = ["PNG", "JPEG", "WEBP"]


def picture(file_format: str, size: tuple[int, int] = (64, 48)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size).save(file, file_format)
    return file.getvalue()


def png_of(width_px: int, height_px: int) -> bytes:
    """A PNG that is all header."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("size", [(16, 16), (64, 48), (48, 2_000)])
def test_pictures_of_the_usual_kinds_and_sizes_pass(file_format: str, size: tuple[int, int]) -> None:
    check_picture_header(picture(file_format, size))


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 50}])
def test_a_webp_of_either_kind_passes(options: dict[str, int]) -> None:
    file = io.BytesIO()
    Image.new("RGBA", (64, 40), (1, 2, 3, 4)).save(file, "WEBP", **options)

    check_picture_header(file.getvalue())


@pytest.mark.parametrize("file_format", ["GIF", "BMP", "TIFF", "ICO"])
def test_other_kinds_of_picture_are_refused(file_format: str) -> None:
    with pytest.raises(OutputInvalid, match="PNG, JPEG or WebP"):
        check_picture_header(picture(file_format))


@pytest.mark.parametrize("data", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"GIF89a"])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(OutputInvalid, match="PNG, JPEG or WebP"):
        check_picture_header(data)


@pytest.mark.parametrize("side", [0, 1, SIDE_PX_MIN - 1, SIDE_PX_MAX + 1, 2**31 - 1])
def test_a_side_too_short_or_too_long_is_refused_without_decoding(side: int) -> None:
    for width_px, height_px in ((side, 64), (64, side)):
        with pytest.raises(OutputInvalid, match="16 to 8192 pixels"):
            check_picture_header(png_of(width_px, height_px))
    check_picture_header(png_of(SIDE_PX_MAX, SIDE_PX_MIN))


@given(st.sampled_from(FORMATS), st.randoms(use_true_random=False), st.integers(0, 5))
def test_a_broken_header_is_refused_or_passes_and_never_crashes(
    file_format: str, chance: random.Random, breaks: int
) -> None:
    data = bytearray(picture(file_format))
    for _ in range(breaks):
        data[chance.randrange(3, len(data))] = chance.randrange(256)
    del data[chance.randrange(len(data)) :]

    with suppress(OutputInvalid):
        check_picture_header(bytes(data))


@pytest.mark.parametrize("side_px", [64, 1024, SIDE_PX_MAX])
def test_a_picture_as_encoders_write_it_passes(side_px: int) -> None:
    check_picture_header(progressive(side_px))
    check_picture_header(animated_webp(64, 100))
    check_picture_header(saved(Image.effect_noise((800, 600), 90), "JPEG", progressive=True))


@pytest.mark.parametrize("name", [name for name in HOSTILE if "00" in name and "headers" not in name])
def test_small_files_of_much_work_are_refused_without_decoding(name: str) -> None:
    with pytest.raises(OutputInvalid, match=r"more scans or frames|too many parts"):
        check_picture_header(HOSTILE[name]())


def test_what_a_picture_costs_is_bounded_whatever_its_sender_wrote() -> None:
    """An honest picture of the largest size costs about as much as the worst that passes."""
    worst = {cost.name: cost for cost in costs()}
    honest = worst["JPEG of 500 empty headers"].decoded_ms

    for cost in worst.values():
        print(
            f"{cost.name:36} {cost.sent_bytes:>10,} B : {cost.looked_at_ms:6.1f} + {cost.decoded_ms:7.1f} ms"
        )
        assert cost.looked_at_ms < max(50, honest)
        assert cost.decoded_ms < 20 * honest


def test_scans_are_counted_as_a_decoder_finds_them() -> None:
    """A preview among the headers is none, nor are bytes after the end; fill bytes hide none."""
    data = progressive(4096)
    preview = b"\xff\xe1" + struct.pack(">H", 2 + 400) + b"\xff\xda\0\x02" * 100
    check_picture_header(data[:2] + preview + data[2:])
    check_picture_header(data + b"\xff\xda\0\x02" * 1_000)

    filled = with_scans(data, 100).replace(b"\xff\xda", b"\xff\xff\xff\xda")
    with pytest.raises(OutputInvalid, match="more scans"):
        check_picture_header(filled)


@pytest.mark.parametrize("frame", [0xC3, 0xC9, 0xCA])
def test_jpegs_that_nobody_reads_quickly_are_refused(frame: int) -> None:
    data = progressive(64).replace(b"\xff\xc2", bytes((0xFF, frame)), 1)

    with pytest.raises(OutputInvalid, match="baseline or progressive"):
        check_picture_header(data)


def test_the_size_must_stand_within_the_first_quarter_of_a_megabyte() -> None:
    data, note = progressive(64), b"\xff\xe2\xff\xff" + bytes(0xFFFD)
    check_picture_header(data[:2] + note * 3 + data[2:])

    with pytest.raises(OutputInvalid, match="pixels on each side"):
        check_picture_header(data[:2] + note * 4 + data[2:])
