"""A first look at what a provider delivered, without the media packages: early enough to ask the next route.

It reads a few headers and refuses wrong kinds, unusable sizes, and files that are cut off so that no decoder
takes them, by PNG's chunks (W3C PNG 5.3), JPEG's end marker (ITU-T T.81 B.1.1.3), the length in WebP's
and WAV's RIFF header, GLB's header and MP4's boxes (ISO 14496-12, 4.2). The whole of it is looked at later,
where outputs are stored.
"""

from __future__ import annotations

import io
from typing import IO

import imagesize

from shoal.domain.errors import OutputInvalid
from shoal.domain.job import Job
from shoal.domain.models import media_types as media
from shoal.media.inspection.signatures import HEAD_BYTES, signature_of, type_of
from shoal.media.picture_work import SIDE_PX_MAX, SIDE_PX_MIN

CUT_OFF = "The provider's output ends before its end: the file is cut off."
BAD_SIZE = "The provider's image has an unusable size."

_PNG_START, _SCAN, _END = 8, 0xDA, b"\xff\xd9"
_CHUNK_HEAD, _BOX_HEAD, _LONG_BOX_HEAD = 8, 8, 16
_CHECKSUMS = 8
"""The chunk's, and before it that of its compressed data (RFC 1950)."""
_CARRIERS = frozenset({b"moov", b"moof", b"mdat"})
"""The boxes that pictures are lost with. What else is at the end, or was appended, players pass over."""

STEPS_MAX = 100_000
"""Chunks, segments or boxes that are looked at. Millions of empty ones would keep us busy for a minute: a
decoder judges what has so many."""
SIZED_BYTES = 8 * 2**20
"""Where the size must be told by: profiles and previews may come before it in a JPEG."""


def check_file(job: Job, file: IO[bytes]) -> None:
    """Raises `OutputInvalid` unless the file looks like an output of the job, and like all of it.

    It is of one of the job's media types, whatever its sender calls it.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(HEAD_BYTES)
    check_head(job, head)
    content_type = signature_of(head)
    if content_type in _WHOLE and not _WHOLE[content_type](file, size):
        raise OutputInvalid(CUT_OFF)
    if media.family_of(content_type) == "image":
        file.seek(0)
        sides = imagesize.get(io.BytesIO(file.read(SIZED_BYTES)))
        if not all(SIDE_PX_MIN <= side <= SIDE_PX_MAX for side in sides):
            raise OutputInvalid(BAD_SIZE)


def check_head(job: Job, head: bytes) -> None:
    """Judge an output by its first 256 bytes alone. Raises `OutputInvalid`."""
    type_of(head, job.brief.allowed)


def _png_whole(file: IO[bytes], size: int) -> bool:
    """Whether each chunk's data is there; without the last one's two checksums and an end it is read too."""
    at = _PNG_START
    for _ in range(STEPS_MAX):
        if at + _CHUNK_HEAD > size:
            break
        file.seek(at)
        length = int.from_bytes(file.read(4))
        if file.read(4) == b"IEND":
            return True
        at += _CHUNK_HEAD + length + 4
        if at - _CHECKSUMS > size:
            return False
    return True


def _jpeg_whole(file: IO[bytes], size: int) -> bool:
    """Whether an end marker follows the first scan: one before it belongs to a preview among the headers."""
    at = 2
    for _ in range(STEPS_MAX):
        if at + 4 > size:
            return False
        file.seek(at)
        marker, length = file.read(2), int.from_bytes(file.read(2))
        if marker[0] != 0xFF:
            return True  # damage, for a decoder to judge
        if marker[1] == _SCAN:
            return _holds(file, _END)
        at += 1 if marker[1] == 0xFF else 2 + length  # a marker may have any number of 0xFF before it
    return True


def _holds(file: IO[bytes], wanted: bytes) -> bool:
    """Whether the bytes are anywhere in the rest of the file."""
    last = b""
    while part := file.read(SIZED_BYTES):
        if wanted in last + part[: len(wanted)] or wanted in part:
            return True
        last = part[-len(wanted) :]
    return False


def _riff_whole(file: IO[bytes], size: int) -> bool:
    file.seek(4)
    return int.from_bytes(file.read(4), "little") + 8 <= size


def _glb_whole(file: IO[bytes], size: int) -> bool:
    file.seek(8)
    return int.from_bytes(file.read(4), "little") <= size


def _mp4_whole(file: IO[bytes], size: int) -> bool:
    """Whether the file reaches to the end of each box that matters, and one tells where the pictures are."""
    at, described = 0, False
    for _ in range(STEPS_MAX):
        if at + _BOX_HEAD > size:
            return described
        file.seek(at)
        length, name = int.from_bytes(file.read(4)), file.read(4)
        described = described or name == b"moov"
        if length == 1:
            length = max(_LONG_BOX_HEAD, int.from_bytes(file.read(8)))
        elif length == 0:
            return described  # to the end of the file
        at += max(_BOX_HEAD, length)
        if at > size:
            return described and name not in _CARRIERS
    return described


_WHOLE = {
    media.PNG: _png_whole,
    media.JPEG: _jpeg_whole,
    media.WEBP: _riff_whole,
    media.WAV: _riff_whole,
    media.MP4: _mp4_whole,
    media.GLB: _glb_whole,
}
