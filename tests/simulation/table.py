"""The simulated table: items with their indexes and locks, and partitions that admit so much a second.

Nothing in here waits; `client` and `transaction` let the time pass around it.
"""

from __future__ import annotations

import bisect
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.simulation import expressions
from tests.simulation.assumptions import (
    ITEM_BYTES_MAX,
    KEY_CHANGE_UNITS,
    READ_UNIT_BYTES,
    WRITE_UNIT_BYTES,
    Limits,
    index_partition_of,
    partition_of,
)
from tests.simulation.attributes import Attribute, Invalid, Item, Key, comparable, item_bytes

Request = Mapping[str, Any]
Place = tuple[Any, str, str]
"""Where an item stands among those of its hash value: by the range value, then by its own key."""
KEY_NAMES = ("pk", "sk")


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index that projects keys only. An item is in it while it has both attributes."""

    name: str
    hash_name: str
    range_name: str

    def entry(self, item: Item | None) -> tuple[str, Place] | None:
        """The hash value and place of an item, None if the index does not have it."""
        if item is None or self.hash_name not in item or self.range_name not in item:
            return None
        where = comparable(item[self.range_name])[1], item["pk"]["S"], item["sk"]["S"]
        return item[self.hash_name]["S"], where

    def projected(self, item: Item) -> Item:
        return {name: item[name] for name in dict.fromkeys((*KEY_NAMES, self.hash_name, self.range_name))}


PRIMARY = Index("", "pk", "sk")
INDEXES = (Index("open_jobs", "open_shard", "deadline_at"), Index("failed_jobs", "failed_shard", "sk"))
"""As `infra.constructs.storage` makes them; the conformance test reads the same list."""


class Refused(Exception):
    """A write that was not done, by its cancellation reason; `item` is what stood there if that was asked
    for."""

    def __init__(self, reason: str, item: Item | None = None, message: str = "") -> None:
        self.reason, self.item = reason, item
        super().__init__(message or reason)


@dataclass(frozen=True, slots=True)
class Write:
    """A write of one item: under which condition, and what becomes of what is there."""

    key: Key
    holds: Callable[[Item], bool]
    change: Callable[[Item | None], Item | None]
    tells_old: bool

    @classmethod
    def of(cls, kind: str, request: Request) -> Write:
        """From the parameters of a `Put`, `Update`, `Delete` or `ConditionCheck`. Raises `Invalid`."""
        names = tuple(sorted(request.get("ExpressionAttributeNames", {}).items()))
        values = request.get("ExpressionAttributeValues", {})
        text = request.get("ConditionExpression")
        check_values(values, text, request.get("UpdateExpression"))
        condition = expressions.condition(text, names) if text else None
        return cls(
            key_of(request["Item" if kind == "Put" else "Key"]),
            (lambda item: condition(item, values)) if condition else (lambda _: True),
            _change(kind, request, names, values),
            request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD",
        )


def _change(
    kind: str, request: Request, names: expressions.Names, values: expressions.Values
) -> Callable[[Item | None], Item | None]:
    if kind == "Put":
        return lambda _: request["Item"]
    if kind == "Delete":
        return lambda _: None
    if kind == "ConditionCheck":
        return lambda old: old
    update = expressions.update(request["UpdateExpression"], names)
    if fixed := update.attributes & set(KEY_NAMES):
        raise Invalid(f"Cannot update attribute {min(fixed)}. This attribute is part of the key")
    return lambda old: update(request["Key"] if old is None else old, values)


def check_values(values: expressions.Values, *texts: str | None) -> None:
    """Raises `Invalid` if the expressions use other values than those given, or bounds the wrong way
    round."""
    used = frozenset[str]().union(*(expressions.values_in(text) for text in texts if text))
    if values.keys() - used:
        raise Invalid("Value provided in ExpressionAttributeValues unused in expressions")
    if used - values.keys():
        raise Invalid("An expression attribute value used in expression is not defined")
    for low, high in (bounds for text in texts if text for bounds in expressions.bounds_in(text)):
        if comparable(values[low])[1] > comparable(values[high])[1]:
            raise Invalid("The BETWEEN operator requires upper bound to be greater than or equal to lower")


def key_of(item: Item) -> Key:
    """Raises `Invalid` for a key that is missing, empty or no string."""
    try:
        pk, sk = (item[name]["S"] for name in KEY_NAMES)
    except KeyError:
        raise Invalid("One or more parameter values were invalid: Missing or mistyped key") from None
    if not pk or not sk:
        raise Invalid("One or more parameter values are not valid: an empty string in the key")
    return pk, sk


class Partition:
    """A bucket that refills by the second. It admits while anything is left, and the last one may overdraw
    it."""

    def __init__(self, units_per_s: float, burst_s: float) -> None:
        self._rate, self._size = units_per_s, units_per_s * burst_s
        self._level, self._at_s = self._size, 0.0

    def admits(self, now_s: float) -> bool:
        self._level = min(self._size, self._level + (now_s - self._at_s) * self._rate)
        self._at_s = now_s
        return self._level > 0

    def take(self, units: float) -> None:
        self._level -= units


@dataclass
class Measures:
    """What happened so far: counts by name, and durations in seconds."""

    counts: Counter[str] = field(default_factory=Counter)
    transactions_s: list[float] = field(default_factory=list)
    locked_s: list[float] = field(default_factory=list)


class SimulatedTable:
    """Items by key. `locks` says which transaction has prepared an item."""

    def __init__(self, now_s: Callable[[], float], limits: Limits | None = None) -> None:
        self._now_s = now_s
        self._limits = limits or Limits()
        self.items: dict[Key, Item] = {}
        self.locks: dict[Key, int] = {}
        self.measures = Measures()
        self._places: dict[tuple[str, str], list[Place]] = defaultdict(list)
        self._written: dict[str, Partition] = {}
        self._read: dict[str, Partition] = {}

    def copy(self) -> SimulatedTable:
        """The same items in a world of their own, in which nothing else happens and capacity is unlimited."""
        still = SimulatedTable(lambda: 0.0, Limits(math.inf, math.inf))
        for key, item in self.items.items():
            still.store(key, item)
        return still

    # Writes.

    def evaluate(self, write: Write) -> Item | None:
        """What the item would become, with its write paid for. Raises `Refused`.

        A partition refuses before it looks; what it has looked at is paid for even if nothing is written.
        """
        partition = self._partition(self._written, partition_of(*write.key), self._limits.write_units_per_s)
        if not partition.admits(self._now_s()):
            self.measures.counts["throttled by a partition"] += 1
            raise Refused("ThrottlingError")
        if write.key in self.locks:
            partition.take(1)
            raise Refused("TransactionConflict")
        old = self.items.get(write.key)
        if not write.holds(old or {}):
            partition.take(_write_units(old))
            raise Refused("ConditionalCheckFailed", old if write.tells_old else None)
        try:
            new = write.change(old)
            _check_item(new)
        except Invalid as invalid:
            raise Refused("ValidationError", message=str(invalid)) from None
        self._pay_indexes(old, new)
        partition.take(_write_units(old, new))
        return new

    def commit(self, key: Key, new: Item | None) -> None:
        """Store what a transaction has prepared: the second half of what a transactional write costs."""
        partition = self._partition(self._written, partition_of(*key), self._limits.write_units_per_s)
        partition.take(_write_units(self.items.get(key), new))
        self.store(key, new)

    def store(self, key: Key, new: Item | None) -> None:
        """Have the item be so from now on, in the table and in its indexes."""
        old = self.items.get(key)
        for index in (PRIMARY, *INDEXES):
            before, after = index.entry(old), index.entry(new)
            if before == after:
                continue
            if before:
                places = self._places[index.name, before[0]]
                del places[bisect.bisect_left(places, before[1])]
            if after:
                bisect.insort(self._places[index.name, after[0]], after[1])
        if new is None:
            self.items.pop(key, None)
        else:
            self.items[key] = new

    def _pay_indexes(self, old: Item | None, new: Item | None) -> None:
        """Raises `Refused` when an index has no capacity left: it holds the table's own write back."""
        entries = ((index, index.entry(old), index.entry(new)) for index in INDEXES)
        changed = [
            (index, entry) for index, *both in entries if both[0] != both[1] for entry in both if entry
        ]
        partitions = [
            self._partition(
                self._written, index_partition_of(index.name, hash_value), self._limits.write_units_per_s
            )
            for index, (hash_value, _) in changed
        ]
        if not all(partition.admits(self._now_s()) for partition in partitions):
            self.measures.counts["throttled by an index"] += 1
            raise Refused("ThrottlingError")
        for partition in partitions:
            partition.take(KEY_CHANGE_UNITS)

    def _partition(self, partitions: dict[str, Partition], name: str, units_per_s: float) -> Partition:
        if name not in partitions:
            partitions[name] = Partition(units_per_s, self._limits.burst_s)
        return partitions[name]

    # Reads.

    def read(self, key: Key, *, consistent: bool = True) -> Item | None:
        """Raises `Refused` when the item's partition has no capacity to read left."""
        item = self.items.get(key)
        self.pay_read(partition_of(*key), item_bytes(item or {}), consistent=consistent)
        return item

    def pay_read(self, partition_name: str, size_bytes: int, *, consistent: bool) -> None:
        partition = self._partition(self._read, partition_name, self._limits.read_units_per_s)
        if not partition.admits(self._now_s()):
            self.measures.counts["reads throttled"] += 1
            raise Refused("ThrottlingError")
        partition.take(max(1, math.ceil(size_bytes / READ_UNIT_BYTES)) * (1 if consistent else 0.5))

    def ordered(self, index: Index, hash_value: str, after: Item | None, *, forward: bool) -> Iterator[Item]:
        """The items of a hash value by their range, from beyond the key `after` on."""
        places = self._places.get((index.name, hash_value), [])
        if after is None:
            chosen: Iterable[Place] = places if forward else reversed(places)
        else:
            entry = index.entry(after)
            if entry is None:
                raise Invalid("The provided starting key is invalid")
            at = bisect.bisect_right(places, entry[1]) if forward else bisect.bisect_left(places, entry[1])
            chosen = places[at:] if forward else reversed(places[:at])
        return (self.items[pk, sk] for _, pk, sk in [*chosen])

    def scanned(self, after: Item | None) -> Iterator[Item]:
        """All items, from beyond the key `after` on."""
        start = key_of(after) if after else ("", "")
        keys = sorted(key for key in self.items if key > start)
        return (self.items[key] for key in keys)


def _check_item(item: Item | None) -> None:
    if item is not None and item_bytes(item) > ITEM_BYTES_MAX:
        raise Invalid("Item size has exceeded the maximum allowed size")
    for name in ("open_shard", "failed_shard", "deadline_at"):
        _check_index_key(name, (item or {}).get(name))


def _check_index_key(name: str, attribute: Attribute | None) -> None:
    wanted = "N" if name == "deadline_at" else "S"
    if attribute is not None and wanted not in attribute:
        raise Invalid(f"One or more parameter values were invalid: Type mismatch for Index Key {name}")


def _write_units(*items: Item | None) -> int:
    """Of the larger of an item before and after."""
    return max(1, *(math.ceil(item_bytes(item) / WRITE_UNIT_BYTES) if item else 1 for item in items))
