"""The simulator's edits: a caller's picture in the mood that prompt and seed give."""

import hashlib
import io
from collections.abc import Sequence
from random import Random
from typing import Final

from PIL import Image, ImageOps

from shoal.domain.errors import OutputInvalid, ProviderRejected
from shoal.media.canvas import PALETTES, Canvas
from shoal.media.drawing import caption
from shoal.media.picture import read_picture
from shoal.media.words import count

STRENGTH: Final = 0.65
"""How much of the edit shows over the original."""


def edit(*, pictures: Sequence[bytes], prompt: str, seed: int, width_px: int, height_px: int) -> bytes:
    """The PNG of an edit, the same bytes every time. More pictures than one are laid side by side.

    Raises `ProviderRejected` for a picture that cannot be read.
    """
    digest = hashlib.sha256(f"{seed}:{prompt}".encode("utf-8", "surrogatepass")).digest()
    rng, text = Random(int.from_bytes(digest)), prompt.casefold()  # noqa: S311 - art, not secrets
    asked = [name for name, palette in PALETTES.items() if count(palette.words, text)]
    palette = PALETTES[rng.choice(asked or sorted(PALETTES))]
    canvas = Canvas(width_px, height_px, rng, palette)
    original = _side_by_side(pictures, width_px, height_px)
    toned = ImageOps.colorize(
        ImageOps.autocontrast(original.convert("L")), palette.shade, palette.light, mid=palette.sky[2]
    )
    canvas.image = Image.blend(original, toned, STRENGTH)
    canvas.finish()
    caption(canvas, prompt)
    file = io.BytesIO()
    canvas.image.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _side_by_side(pictures: Sequence[bytes], width_px: int, height_px: int) -> Image.Image:
    whole = Image.new("RGB", (width_px, height_px))
    for place, data in enumerate(pictures):
        left, right = (width_px * edge // len(pictures) for edge in (place, place + 1))
        whole.paste(ImageOps.fit(_read(data), (max(1, right - left), height_px)), (left, 0))
    return whole


def _read(data: bytes) -> Image.Image:
    try:
        return read_picture(data)
    except OutputInvalid:
        raise ProviderRejected("A picture to edit could not be read.") from None
