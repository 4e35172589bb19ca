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

from shoal.adapters.outputs.picture_header import SIDE_PX_MAX, SIDE_PX_MIN, check_picture_header
from shoal.domain.errors import OutputInvalid

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
