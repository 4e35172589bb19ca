"""A line or a paragraph of anybody's text, fitted into its room."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import budoux
from PIL import ImageFont

from shoal.media.pango import FONT_FOLDERS, Ink, set_text

TEXT_LENGTH_MAX: Final = 1_000
LINE_PITCH: Final = 1.4
"""Lines of most scripts are this many times their size apart."""
_THAI: Final = re.compile("[\u0e00-\u0e7f]{2,}")
_BETWEEN_HANGUL: Final = re.compile("(?<=[\uac00-\ud7a3])(?=[\uac00-\ud7a3])")
_BREAK, _JOIN = "\u200b", "\u2060"
"""Zero width space and word joiner: where a line may be broken (UAX #14), and where not."""
_JOINERS: Final = "\u200c\u200d"
"""What shapes letters and emoji without being seen."""


def line(text: str, size_px: int, room_px: float, *, language: str = "en") -> Ink | None:
    """The text on one line, shortened with an ellipsis where it is too long; None for nothing to show."""
    return _longest(shown(text), lambda part: set_text(part, size_px, language=language), room_px)


def paragraph(
    text: str, size_px: int, room_px: int, *, lines_max: int, smallest_px: int, language: str = "en"
) -> Ink | None:
    """The text in lines of about equal length; smaller, and at last shortened, where they would be too many.

    None for nothing to show.
    """
    words = shown(text)
    while words:
        ink = _lines(words, size_px, room_px, language)
        if ink.mask.height <= lines_max * LINE_PITCH * size_px:
            return ink
        if size_px > smallest_px:
            size_px = max(smallest_px, size_px * 9 // 10)
        else:
            words = f"{words[: len(words) * 9 // 10].rstrip('… ')}…"
    return None


def shown(text: str) -> str:
    """The text without what no font has, and without controls; runs of white space are one space."""
    whole = unicodedata.normalize("NFC", " ".join(text[:TEXT_LENGTH_MAX].split()))
    return " ".join("".join(char for char in whole if char in _JOINERS or _visible(char)).split())


def _visible(char: str) -> bool:
    return char == " " or (char.isprintable() and _in_fonts(char))


def _longest(text: str, draw: Callable[[str], Ink], room_px: float) -> Ink | None:
    """As much of the text as fits: the length is halved until it is found."""
    if not text:
        return None
    fits = (ink := draw(text)).mask.width <= room_px
    low, high = 0, len(text) - 1
    while not fits and low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if draw(_cut(text, middle)).mask.width <= room_px else (low, middle - 1)
    return ink if fits else draw(_cut(text, low)) if low else None


def _cut(text: str, length: int) -> str:
    """The text's beginning, without half a character at its end."""
    while length and unicodedata.combining(text[length]):
        length -= 1
    return text[:length].rstrip() + "…"


def _lines(text: str, size_px: int, room_px: int, language: str) -> Ink:
    """Lines as narrow as they can be without becoming more; a word wider than the room is cut."""
    marked = _with_breaks(text)
    whole = set_text(marked, size_px, language=language, width_px=room_px)
    if whole.mask.width > room_px:
        return set_text(marked, size_px, language=language, width_px=room_px, break_words=True)
    low, high, height_max = 1, room_px, whole.mask.height + size_px // 2  # less than another line
    while low < high:
        middle = (low + high) // 2
        tried = set_text(marked, size_px, language=language, width_px=middle)
        if tried.mask.width <= room_px and tried.mask.height <= height_max:
            high, whole = middle, tried
        else:
            low = middle + 1
    return whole


def _with_breaks(text: str) -> str:
    """The text with what Pango is not told by Unicode: Thai has no spaces, Korean is broken at its own."""
    thai = _THAI.sub(lambda found: _BREAK.join(_thai().parse(found[0])), text)
    return _BETWEEN_HANGUL.sub(_JOIN, thai)


@lru_cache(maxsize=1)
def _thai() -> budoux.Parser:
    return budoux.load_default_thai_parser()


@lru_cache(maxsize=4096)
def _in_fonts(char: str) -> bool:
    """Whether a font has the character: what it has none for, it draws as it draws what is none."""
    return any(bytes(font.getmask(char)) != absent for font, absent in _fonts())


@lru_cache(maxsize=1)
def _fonts() -> list[tuple[ImageFont.FreeTypeFont, bytes]]:
    """All fonts, the one for Latin, Greek and Cyrillic first, and how each draws what it does not have."""
    files = [path for folder in FONT_FOLDERS for path in sorted(folder.glob("*.tt[fc]"))]
    files.sort(key=lambda path: not path.name.startswith("NotoSans["))
    fonts = [ImageFont.truetype(path, 12, layout_engine=ImageFont.Layout.BASIC) for path in files]
    return [(font, bytes(font.getmask("\U0010ffff"))) for font in fonts]
