"""How many samples an MP4 or MOV says it has, told by its boxes (ISO 14496-12) before a decoder believes it.

A table of samples of one size is a few bytes, however many samples it is for; a demuxer sets memory aside for
each of them when it opens the file: four gigabytes for a file of two kilobytes.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO, Final

from shoal.domain.errors import OutputInvalid

SAMPLES_MAX: Final = 4_000_000
"""Of all tracks together, some 200 MB of index: more than a minute of sound that is not even compressed."""
BOXES_MAX: Final = 100_000
_FOLDERS: Final = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf"})
_COUNTS: Final = {b"stsz": 8, b"stz2": 8, b"trun": 4}
"""Boxes that tell how many samples there are, and how far behind their head."""
_HEAD, _LONG_HEAD = 8, 16


def check_samples(file: IO[bytes]) -> None:
    """Raises `OutputInvalid` for a file of more samples, or boxes, than anybody needs."""
    samples, size = 0, file.seek(0, io.SEEK_END)
    for number, (name, at) in enumerate(_boxes(file, size)):
        if name in _COUNTS:
            file.seek(at + _COUNTS[name])
            samples += int.from_bytes(file.read(4))
        if samples > SAMPLES_MAX or number > BOXES_MAX:
            raise OutputInvalid("The file says that it has too many pictures or sounds.")


def _boxes(file: IO[bytes], size: int) -> Iterator[tuple[bytes, int]]:
    """The name of each box, and where its content begins; what is in a box comes after it."""
    at = 0
    while at + _HEAD <= size:
        file.seek(at)
        length, name, head = int.from_bytes(file.read(4)), file.read(4), _HEAD
        if length == 1:
            length, head = int.from_bytes(file.read(8)), _LONG_HEAD
        yield name, at + head
        if name in _FOLDERS:
            at += head
        elif length:
            at += max(length, head)
        else:
            return  # to the end of the file
