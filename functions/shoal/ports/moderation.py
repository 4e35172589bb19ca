"""What a moderator finds in a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Verdict:
    """`categories` are the moderator's own names of what it found, sorted; empty unless flagged."""

    flagged: bool
    categories: tuple[str, ...] = ()


class Moderator(Protocol):
    def check(self, text: str) -> Verdict:
        """Raises `ProviderBusy`, `ProviderUnusable`: then there is no verdict."""
