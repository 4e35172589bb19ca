"""What an output turned out to be, by its bytes alone: each kind of file is looked at in its own way."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from shoal.domain.errors import OutputInvalid
from shoal.domain.models import media_types as media
from shoal.domain.provider import Measured
from shoal.media.inspection.archive import check_archive
from shoal.media.inspection.documents import check_json, check_text
from shoal.media.inspection.mesh import check_mesh
from shoal.media.inspection.signatures import HEAD_BYTES, signature_of, type_of
from shoal.media.inspection.sound import measure_sound
from shoal.media.picture import inspect_picture

ONLY_IN_WEBM: Final = frozenset({"vp8", "vp9", "av1"})


def inspect(data: bytes, allowed: Collection[str]) -> Measured:
    """Look at all of a file, so that a truncated one is found, and measure it.

    `allowed` are the media types that it may have, the usual one first. Raises `OutputInvalid` for another
    type, for a file that is not whole or lies about itself, and for one that costs too much to look at.
    """
    content_type = type_of(data[:HEAD_BYTES], allowed)
    if content_type in _MEASURES:
        return _MEASURES[content_type](data)
    _CHECKS[content_type](data)
    return Measured(content_type, media.EXTENSIONS[content_type], size_bytes=len(data))


def _clip(data: bytes) -> Measured:
    from shoal.media.probe import probe_apart

    content_type = signature_of(data[:HEAD_BYTES])
    with TemporaryDirectory() as folder:
        clip = Path(folder, f"clip.{media.EXTENSIONS[content_type]}")
        clip.write_bytes(data)
        facts = probe_apart(clip)
    if content_type == media.WEBM and facts.codec not in ONLY_IN_WEBM:
        raise OutputInvalid("The clip is encoded in a way that is not supported.")
    return Measured(
        content_type,
        media.EXTENSIONS[content_type],
        facts.width_px,
        facts.height_px,
        duration_ms=round(facts.seconds * 1000),
        size_bytes=len(data),
    )


def _sound(data: bytes) -> Measured:
    content_type = signature_of(data[:HEAD_BYTES])
    duration_ms = measure_sound(data, content_type)
    return Measured(
        content_type, media.EXTENSIONS[content_type], duration_ms=duration_ms, size_bytes=len(data)
    )


_MEASURES: Final[dict[str, Callable[[bytes], Measured]]] = {
    **dict.fromkeys((media.PNG, media.JPEG, media.WEBP, media.AVIF), inspect_picture),
    **dict.fromkeys((media.MP4, media.WEBM), _clip),
    **dict.fromkeys((media.MP3, media.WAV, media.OGG, media.FLAC), _sound),
}
_CHECKS: Final[dict[str, Callable[[bytes], None]]] = {
    media.GLB: check_mesh,
    media.JSON: check_json,
    media.TEXT: check_text,
    media.ZIP: check_archive,
}
