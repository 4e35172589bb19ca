"""Pictures as browsers show them: upright, in sRGB, with what is transparent left out of sight."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Final

from PIL import ExifTags, Image, ImageCms, ImageOps

from shoal.domain.errors import OutputInvalid
from shoal.domain.models import media_types as media
from shoal.domain.provider import Measured
from shoal.media.child import in_child
from shoal.media.inspection.signatures import HEAD_BYTES, signature_of
from shoal.media.memory import Memory
from shoal.media.picture_work import SIDE_PX_MAX, SIDE_PX_MIN, check_work, passes_of

FORMATS: Final = ("PNG", "JPEG", "WEBP")
NO_PICTURE: Final = "The provider did not deliver a readable image."
BAD_SIZE: Final = "The provider's image has an unusable size."
PAPER: Final = (255, 255, 255)
"""What shows through where a picture is transparent."""

_TYPES: Final = {"PNG": media.PNG, "WEBP": media.WEBP, "AVIF": media.AVIF}
"""Anything else is a JPEG, also what Pillow calls MPO: one that further ones follow, as many phones write."""
_AVIF: Final = ("AVIF",)
_AVIF_CPU_SECONDS_MAX: Final = 20
_LYING: Final = frozenset({5, 6, 7, 8})
"""EXIF's orientations that swap width and height."""
_SPACES: Final = {"GRAY": "L", "RGB ": "RGB", "CMYK": "CMYK"}
"""Colour spaces of ICC profiles and Pillow's modes that they describe."""
_found: Final = Memory[Measured](entries_max=256)
"""What the last pictures turned out to be, by the SHA-256 of their bytes."""


def inspect_picture(data: bytes) -> Measured:
    """Decode the whole picture, so that a truncated one is found, unless it was decoded just before.

    Raises `OutputInvalid`.
    """
    return _found.recall(hashlib.sha256(data).digest(), lambda: _inspect(data))


def _inspect(data: bytes) -> Measured:
    if signature_of(data[:HEAD_BYTES]) == media.AVIF:  # no marker tells what its coding costs
        return in_child(partial(_measure, data, _AVIF), cpu_seconds_max=_AVIF_CPU_SECONDS_MAX)
    return _measure(data)


def _measure(data: bytes, formats: tuple[str, ...] = FORMATS) -> Measured:
    with _readable(), _decoded(data, formats) as image:
        content_type = _TYPES.get(str(image.format), media.JPEG)
        lying = image.getexif().get(ExifTags.Base.Orientation) in _LYING
        width_px, height_px = reversed(image.size) if lying else image.size
        extension = media.EXTENSIONS[content_type]
        return Measured(content_type, extension, width_px, height_px, size_bytes=len(data))


def read_picture(data: bytes) -> Image.Image:
    """The picture's colours as they are seen, on white paper, in mode RGB. Raises `OutputInvalid`."""
    with _readable():
        with _decoded(data) as image:
            upright = ImageOps.exif_transpose(image)
        del image  # with what its decoder holds: twice the picture and more
        alpha = _alpha(upright)
        shown = _in_srgb(_in_8_bits(upright))
        if alpha is not None:
            shown.paste(PAPER, mask=ImageOps.invert(alpha))
        return shown


@contextmanager
def _readable() -> Iterator[None]:
    """Raises `OutputInvalid` for a picture that turns out to be broken while it is used."""
    try:
        with warnings.catch_warnings():
            # What is odd about a file's notes is not the picture's fault, and its size is looked at anyway.
            warnings.simplefilter("ignore")
            yield
    except (OSError, SyntaxError, ValueError, RuntimeError, Image.DecompressionBombError):
        raise OutputInvalid(NO_PICTURE) from None


@contextmanager
def _decoded(data: bytes, formats: tuple[str, ...] = FORMATS) -> Iterator[Image.Image]:
    passes = passes_of(data) if formats is FORMATS else 1
    with Image.open(io.BytesIO(data), formats=formats) as image:
        if not all(SIDE_PX_MIN <= side <= SIDE_PX_MAX for side in image.size):
            raise OutputInvalid(BAD_SIZE)
        check_work(passes, *image.size)
        image.load()
        yield image


def _alpha(image: Image.Image) -> Image.Image | None:
    """How opaque it is where, None for everywhere."""
    if not image.has_transparency_data:
        return None
    return (image if "A" in image.mode else image.convert("RGBA")).getchannel("A")


def _in_8_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits, which Pillow would cut at 255. Colours of 16 bits it reads as 8."""
    return image.point(lambda level: level * (1 / 256)).convert("L") if image.mode.startswith("I") else image


def _in_srgb(image: Image.Image) -> Image.Image:
    """RGB by the picture's ICC profile. Without one, or with one for other colours, they are sRGB already."""
    mode = {"L": "L", "LA": "L", "1": "L", "CMYK": "CMYK"}.get(image.mode, "RGB")
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info.get("icc_profile") or b""))
        if _SPACES.get(profile.profile.xcolor_space) == mode:
            shown = ImageCms.profileToProfile(image.convert(mode), profile, _srgb(), outputMode="RGB")
            return shown or image.convert("RGB")
    except (OSError, ImageCms.PyCMSError):
        pass  # no profile, or one that nobody could use: browsers pass over it as well
    return image.convert("RGB")


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
