"""Words on moving pictures: a subtitle that can be read on anything, and a small label in a corner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from PIL import Image, ImageDraw, ImageFont

from shoal.media.canvas import Box
from shoal.media.drawing import readable

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
        self, width_px: int, height_px: int, *, subtitle: str | None = None, label: str | None = None
    ) -> None:
        """Letters that the font lacks are left out; a subtitle made of such shows nothing."""
        self._ink = Image.new("L", (width_px, height_px))
        self._edge = self._ink.copy()
        if subtitle:
            self._subtitle(subtitle)
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

    def _subtitle(self, text: str) -> None:
        width, height = self._ink.size
        room = width * (1 - 2 * SIDE_MARGIN)
        size = max(10, round(min(width, height) * 0.056))
        lines = wrap(text, room, font := _font(size))
        while len(lines) > LINES_MAX and size > 10:
            size = max(10, size * 9 // 10)
            lines = wrap(text, room, font := _font(size))
        pitch = round(size * 1.28)
        for row, line in enumerate(reversed(lines[-LINES_MAX:])):
            self._write(line, (width / 2, height * (1 - BOTTOM_MARGIN) - row * pitch), font, size, "ms")

    def _label(self, text: str) -> None:
        width, height = self._ink.size
        size = max(9, round(min(width, height) * 0.022))
        self._write(text, (width - size * 1.4, height - size * 1.3), _font(size), size, "rs")

    def _write(
        self, text: str, at: tuple[float, float], font: ImageFont.FreeTypeFont, size: int, anchor: str
    ) -> None:
        """White letters, thickened a little because the font is light, on a dark rim."""
        bold, rim = max(0, size // 40), max(1, size // 9)
        ImageDraw.Draw(self._edge).text(at, text, 225, font, anchor, stroke_width=rim + bold, stroke_fill=225)
        ImageDraw.Draw(self._ink).text(at, text, 255, font, anchor, stroke_width=bold, stroke_fill=255)


def _on_chroma(box: Box | None) -> Box | None:
    """The box with its edges on whole chroma samples, which are two pixels wide."""
    if box is None:
        return None
    left, top, right, bottom = box
    return left // 2 * 2, top // 2 * 2, -(-right // 2) * 2, -(-bottom // 2) * 2


def wrap(text: str, room_px: float, font: ImageFont.FreeTypeFont) -> list[str]:
    """The text in lines of about equal length that fit; a word that is too long alone is cut."""
    words = [_cut(word, room_px, font) for word in readable(text, font).split()]
    lines = _fill(words, room_px, font)
    if len(lines) < 2:
        return lines
    even = sum(map(font.getlength, lines)) / len(lines)
    while even < room_px:  # widen from the mean until the text needs no more lines than it must
        balanced = _fill(words, even, font)
        if len(balanced) <= len(lines):
            return balanced
        even += font.size
    return lines


def _fill(words: Sequence[str], room_px: float, font: ImageFont.FreeTypeFont) -> list[str]:
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= room_px:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _cut(word: str, room_px: float, font: ImageFont.FreeTypeFont) -> str:
    while font.getlength(word) > room_px:
        word = word[:-2] + "…"
    return word


def _font(size: int) -> ImageFont.FreeTypeFont:
    """The pictures' own font, laid out by the engine that is on every machine."""
    font = cast(ImageFont.FreeTypeFont, ImageFont.load_default(size))
    return font.font_variant(layout_engine=ImageFont.Layout.BASIC)
