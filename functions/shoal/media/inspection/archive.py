"""ZIP: only its central directory is looked at (PKWARE APPNOTE 4.3), and nothing is ever unpacked."""

from __future__ import annotations

import io
import zipfile
from typing import Final

from shoal.domain.errors import OutputInvalid

ENTRIES_MAX: Final = 10_000
DIRECTORY_BYTES_MAX: Final = 4 * 2**20
UNPACKED_BYTES_MAX: Final = 2 * 2**30
"""What its entries say they have in all."""
NO_ARCHIVE: Final = "The provider did not deliver a readable archive."
TOO_MUCH: Final = "The archive holds too much."
_ENTRY, _END, _END_64 = b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x07"
_END_LENGTH, _END_64_LENGTH = 22, 20


def check_archive(data: bytes) -> None:
    """Raises `OutputInvalid` unless its directory is whole and bounded, and names only files inside."""
    _check_end(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            directory_at = archive.start_dir
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, ValueError, OSError):
        raise OutputInvalid(NO_ARCHIVE) from None
    if not entries or len(entries) > ENTRIES_MAX:
        raise OutputInvalid(NO_ARCHIVE)
    if sum(entry.file_size for entry in entries) > UNPACKED_BYTES_MAX:
        raise OutputInvalid(TOO_MUCH)
    for entry in entries:
        if _leads_out(entry.filename):
            raise OutputInvalid("The archive names a file outside of itself.")
        at = entry.header_offset
        if not data.startswith(_ENTRY, at) or at < 0 or at + entry.compress_size > directory_at:
            raise OutputInvalid(NO_ARCHIVE)


def _check_end(data: bytes) -> None:
    """Before a reader believes it: how many entries there are, and that nothing follows the directory."""
    at = data.rfind(_END, max(0, len(data) - _END_LENGTH - 0xFFFF))
    end = data[at : at + _END_LENGTH]
    if at < 0 or len(end) < _END_LENGTH or data[max(0, at - _END_64_LENGTH) : at].startswith(_END_64):
        raise OutputInvalid(NO_ARCHIVE)
    entries, directory_bytes, directory_at, comment_bytes = (
        int.from_bytes(end[start:stop], "little") for start, stop in ((10, 12), (12, 16), (16, 20), (20, 22))
    )
    if entries > ENTRIES_MAX or directory_bytes > DIRECTORY_BYTES_MAX:
        raise OutputInvalid(TOO_MUCH)
    if directory_at + directory_bytes != at or at + _END_LENGTH + comment_bytes != len(data):
        raise OutputInvalid(NO_ARCHIVE)


def _leads_out(name: str) -> bool:
    """Whether a careless program would write it somewhere else than where it unpacks."""
    parts = name.replace("\\", "/").split("/")
    return name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]
