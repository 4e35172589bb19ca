"""A file that a caller keeps here, and how much an account keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shoal.domain.errors import NotFound, TooManyFiles
from shoal.domain.files.address import file_ulid

HOUR_MS = 3_600_000
LIFETIME_MS = 24 * HOUR_MS
UPLOAD_MS = 15 * 60_000
"""For so long the address of an ordered upload takes its file."""
COUNTED_BYTES_MIN = 100_000
"""What the smallest file counts for: each costs the stage requests, however few bytes it has."""
FOLDER = "files/"
"""Where the staging bucket keeps them."""


@dataclass(frozen=True, slots=True)
class File:
    """`test`: it is of an account's test keys, which alone see it.

    `sha256` is hexadecimal, None for a file that went past the API. `upload_until_ms` is when an ordered
    upload has to be there, None for a file that came with its request. `awaited`: nobody has seen its bytes
    yet, and type and size are what was declared. `counted_bytes` is what it takes of the account's quota.
    """

    id: str
    account_id: str
    test: bool
    name: str
    content_type: str
    size_bytes: int
    counted_bytes: int
    created_at_ms: int
    sha256: str | None = None
    metadata: dict[str, Any] | None = None
    upload_until_ms: int | None = None
    awaited: bool = False

    @property
    def ulid(self) -> str:
        return self.id.partition("_")[2]

    @property
    def key(self) -> str:
        """Where its bytes are."""
        return f"{FOLDER}{self.account_id}/{self.ulid}"

    @property
    def expires_at_ms(self) -> int:
        return self.created_at_ms + LIFETIME_MS

    def takes_bytes(self, now_ms: int) -> bool:
        """Whether its bytes may still change from outside."""
        return self.upload_until_ms is not None and now_ms < self.upload_until_ms


def counted(size_bytes: int) -> int:
    """What a file of a size takes of the quota."""
    return max(size_bytes, COUNTED_BYTES_MIN)


@dataclass(frozen=True, slots=True)
class Kept:
    """What an account's files count for, by the hour of Unix time in which they were made.

    An hour's bytes are free again when its last file has expired: nobody needs to be told of that. `version`
    changes with every change.
    """

    by_hour: Mapping[int, int] = field(default_factory=dict)
    version: int = 0

    def bytes_at(self, now_ms: int) -> int:
        return sum(self._alive(now_ms).values())

    def with_file(self, file: File, bytes_max: int) -> Kept:
        """Raises `TooManyFiles`."""
        now_ms = file.created_at_ms
        alive, hour = self._alive(now_ms), hour_of(file)
        if (kept := sum(alive.values())) + file.counted_bytes > bytes_max:
            raise TooManyFiles(details={"kept_bytes": kept, "kept_bytes_max": bytes_max})
        alive[hour] = alive.get(hour, 0) + file.counted_bytes
        return replace(self, by_hour=alive, version=self.version + 1)

    def _alive(self, now_ms: int) -> dict[int, int]:
        return {
            hour: kept for hour, kept in self.by_hour.items() if (hour + 1) * HOUR_MS + LIFETIME_MS > now_ms
        }


def hour_of(file: File) -> int:
    """The hour in which it counts."""
    return file.created_at_ms // HOUR_MS


def no_such_file() -> NotFound:
    return NotFound("There is no file with this id, or it has expired.")


def known_ulid(file_id: str) -> str:
    """The ULID of a file's id. Raises `NotFound` for what is none."""
    if found := file_ulid(file_id):
        return found
    raise no_such_file()
