"""Identifiers: a prefix that tells the kind and a time-ordered 26-character ULID (github.com/ulid/spec)."""

from __future__ import annotations

import hashlib
import re

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""The digits of base 32 by Douglas Crockford: no I, L, O, U."""

_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_JOB_ID = re.compile(rf"(?:job|gen|vid)_({_ULID.pattern})")


def ulid(at_ms: int, tail: bytes) -> str:
    """The ULID of a moment (Unix time in ms, 48 bits) and 80 more bits, which make it one of its own."""
    number = int.from_bytes(at_ms.to_bytes(6, "big") + tail, "big")
    return "".join(CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def job_ulid(job_id: str) -> str | None:
    """The ULID of a well-formed job id of any dialect, else None."""
    match = _JOB_ID.fullmatch(job_id)
    return match.group(1) if match else None


def derived_id(prefix: str, at_ms: int, *parts: str) -> str:
    """An id that is the same whenever it is made again from the same moment and parts.

    `at_ms` is Unix time in milliseconds: derived ids sort by time like random ones.
    """
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return f"{prefix}_{ulid(at_ms, digest[:10])}"


def first_ulid_at(at_ms: int) -> str:
    """The smallest ULID of a moment (Unix time in ms): a bound for queries by time."""
    return ulid(at_ms, bytes(10))


def is_ulid(text: str) -> bool:
    return _ULID.fullmatch(text) is not None


def ulid_of(prefix: str, id_: str) -> str | None:
    """The ULID of a well-formed id with this prefix, else None."""
    found, _, rest = id_.partition("_")
    return rest if found == prefix and is_ulid(rest) else None


def moment_of(id_: str) -> int:
    """Unix time in ms at which an id was made. Raises ValueError for one without a ULID."""
    _, _, found = id_.partition("_")
    if not is_ulid(found):
        raise ValueError(f"{id_[:40]!r} holds no ULID")
    number = 0
    for digit in found[:10]:
        number = number << 5 | CROCKFORD.index(digit)
    return number
