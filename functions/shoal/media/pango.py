"""Text as a picture, in any script: Pango shapes it, orders it by direction and breaks it into lines.

Pango comes inside libvips, whose wheel brings a C interface for a client that is only there as source; the
one operation that is needed here is called through that interface. Nothing of the machine's own fonts and
settings is used, so that the same text gives the same picture everywhere.
"""

from __future__ import annotations

import html
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import _libvips
import manimgx_fonts
import manimgx_fonts_cjk
from PIL import Image

FONT_FOLDERS: Final = tuple(
    Path(str(package.__file__)).parent for package in (manimgx_fonts, manimgx_fonts_cjk)
)
HAN: Final = {"ja": "JP", "ko": "KR", "zh-hk": "HK", "yue": "HK", "zh-tw": "TC", "zh-hant": "TC"}
"""Where a language writes Chinese characters in shapes of its own; elsewhere they are simplified Chinese."""
WEIGHT: Final = 600
"""Of 100 to 900: half bold, for letters that are small or lie on moving pictures."""
_CONFIG: Final = "FONTCONFIG_FILE"
_STRING: Final = 16 << 2
"""GLib's G_TYPE_STRING."""


class Ink(NamedTuple):
    """Text as grey levels, cut to its ink, and where that begins, from the first line's top left corner."""

    mask: Image.Image
    left_px: int
    top_px: int


def set_text(
    text: str, size_px: int, *, language: str = "en", width_px: int = 0, break_words: bool = False
) -> Ink:
    """The text in lines of at most that width, each centred; 0 for one line.

    A word that is wider is cut where `break_words`, and else reaches out. ValueError for a text without ink.
    """
    _start()
    font = f"Noto Sans, Noto Sans CJK {_han(language)} {size_px}"
    lines = f"align=centre,width={width_px},wrap={'word-char' if break_words else 'word'}"
    return _drawn(f'dpi=72,font="{font}",{lines}', f"<span weight='{WEIGHT}'>{html.escape(text)}</span>")


def _han(language: str) -> str:
    tag = language.lower()
    return HAN.get(tag) or HAN.get(tag.partition("-")[0], "SC")


def _drawn(options: str, markup: str) -> Ink:
    ffi, lib = _libvips.ffi, _libvips.lib
    operation = lib.vips_operation_new(b"text")
    try:
        _set_string(operation, "text", markup)
        lib.vips_object_set_from_string(ffi.cast("VipsObject*", operation), options.encode())
        built = lib.vips_cache_operation_build(operation)
    finally:
        lib.g_object_unref(operation)
    if built == ffi.NULL:
        problem = ffi.string(lib.vips_error_buffer()).decode("utf-8", "replace")
        lib.vips_error_clear()
        raise ValueError(problem)
    try:
        return _ink(built)
    finally:
        lib.vips_object_unref_outputs(ffi.cast("VipsObject*", built))
        lib.g_object_unref(built)


def _set_string(operation: Any, name: str, text: str) -> None:
    ffi, lib = _libvips.ffi, _libvips.lib
    value = ffi.new("GValue*")
    lib.g_value_init(value, _STRING)
    lib.g_value_set_string(value, text.encode())
    lib.g_object_set_property(ffi.cast("GObject*", operation), name.encode(), value)
    lib.g_value_unset(value)


def _ink(operation: Any) -> Ink:
    ffi, lib = _libvips.ffi, _libvips.lib
    value = ffi.new("GValue*")
    lib.g_value_init(value, lib.vips_type_find(b"VipsObject", b"image"))
    lib.g_object_get_property(ffi.cast("GObject*", operation), b"out", value)
    picture = ffi.cast("VipsImage*", lib.g_value_get_object(value))
    size = ffi.new("size_t*")
    pixels = lib.vips_image_write_to_memory(picture, size)
    facts = {name: _number(picture, name) for name in ("width", "height", "xoffset", "yoffset")}
    mask = Image.frombytes("L", (facts["width"], facts["height"]), bytes(ffi.buffer(pixels, size[0])))
    lib.g_free(pixels)
    lib.g_value_unset(value)
    return Ink(mask, facts["xoffset"], facts["yoffset"])


def _number(picture: Any, name: str) -> int:
    ffi, lib = _libvips.ffi, _libvips.lib
    value = ffi.new("GValue*")
    lib.vips_image_get(picture, name.encode(), value)
    number = int(lib.g_value_get_int(value))
    lib.g_value_unset(value)
    return number


@lru_cache(maxsize=1)
def _start() -> None:
    """Start libvips with the fonts it brings to paper, which takes a tenth of a second."""
    with _fonts():
        if _libvips.lib.vips_init(b"shoal"):
            raise RuntimeError("libvips could not be started.")
        _libvips.lib.vips_cache_set_max(0)
        _drawn("", ".")


@contextmanager
def _fonts() -> Iterator[None]:
    """Where fontconfig reads which fonts there are, once; what others start finds their own again."""
    folders = "".join(f"<dir>{html.escape(str(folder))}</dir>" for folder in FONT_FOLDERS)
    before = os.environ.get(_CONFIG)
    with TemporaryDirectory() as folder:
        config = Path(folder) / "fonts.conf"
        config.write_text(f"<fontconfig>{folders}</fontconfig>", encoding="utf-8")
        os.environ[_CONFIG] = str(config)
        try:
            yield
        finally:
            del os.environ[_CONFIG]
            if before is not None:
                os.environ[_CONFIG] = before
