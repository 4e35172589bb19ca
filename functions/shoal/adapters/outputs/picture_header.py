"""A first look at a picture by its header alone: API functions carry no media packages for a closer one."""

from __future__ import annotations

import io

import imagesize

from shoal.domain.errors import OutputInvalid

SIDE_PX_MIN = 16
SIDE_PX_MAX = 8192
_SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")


def check_picture_header(data: bytes) -> None:
    """Raises `OutputInvalid` unless the bytes begin like a PNG, JPEG or WebP of a usable size."""
    if not (data.startswith(_SIGNATURES) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")):
        raise OutputInvalid("must be a PNG, JPEG or WebP picture")
    width_px, height_px = imagesize.get(io.BytesIO(data))
    if not all(SIDE_PX_MIN <= side <= SIDE_PX_MAX for side in (width_px, height_px)):
        raise OutputInvalid(f"must be {SIDE_PX_MIN} to {SIDE_PX_MAX} pixels on each side")
