"""Identifiers: a prefix that tells the kind and a time-ordered 26-character ULID (github.com/ulid/spec)."""

from __future__ import annotations

import hashlib
import re

from ulid import ULID

_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_JOB_ID = re.compile(rf"(?:job|gen|vid)_({_ULID.pattern})")


def job_ulid(job_id: str) -> str | None:
    """The ULID of a well-formed job id of any dialect, else None."""
    match = _JOB_ID.fullmatch(job_id)
    return match.group(1) if match else None


def derived_id(prefix: str, at_ms: int, *parts: str) -> str:
    """An id that is the same whenever it is made again from the same moment and parts.

    `at_ms` is Unix time in milliseconds: derived ids sort by time like random ones.
    """
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return f"{prefix}_{ULID.from_bytes(at_ms.to_bytes(6, 'big') + digest[:10])}"


def first_ulid_at(at_ms: int) -> str:
    """The smallest ULID of a moment (Unix time in ms): a bound for queries by time."""
    return str(ULID.from_bytes(at_ms.to_bytes(6, "big") + bytes(10)))


def is_ulid(text: str) -> bool:
    return _ULID.fullmatch(text) is not None


def ulid_of(prefix: str, id_: str) -> str | None:
    """The ULID of a well-formed id with this prefix, else None."""
    found, _, ulid = id_.partition("_")
    return ulid if found == prefix and is_ulid(ulid) else None


def moment_of(id_: str) -> int:
    """Unix time in ms at which an id was made. Raises ValueError for one without a ULID."""
    return int(ULID.from_str(id_.partition("_")[2]).milliseconds)
