"""What a file is by its first bytes, never by its name or by what its sender calls it; no package needed.

JSON and text have no signature: what has none of these may be either.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from shoal.domain.errors import OutputInvalid
from shoal.domain.models import media_types as media

HEAD_BYTES: Final = 256
"""What a signature takes: WebM's is the longest, whose name stands somewhere in its first element."""

_STARTS: Final = (
    (b"\x89PNG\r\n\x1a\n", media.PNG),
    (b"\xff\xd8\xff", media.JPEG),
    (b"OggS\x00", media.OGG),
    (b"fLaC\x00", media.FLAC),
    (b"glTF\x02\x00\x00\x00", media.GLB),
    (b"PK\x03\x04", media.ZIP),
)
_UNSIGNED: Final = (media.JSON, media.TEXT)
_RIFF: Final = {b"WEBP": media.WEBP, b"WAVE": media.WAV}
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_EBML, _WEBM_NAME = b"\x1aE\xdf\xa3", b"\x42\x82\x84webm"
_TAGGED_SOUND: Final = re.compile(rb"ID3[\x02-\x04]\x00")
_RUNS: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?[\t\n\x0c\r ]*"
    rb"(?:%pdf-|%!ps-adobe-|<(?:!doctype|\?xml|!--|!\[cdata\[|(?:html|head|body|script|iframe|h1|div|font|table|a|"
    rb"style|title|b|br|p|svg|math|xsl:stylesheet|rss|feed|object|embed|meta|link|img)[\t\n\x0c\r />]))",
    re.IGNORECASE,
)
"""What a browser takes for a document of its own, told by no header (mimesniff.spec.whatwg.org, 7.1)."""


def signature_of(head: bytes) -> str:
    """The media type that a file's first 256 bytes are of; empty for none that is known."""
    for start, content_type in _STARTS:
        if head.startswith(start):
            return content_type
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], "")
    if head[4:8] == b"ftyp":
        end = min(len(head), int.from_bytes(head[:4]))
        brands = {head[8:12], *(head[at : at + 4] for at in range(16, end, 4))}
        return media.AVIF if brands & _AVIF_BRANDS else media.MP4
    if head.startswith(_EBML):
        return media.WEBM if _WEBM_NAME in head else ""
    return media.MP3 if _TAGGED_SOUND.match(head) or _is_mp3_frame(head) else ""


def type_of(head: bytes, allowed: Collection[str]) -> str:
    """Which of the allowed media types, the usual one first, a file is of that begins so.

    Raises `OutputInvalid` for none of them. JSON and text are told by what else they are not.
    """
    content_type = signature_of(head)
    if content_type in allowed:
        return content_type
    unsigned = [] if content_type or _RUNS.match(head) else [each for each in _UNSIGNED if each in allowed]
    if not unsigned:
        raise OutputInvalid(f"The provider did not deliver a readable {media.noun_of(next(iter(allowed)))}.")
    return unsigned[0] if _looks_like_json(head) else unsigned[-1]


def _looks_like_json(head: bytes) -> bool:
    return head.lstrip()[:1] in (b"{", b"[")


def _is_mp3_frame(head: bytes) -> bool:
    """Whether it begins with the header of a frame of layer III (ISO 11172-3, 2.4.2.3)."""
    if len(head) < 4 or head[0] != 0xFF:
        return False
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    return head[1] >> 5 == 7 and version != 1 and layer == 1 and bitrate not in (0, 15) and rate != 3
