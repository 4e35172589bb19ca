"""The media types that outputs and the files beside them may have: none that a browser runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PNG: Final = "image/png"
JPEG: Final = "image/jpeg"
WEBP: Final = "image/webp"
AVIF: Final = "image/avif"
MP4: Final = "video/mp4"
WEBM: Final = "video/webm"
MP3: Final = "audio/mpeg"
WAV: Final = "audio/wav"
OGG: Final = "audio/ogg"
FLAC: Final = "audio/flac"
GLB: Final = "model/gltf-binary"
JSON: Final = "application/json"
TEXT: Final = "text/plain"
ZIP: Final = "application/zip"

EXTENSIONS: Final[Mapping[str, str]] = {
    PNG: "png",
    JPEG: "jpg",
    WEBP: "webp",
    AVIF: "avif",
    MP4: "mp4",
    WEBM: "webm",
    MP3: "mp3",
    WAV: "wav",
    OGG: "ogg",
    FLAC: "flac",
    GLB: "glb",
    JSON: "json",
    TEXT: "txt",
    ZIP: "zip",
}
"""All that is allowed, and what a file of each is called; without a dot."""

_NOUNS: Final[Mapping[str, str]] = {
    "image": "image",
    "video": "clip",
    "audio": "sound",
    "model": "3D model",
    JSON: "JSON document",
    TEXT: "text",
    ZIP: "archive",
}


def family_of(content_type: str) -> str:
    """The first half of a media type: `image`, `video`, `audio` …"""
    return content_type.partition("/")[0]


def noun_of(content_type: str) -> str:
    """What a caller calls a file of the type."""
    return _NOUNS.get(content_type) or _NOUNS[family_of(content_type)]
