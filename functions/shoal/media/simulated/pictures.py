"""What the simulator makes of a caller's picture: larger, cut out, or of another type."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image, ImageChops

from shoal.domain.errors import OutputInvalid, ProviderRejected
from shoal.domain.models import media_types as media
from shoal.media.picture import read_picture
from shoal.media.picture_work import SIDE_PX_MAX

SCALE: Final = 2
"""How much larger a picture becomes where no size is asked for."""
_NEAR, _FAR = 24, 72
"""Levels from the corner's colour: nearer ones are background, farther ones are not."""
_FORMATS: Final = {media.PNG: "PNG", media.JPEG: "JPEG", media.WEBP: "WEBP", media.AVIF: "AVIF"}


def size_of(picture: bytes) -> tuple[int, int]:
    """Width and height in pixels, as it is seen. Raises `ProviderRejected`."""
    return _read(picture).size


def enlarge(picture: bytes, width_px: int, height_px: int) -> bytes:
    """The picture at a size, or twice as large without one; as PNG. Raises `ProviderRejected`."""
    image = _read(picture)
    size = width_px or image.width * SCALE, height_px or image.height * SCALE
    bounded = min(SIDE_PX_MAX, size[0]), min(SIDE_PX_MAX, size[1])
    return _saved(image.resize(bounded, Image.Resampling.LANCZOS), media.PNG)


def cut_out(picture: bytes) -> bytes:
    """The picture with what has the colour of its first corner made transparent; as PNG.

    Raises `ProviderRejected`.
    """
    image = _read(picture)
    corner = Image.new("RGB", image.size, image.getpixel((0, 0)))
    distance = ImageChops.difference(image, corner).convert("L")
    share = 255 / (_FAR - _NEAR)
    image.putalpha(distance.point([max(0, min(255, round((level - _NEAR) * share))) for level in range(256)]))
    return _saved(image, media.PNG)


def as_type(png: bytes, content_type: str) -> bytes:
    """A PNG of our own as a picture of another type."""
    if content_type == media.PNG:
        return png
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        return _saved(image.convert("RGB") if content_type == media.JPEG else image, content_type)


def _read(picture: bytes) -> Image.Image:
    try:
        return read_picture(picture)
    except OutputInvalid:
        raise ProviderRejected("A picture to edit could not be read.") from None


def _saved(image: Image.Image, content_type: str) -> bytes:
    file = io.BytesIO()
    options = {"compress_level": 1} if content_type == media.PNG else {}
    image.save(file, _FORMATS[content_type], **options)
    return file.getvalue()
