"""How many attempts are under way at an endpoint: leases in one item per endpoint."""

from __future__ import annotations

from contextlib import suppress

from shoal.adapters.dynamodb.table import ConditionFailed, Table, Update
from shoal.ports.webhooks import LEASE_MS, Slot

FREE = "attribute_not_exists(#slot) OR #slot <= :now"
MINE = "#slot = :until"


def slots_key(endpoint: str) -> tuple[str, str]:
    return f"WEBHOOK#{endpoint}", "SLOTS"


class DynamoDbSlots:
    """Implements the `Slots` port: an item per endpoint, in it an attribute per slot: its lease's end."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def take(self, endpoint: str, slots_max: int, now_ms: int) -> Slot | None:
        key = slots_key(endpoint)
        item = self._table.get(*key) or {}
        until_ms = now_ms + LEASE_MS
        for _ in range(slots_max):
            # The loser of a race for one learns from the failed condition which are left.
            free = [n for n in range(slots_max) if int(item.get(f"slot_{n}", 0)) <= now_ms]
            if not free:
                break
            values = {":until": until_ms, ":now": now_ms, ":gone": until_ms // 1000 + 1}
            names = {"#slot": f"slot_{free[0]}"}
            try:
                self._table.update(Update(key, "SET #slot = :until, expires_at = :gone", FREE, values, names))
            except ConditionFailed as failed:
                item = failed.item or {}
            else:
                return Slot(endpoint, free[0], until_ms)
        return None

    def free(self, slot: Slot) -> None:
        names, values = {"#slot": f"slot_{slot.number}"}, {":until": slot.until_ms, ":now": 0}
        with suppress(ConditionFailed):  # it ran out and is somebody else's
            self._table.update(Update(slots_key(slot.holder), "SET #slot = :now", MINE, values, names))
