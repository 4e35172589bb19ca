"""Pages of items whose sort keys end in a ULID, newest first; a cursor is the ULID of the last item shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from shoal.adapters.dynamodb.table import Item, Table
from shoal.domain.errors import ValidationFailed
from shoal.domain.ids import first_ulid_at, is_ulid

READ_BYTES_MAX = 4 * 2**20
"""What one page reads of items, about: a hundred large ones. A call of DynamoDB's adds a megabyte at most."""

_ULID_LAST = "8"
"""Sorts after the first character of every ULID."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`next_cursor` is None on the last page; `read` counts also the items that were left out."""

    found: tuple[T, ...]
    next_cursor: str | None
    read: int


@dataclass(frozen=True, slots=True)
class Range:
    """The items of a partition whose sort keys are the prefix and a ULID from `oldest` up to `newest`.

    A partition of the table, or of an index whose partition key is `attribute`.
    """

    pk: str
    prefix: str
    oldest: str
    newest: str
    index: str | None = None
    attribute: str = "pk"

    @classmethod
    def of(cls, pk: str, prefix: str, from_ms: int | None, to_ms: int | None, cursor: str | None) -> Range:
        """From a moment up to but not at another (Unix ms), below a cursor. Raises `ValidationFailed`."""
        return cls(pk, prefix, first_ulid_at(from_ms or 0), min(_ends(to_ms, cursor)))


def read_page(
    table: Table,
    within: Range,
    read: Callable[[Item], T],
    wanted: Callable[[T], bool],
    *,
    limit: int,
    read_max: int,
) -> Page[T]:
    """At most `limit` of the wanted.

    After `read_max` items, or `READ_BYTES_MAX`, the page ends even if it is not full: the next one goes on
    from there.
    """
    if within.newest < within.oldest:  # DynamoDB refuses such a range
        return Page((), None, 0)
    arguments: dict[str, Any] = {
        "KeyConditionExpression": f"{within.attribute} = :pk AND sk BETWEEN :oldest AND :newest",
        "ScanIndexForward": False,
        "Limit": min(read_max, limit + 1),
        "values": {
            ":pk": within.pk,
            ":oldest": within.prefix + within.oldest,
            ":newest": within.prefix + within.newest,
        },
    }
    if within.index:
        arguments["IndexName"] = within.index
    found: list[tuple[str, T]] = []
    seen = seen_bytes = 0
    for items, last in table.query(**arguments):
        seen, seen_bytes = seen + len(items), seen_bytes + sum(map(_bytes, items))
        found += [(item["sk"], thing) for item in items if wanted(thing := read(item))]
        shown = tuple(thing for _, thing in found[:limit])
        if len(found) > limit:
            return Page(shown, found[limit - 1][0].removeprefix(within.prefix), seen)
        if last and (seen >= read_max or seen_bytes >= READ_BYTES_MAX):
            return Page(shown, last["sk"].removeprefix(within.prefix), seen)
    return Page(tuple(thing for _, thing in found), None, seen)


def _bytes(item: Item) -> int:
    """An item's size, about: names and punctuation are some more in Python."""
    return len(str(item).encode("utf-8", "surrogatepass"))


def _ends(to_ms: int | None, cursor: str | None) -> Iterator[str]:
    """Every bound a range has above."""
    yield _ULID_LAST
    if to_ms is not None:
        yield first_ulid_at(to_ms)
    if cursor is not None:
        yield _before(cursor)


def _before(cursor: str) -> str:
    """The largest sort key below a cursor. Raises `ValidationFailed`."""
    if not is_ulid(cursor):
        raise ValidationFailed(
            "The cursor is not one this API gave out.",
            details={"fields": [{"field": "cursor", "message": "unknown cursor"}]},
        )
    # "!" sorts below every character of a ULID and "~" above: the string just below the cursor.
    return f"{cursor[:-1]}{chr(ord(cursor[-1]) - 1)}~"
