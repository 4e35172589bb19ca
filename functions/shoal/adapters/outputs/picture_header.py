"""A first look at a picture by its header alone: API functions carry no media packages for a closer one."""

from __future__ import annotations

import io

import imagesize

from shoal.domain.errors import OutputInvalid
from shoal.media.picture_work import SIDE_PX_MAX, SIDE_PX_MIN, check_work, passes_of

START_BYTES = 12
"""What a signature takes."""
HEADER_BYTES = 256 * 1024
"""Where the size must be told by: what cameras write before it is far shorter."""
_SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")


def check_picture_start(data: bytes) -> None:
    """Raises `OutputInvalid` unless the first 12 bytes carry the signature of a PNG, JPEG or WebP."""
    if not (data.startswith(_SIGNATURES) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")):
        raise OutputInvalid("must be a PNG, JPEG or WebP picture")


def check_picture_header(data: bytes) -> None:
    """Raises `OutputInvalid` unless the bytes begin like a PNG, JPEG or WebP of a usable size.

    And unless it can be decoded in a bounded time, by what its markers tell.
    """
    check_picture_start(data)
    width_px, height_px = imagesize.get(io.BytesIO(data[:HEADER_BYTES]))
    if not all(SIDE_PX_MIN <= side <= SIDE_PX_MAX for side in (width_px, height_px)):
        raise OutputInvalid(f"must be {SIDE_PX_MIN} to {SIDE_PX_MAX} pixels on each side")
    check_work(passes_of(data), width_px, height_px)
