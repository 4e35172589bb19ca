"""Versions of the catalog: a document each, named by its content, and a pointer to the current one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

SHORT = 12
"""Letters of a version that tell it apart for people."""


@dataclass(frozen=True, slots=True)
class Published:
    """A publication: `version` took the place of `previous`, which is empty for the first one.

    `number` counts publications from 1. `by` is who did it, `note` says why. `at_ms` is Unix time.
    """

    number: int
    version: str
    previous: str
    at_ms: int
    by: str
    note: str = ""


def version_of(document: bytes) -> str:
    """The first half of a document's SHA-256: it is part of every job."""
    return hashlib.sha256(document).hexdigest()[:32]
