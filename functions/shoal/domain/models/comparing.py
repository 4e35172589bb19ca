"""What differs between two catalogs, for people to read before one takes the place of the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shoal.domain.models.files import MODELS
from shoal.domain.models.problems import Field, field_text

PRICES = frozenset(
    {"micros", "credits", "price_micros", "price_credits", "minimum", "maximum", "price_cents"}
)
"""What callers pay. Costs are under `cost`, and `cost_micros`."""


class What(StrEnum):
    """What became of a field, and of a price whether it went up or down."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    UP = "price up"
    DOWN = "price down"


@dataclass(frozen=True, slots=True)
class Change:
    """`of` is a model's id, or `price_lists.NAME`, or empty for the rest; `field` is empty for all of it."""

    what: What
    of: str
    field: str = ""
    before: Any = None
    after: Any = None

    def __str__(self) -> str:
        named = f"{self.of or 'catalog'}: {self.field}" if self.field else self.of
        told = {
            What.ADDED: f" = {self.after}" if self.field else "",
            What.REMOVED: f" (was {self.before})" if self.field else "",
        }
        return f"{self.what}: {named}{told.get(self.what, f' {self.before} → {self.after}')}"


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """From one catalog's document to another's: models that came and went, then field by field."""
    old, new = before.get(MODELS, {}), after.get(MODELS, {})
    yield from (Change(What.REMOVED, name) for name in old if name not in new)
    yield from (Change(What.ADDED, name) for name in new if name not in old)
    for name in new:
        if name in old:
            yield from _fields(name, old[name], new[name])
    rest = [{name: part for name, part in each.items() if name != MODELS} for each in (before, after)]
    yield from _fields("", *rest)


def _fields(of: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    old, new = dict(_leaves(before, ())), dict(_leaves(after, ()))
    for field in [*new, *(field for field in old if field not in new)]:
        if old.get(field) != new.get(field):
            yield _change(of, field, old.get(field), new.get(field))


def _change(of: str, field: Field, before: Any, after: Any) -> Change:
    name = field_text(field)
    if before is None or after is None:
        return Change(What.ADDED if before is None else What.REMOVED, of, name, before, after)
    is_price = bool(PRICES.intersection(map(str, field))) and "cost" not in field
    if is_price and isinstance(before, int) and isinstance(after, int):
        return Change(What.UP if after > before else What.DOWN, of, name, before, after)
    return Change(What.CHANGED, of, name, before, after)


def _leaves(part: Any, way: Field) -> Iterator[tuple[Field, Any]]:
    """A list of plain values is one value."""
    if isinstance(part, Mapping) and part:
        for name, each in part.items():
            yield from _leaves(each, (*way, name))
    elif isinstance(part, list) and any(isinstance(each, Mapping | list) for each in part):
        for at, each in enumerate(part):
            yield from _leaves(each, (*way, at))
    else:
        yield way, part
