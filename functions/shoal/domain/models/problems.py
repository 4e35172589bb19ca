"""What is wrong with a catalog: where, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Field = tuple[str | int, ...]
"""The way to a value inside a document: `("tariff", 0, "micros")`."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in one document."""

    field: Field
    reason: str

    def below(self, *field: str | int) -> Problem:
        """The same, in a document that has this one at a field."""
        return Problem((*field, *self.field), self.reason)


Problems = Iterator[Problem]


def field_text(field: Field) -> str:
    """`tariff[0].micros`"""
    text = ""
    for part in field:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
