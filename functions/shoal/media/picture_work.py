"""What a picture costs to decode, told by its markers: nothing is decoded, and no package is needed.

A few hundred bytes are another scan (JPEG), frame (APNG, WebP) or run of empty chunks, and each costs a
decoder as much as the whole picture once more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, TypeVar

from shoal.domain.errors import OutputInvalid

Part = TypeVar("Part", int, bytes)

SIDE_PX_MIN: Final = 16
SIDE_PX_MAX: Final = 8192
WORK_PX_MAX: Final = 20 * SIDE_PX_MAX**2
"""Pixels times scans or frames: half a CPU-second or so. Encoders write 10 scans, the thriftiest some 15."""
PARTS_MAX: Final = 20_000
"""Segments or chunks. A picture of 64 MB has 8,000 of the usual size."""
TOO_MUCH_WORK: Final = "has more scans or frames than its size allows"
TOO_MANY_PARTS: Final = "has too many parts"
UNUSUAL_CODING: Final = "must be a baseline or progressive JPEG"

_PNG_START, _CHUNK_HEAD = 8, 8
_RIFF_START = 12
_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""ITU-T T.81 B.1.1.2: a zero is stuffed after data's 0xFF, and restarts (D0 to D7) are parts of a scan."""
_BARE: Final = frozenset({0x01, 0xD8})
_SCAN, _END = 0xDA, 0xD9
_UNUSUAL: Final = frozenset({0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
"""Lossless, hierarchical and arithmetic frames: few read them, and their scans cost far more."""


def check_work(passes: int, width_px: int, height_px: int) -> None:
    """Raises `OutputInvalid` for a picture of that size which is too much work to decode."""
    if width_px * height_px * passes > WORK_PX_MAX:
        raise OutputInvalid(TOO_MUCH_WORK)


def passes_of(data: bytes) -> int:
    """How often a decoder may go over all pixels of a PNG, JPEG or WebP; at least once.

    Raises `OutputInvalid` for one in more parts than anybody needs, or of a coding that is too slow.
    """
    if data.startswith(b"\xff\xd8"):
        found = sum(marker == _SCAN for marker in _counted(_jpeg_markers(data)))
    elif data.startswith(b"RIFF"):
        found = sum(name == b"ANMF" for name in _counted(_webp_chunks(data)))
    else:
        found = sum(name == b"fcTL" for name in _counted(_png_chunks(data)))
    return max(1, found)


def _counted(parts: Iterator[Part]) -> Iterator[Part]:
    for number, part in enumerate(parts):
        if number == PARTS_MAX:
            raise OutputInvalid(TOO_MANY_PARTS)
        yield part


def _jpeg_markers(data: bytes) -> Iterator[int]:
    """The markers up to the end of the picture, as libjpeg comes to them."""
    at = 0
    while found := _MARKER.search(data, at):
        marker, at = data[found.end() - 1], found.end()
        if marker == _END:
            return
        if marker in _UNUSUAL:
            raise OutputInvalid(UNUSUAL_CODING)
        if marker not in _BARE:
            at += int.from_bytes(data[at : at + 2])
        yield marker


def _png_chunks(data: bytes) -> Iterator[bytes]:
    at = _PNG_START
    while at + _CHUNK_HEAD <= len(data):
        yield data[at + 4 : at + _CHUNK_HEAD]
        at += _CHUNK_HEAD + int.from_bytes(data[at : at + 4]) + 4


def _webp_chunks(data: bytes) -> Iterator[bytes]:
    at = _RIFF_START
    while at + _CHUNK_HEAD <= len(data):
        yield data[at : at + 4]
        length = int.from_bytes(data[at + 4 : at + _CHUNK_HEAD], "little")
        at += _CHUNK_HEAD + length + length % 2
