"""What a file is, told by its bytes: never by its name, nor by what its sender calls it."""

from __future__ import annotations

from collections.abc import Callable

START_BYTES = 64
"""From so many bytes the type is told."""
PICTURE_BYTES_MAX = 10 * 1024 * 1024
MEDIA_BYTES_MAX = 100 * 1024 * 1024

PICTURES = ("image/png", "image/jpeg", "image/webp")
MEDIA = (
    "video/mp4",
    "video/webm",
    "video/quicktime",
    "audio/mpeg",
    "audio/wav",
    "audio/ogg",
    "audio/flac",
    "model/gltf-binary",
)
TYPES = (*PICTURES, *MEDIA)
"""All that is kept: nothing that a browser would run."""

_EBML = b"\x1a\x45\xdf\xa3"
_QUICKTIME = b"qt  "
_MP4_BRANDS = ("isom", "iso2", "iso3", "iso4", "iso5", "iso6", "mp41", "mp42", "avc1", "dash", "M4V ", "MSNV")
_ISO_VIDEO = tuple(brand.encode() for brand in _MP4_BRANDS)


def bytes_max(content_type: str) -> int:
    """How large a file of a type may be."""
    return PICTURE_BYTES_MAX if content_type in PICTURES else MEDIA_BYTES_MAX


def type_of(start: bytes) -> str | None:
    """The media type of a file that begins so; None for what is not kept here.

    By the signatures of PNG (W3C PNG 5.2), JPEG (ITU-T T.81 B.1.1.3), RIFF, ISO media (ISO 14496-12, 4.3),
    Ogg (RFC 3533), FLAC (RFC 9639), glTF (2.0, 4.4.2), and as MIME Sniffing tells WebM and MP3 (6.2).
    """
    return next((content_type for content_type, fits in _SIGNATURES if fits(start)), None)


def _begins(*signatures: bytes) -> Callable[[bytes], bool]:
    return lambda start: start.startswith(signatures)


def _riff(form: bytes) -> Callable[[bytes], bool]:
    return lambda start: start[:4] == b"RIFF" and start[8:12] == form


def _iso(*brands: bytes) -> Callable[[bytes], bool]:
    """By the major brand of the file type box, with which such a file begins."""
    return lambda start: start[4:8] == b"ftyp" and start[8:12] in brands


def _webm(start: bytes) -> bool:
    """Matroska begins alike: its document type stands within the first bytes."""
    return start.startswith(_EBML) and b"\x42\x82\x84webm" in start


def _mp3(start: bytes) -> bool:
    """A tag of ID3, or a frame of MPEG 1, 2 or 2.5, layer III, of a known rate."""
    if start.startswith(b"ID3"):
        return True
    if len(start) < 3 or start[0] != 0xFF or start[1] & 0xE0 != 0xE0:
        return False
    version, layer = start[1] >> 3 & 3, start[1] >> 1 & 3
    return version != 1 and layer == 1 and start[2] >> 4 not in (0, 15) and start[2] >> 2 & 3 != 3


_SIGNATURES: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("image/png", _begins(b"\x89PNG\r\n\x1a\n")),
    ("image/jpeg", _begins(b"\xff\xd8\xff")),
    ("image/webp", _riff(b"WEBP")),
    ("video/quicktime", _iso(_QUICKTIME)),
    ("video/mp4", _iso(*_ISO_VIDEO)),
    ("video/webm", _webm),
    ("audio/wav", _riff(b"WAVE")),
    ("audio/ogg", _begins(b"OggS\x00")),
    ("audio/flac", _begins(b"fLaC")),
    ("model/gltf-binary", _begins(b"glTF\x02\x00\x00\x00")),
    ("audio/mpeg", _mp3),
)
