"""What the fakes deliver: small, and real enough to be recognised."""

from __future__ import annotations

import math
import struct
import zlib

MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"\x00\x00\x00\x08moov"
"""The boxes a clip cannot lack, empty: enough to be told from a page or a picture."""


def png(width_px: int, height_px: int, shade: int = 128) -> bytes:
    """A picture of one grey."""
    row = b"\x00" + bytes([shade]) * width_px
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(kind, data)
        for kind, data in (
            (b"IHDR", struct.pack(">IIBBBBB", width_px, height_px, 8, 0, 0, 0, 0)),
            (b"IDAT", zlib.compress(row * height_px)),
            (b"IEND", b""),
        )
    )


def pcm(seconds: float, rate_hz: int = 24_000) -> bytes:
    """A tone of 440 Hz, 16 bit, one channel."""
    return b"".join(
        struct.pack("<h", int(8000 * math.sin(2 * math.pi * 440 * at / rate_hz)))
        for at in range(int(seconds * rate_hz))
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
