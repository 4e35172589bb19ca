"""Files of every type that outputs may have, small, as foreign programs write them."""

from __future__ import annotations

import io
import json
import math
import zipfile
from array import array
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import av
from PIL import Image

from shoal.domain.models import media_types as media
from shoal.media.sound import RATE_HZ, frames_of
from tests.support.media_files import clip_bytes, foreign_clip

_CODECS: Final = {
    media.MP3: ("mp3", "libmp3lame"),
    media.WAV: ("wav", "pcm_s16le"),
    media.OGG: ("ogg", "libopus"),
    media.FLAC: ("flac", "flac"),
}
SOUNDS: Final = tuple(_CODECS)


@lru_cache
def sound(content_type: str, seconds: float = 1.0, codec: str = "", channels: str = "mono") -> bytes:
    """A hum of some seconds at 48 kHz."""
    container_format, usual = _CODECS[content_type]
    samples = array("h", (round(9_000 * math.sin(at / 35)) for at in range(round(seconds * RATE_HZ))))
    file = io.BytesIO()
    with av.open(file, "w", container_format) as container:
        stream = container.add_stream(codec or usual, rate=RATE_HZ, layout=channels)
        assert isinstance(stream, av.AudioStream)
        for frame in frames_of(samples.tobytes()):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def picture(file_format: str, width_px: int = 64, height_px: int = 48) -> bytes:
    file = io.BytesIO()
    noise = Image.effect_noise((width_px, height_px), 60).convert("RGB")
    noise.save(file, file_format)
    return file.getvalue()


def glb(told: Mapping[str, Any] | None = None, binary: bytes = bytes(12)) -> bytes:
    """A binary glTF of a document, which is that of its one buffer unless told."""
    document = (
        {"asset": {"version": "2.0"}, "buffers": [{"byteLength": len(binary)}]} if told is None else told
    )
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    body = len(text).to_bytes(4, "little") + b"JSON" + text
    body += len(binary).to_bytes(4, "little") + b"BIN\x00" + binary if binary else b""
    return b"glTF\x02\x00\x00\x00" + (12 + len(body)).to_bytes(4, "little") + body


def archive(files: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as writer:
        for name, data in files.items():
            writer.writestr(name, data)
    return file.getvalue()


@lru_cache
def webm(frames: int = 30) -> bytes:
    with TemporaryDirectory() as folder:
        return foreign_clip(Path(folder, "clip.webm"), codec="libvpx", frames=frames).read_bytes()


def one_of_each() -> dict[str, bytes]:
    """A whole file of every type that is allowed."""
    return {
        media.PNG: picture("PNG"),
        media.JPEG: picture("JPEG"),
        media.WEBP: picture("WEBP"),
        media.AVIF: picture("AVIF"),
        media.MP4: clip_bytes(seconds=1.0),
        media.WEBM: webm(),
        **{content_type: sound(content_type) for content_type in SOUNDS},
        media.GLB: glb(),
        media.JSON: b'{"labels": ["shark", "reef"]}',
        media.TEXT: "A shark turns above a reef – slowly.\n".encode(),
        media.ZIP: archive({"readme.txt": b"hello" * 40, "mesh/a.bin": bytes(100)}),
    }
