"""What the bus is still to be told: written in the transaction that made it happen, gone once it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from shoal.adapters.dynamodb.table import Delete, Table, TransactionRefused, Update
from shoal.domain.events import Event
from shoal.domain.text import json_text
from shoal.ports.system import Untold

OUTBOX = "OUTBOX"
"""One partition: no job writes to it, and what operators, payers and breakers do is far below its limits."""
PAGE_ITEMS = 100


def outbox_updates(events: Sequence[Event]) -> list[Update]:
    """The part of a transaction that has these told: none for none. Written twice it is the same."""
    if not events:
        return []
    values = {":events": json_text([[event.type, event.detail] for event in events])}
    return [Update((OUTBOX, f"EVENT#{events[0].id}"), "SET events = :events", None, values)]


class DynamoDbOutbox:
    """Implements the `Outbox` port."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, events: Sequence[Event]) -> None:
        for event in events:
            for update in outbox_updates([event]):
                self._table.update(update)

    def untold(self) -> Iterator[Untold]:
        pages = self._table.query(
            KeyConditionExpression="pk = :pk",
            ConsistentRead=True,
            Limit=PAGE_ITEMS,
            values={":pk": OUTBOX},
        )
        for item in (each for page, _ in pages for each in page):
            events = tuple(Event(event_type, detail) for event_type, detail in json.loads(item["events"]))
            yield Untold(item["sk"], events)

    def forget(self, told: Untold) -> None:
        try:
            self._table.transact([Delete((OUTBOX, told.name))])
        except TransactionRefused:
            return  # somebody else told it too
