"""Files that callers keep here: what is known of them, and their bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from shoal.domain.files.file import File
from shoal.domain.idempotency import IdempotencyRecord


@dataclass(frozen=True, slots=True)
class FilePage:
    """Newest first. `next_cursor` is None on the last page."""

    files: tuple[File, ...]
    next_cursor: str | None


class Files(Protocol):
    def check_room(self, file: File, bytes_max: int) -> None:
        """Raises `TooManyFiles` where `create` would by now: nothing is counted."""

    def create(
        self, file: File, record: IdempotencyRecord | None, *, bytes_max: int, now_ms: int
    ) -> IdempotencyRecord | None:
        """Write it, and count its bytes among those that its account keeps.

        Returns the earlier record if the idempotency key was used before. Raises `TooManyFiles`,
        `IdempotencyKeyReused`, `IdempotencyInFlight`: nothing was written.
        """

    def get(self, account_id: str, file_id: str) -> File:
        """Raises `NotFound`, also for an id of another account. It may have expired."""

    def page(self, account_id: str, *, test: bool, limit: int, cursor: str | None, now_ms: int) -> FilePage:
        """Those of a mode that have not expired. Raises `ValidationFailed` for an unknown cursor."""

    def note_uploaded(self, file: File) -> None:
        """Keep the type and size that its bytes have. Raises `NotFound`."""

    def delete(self, file: File, *, gives_back: bool) -> None:
        """Forget it; `gives_back`: its bytes count no more. Raises `NotFound`."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object: its size, and the first bytes of it."""

    size_bytes: int
    start: bytes


@dataclass(frozen=True, slots=True)
class UploadAddress:
    """Where to PUT a file, and the header fields that have to come with it."""

    url: str
    headers: Mapping[str, str]


class FileObjects(Protocol):
    """The bytes of files."""

    def put(self, file: File, data: bytes) -> None: ...

    def look(self, file: File) -> Stored | None:
        """What is there by now, None if nothing is."""

    def read(self, file: File, bytes_max: int) -> bytes | None:
        """All of it, None if it is not there. Raises `OutputInvalid` if it is larger."""

    def delete(self, file: File) -> None:
        """What is not there is no error."""

    def upload_address(self, file: File, seconds: int) -> UploadAddress:
        """Where the file may be put: once, of its declared size and type, for so many seconds."""
