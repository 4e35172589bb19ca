"""Words on moving pictures: a subtitle that can be read on anything, and a small label in a corner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PIL import Image, ImageFilter, ImageOps

from shoal.media.canvas import Box
from shoal.media.typesetting import line, paragraph

BLACK: Final = 16
WHITE: Final = 235
COLOURLESS: Final = 128
"""Levels of luma, and of chroma, in limited range."""
SIDE_MARGIN: Final = 0.08
"""Share of the width left free on either side; what the sides of players and feeds cover."""
BOTTOM_MARGIN: Final = 0.12
"""Share of the height left free below the subtitle."""
LINES_MAX: Final = 5


class Lettering:
    """Text to lay over the planes of every frame of a clip; drawn once."""

    def __init__(
        self,
        width_px: int,
        height_px: int,
        *,
        subtitle: str | None = None,
        language: str = "en",
        label: str | None = None,
    ) -> None:
        """What no font has is left out; a subtitle made of such shows nothing."""
        self._ink = Image.new("L", (width_px, height_px))
        self._edge = self._ink.copy()
        if subtitle:
            self._subtitle(subtitle, language)
        if label:
            self._label(label)
        self._box = _on_chroma(self._edge.getbbox())
        self._ink, self._edge = self._ink.crop(self._box), self._edge.crop(self._box)
        self._chroma = self._edge.reduce(2)

    def onto(self, planes: Sequence[Image.Image]) -> None:
        """Lay the text over a frame's luma and chroma planes."""
        if self._box is None:
            return
        luma, *chroma = planes
        luma.paste(BLACK, self._box, self._edge)
        luma.paste(WHITE, self._box, self._ink)
        left, top, right, bottom = (edge // 2 for edge in self._box)
        for plane in chroma:
            plane.paste(COLOURLESS, (left, top, right, bottom), self._chroma)

    def _subtitle(self, text: str, language: str) -> None:
        width, height = self._ink.size
        room, size = round(width * (1 - 2 * SIDE_MARGIN)), max(10, round(min(width, height) * 0.056))
        ink = paragraph(text, size, room, lines_max=LINES_MAX, smallest_px=10, language=language)
        if ink is not None:
            left, below = (width - ink.mask.width) // 2, round(height * (1 - BOTTOM_MARGIN) + size * 0.2)
            self._write(ink.mask, left, below - ink.mask.height, size)

    def _label(self, text: str) -> None:
        width, height = self._ink.size
        size = max(9, round(min(width, height) * 0.022))
        ink = line(text, size, width - 2.8 * size)
        if ink is not None:
            left, below = round(width - size * 1.4) - ink.mask.width, round(height - size * 1.3)
            self._write(ink.mask, left, below - ink.mask.height, size)

    def _write(self, mask: Image.Image, left: int, top: int, size: int) -> None:
        """White letters on a dark rim, which follows their shapes."""
        rim = max(1, size // 9)
        grown = ImageOps.expand(mask, 2 * rim).filter(ImageFilter.GaussianBlur(rim * 0.6))
        self._edge.paste(
            grown.point([min(225, level * 6) for level in range(256)]), (left - 2 * rim, top - 2 * rim)
        )
        self._ink.paste(mask, (left, top))


def _on_chroma(box: Box | None) -> Box | None:
    """The box with its edges on whole chroma samples, which are two pixels wide."""
    if box is None:
        return None
    left, top, right, bottom = box
    return left // 2 * 2, top // 2 * 2, -(-right // 2) * 2, -(-bottom // 2) * 2
