"""Small files that cost a decoder much, and what each costs its sender and the stage."""

from __future__ import annotations

import io
import struct
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Final, NamedTuple

from PIL import Image

from shoal.adapters.outputs.picture_header import check_picture_header
from shoal.domain.errors import OutputInvalid
from shoal.media.picture import read_picture

SIDE_PX: Final = 8192


class Cost(NamedTuple):
    """One row: what the caller sends, in bytes, and the CPU time it takes of the stage, in milliseconds.

    `decoded_ms` is 0 for what the first look refuses: it is never decoded.
    """

    name: str
    sent_bytes: int
    looked_at_ms: float
    decoded_ms: float


def saved(picture: Image.Image, file_format: str, **options: object) -> bytes:
    """The picture as a file."""
    file = io.BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


@lru_cache
def progressive(side_px: int = SIDE_PX) -> bytes:
    """A plain progressive JPEG."""
    return saved(Image.new("L", (side_px, side_px), 128), "JPEG", progressive=True)


def with_scans(data: bytes, count: int) -> bytes:
    """A progressive JPEG whose last scan is there `count` times more."""
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * count + data[-2:]


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunks(data: bytes, chunks: bytes) -> bytes:
    """A PNG with chunks after its header."""
    return data[:33] + chunks + data[33:]


def empty_png(side_px: int, *, bits: int = 8, colour: int = 2) -> bytes:
    """A PNG of nothing but zeros: a thousandth of what it is decoded to."""
    row = b"\0" + bytes(side_px * bits // 8 * {2: 3, 6: 4}[colour])
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(row) for _ in range(side_px)) + packer.flush()
    head = struct.pack(">IIBBBBB", side_px, side_px, bits, colour, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", packed), chunk(b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def animated_webp(side_px: int, frames: int) -> bytes:
    """A WebP of that many frames."""
    shots = [Image.new("RGB", (side_px, side_px), (level, 0, 0)) for level in (0, 255)]
    data = saved(shots[0], "WEBP", save_all=True, append_images=shots[1:], lossless=True)
    last = data[data.rindex(b"ANMF") :]
    whole = data + last * (frames - 2)
    return whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:]


HOSTILE: Final[Mapping[str, Callable[[], bytes]]] = {
    "JPEG of 1,500 scans": lambda: with_scans(progressive(), 1_500),
    "JPEG of as many scans as pass": lambda: with_scans(progressive(), 14),
    "JPEG of 500 empty headers": lambda: progressive()[:2] + b"\xff\xfe\x00\x02" * 500 + progressive()[2:],
    "PNG of 800,000 empty chunks": lambda: with_chunks(empty_png(16), chunk(b"prVt") * 800_000),
    "PNG of 16 bits and nothing in it": lambda: empty_png(SIDE_PX, bits=16, colour=6),
    "APNG of 3,000 frames": lambda: with_chunks(empty_png(1024), chunk(b"fcTL", bytes(26)) * 3_000),
    "WebP of nothing": lambda: saved(Image.new("RGBA", (SIDE_PX, SIDE_PX)), "WEBP", lossless=True, method=0),
    "WebP of 5,000 frames": lambda: animated_webp(1024, 5_000),
}


def costs() -> list[Cost]:
    """What each of them costs the stage, measured here and now."""
    return [_cost(name, make()) for name, make in HOSTILE.items()]


def _cost(name: str, data: bytes) -> Cost:
    looked_at_ms, passed = _timed(lambda: check_picture_header(data))
    decoded_ms, _ = _timed(lambda: read_picture(data)) if passed else (0.0, False)
    return Cost(name, len(data), looked_at_ms, decoded_ms)


def _timed(work: Callable[[], object]) -> tuple[float, bool]:
    """The CPU time of some work, and whether it came to its end."""
    before, passed = time.process_time(), False
    with suppress(OutputInvalid):
        work()
        passed = True
    return (time.process_time() - before) * 1000, passed
