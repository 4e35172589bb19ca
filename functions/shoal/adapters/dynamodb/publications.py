"""Publications of the catalog in the table: the current one, and one item for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from shoal.adapters.dynamodb.outbox import outbox_updates
from shoal.adapters.dynamodb.table import Item, Put, Table, TransactionRefused
from shoal.adapters.dynamodb.values import read
from shoal.domain.errors import PublishedMeanwhile
from shoal.domain.events import Event
from shoal.domain.models.versions import Published

CATALOG = "CATALOG"
CURRENT = CATALOG, "CURRENT"
PAST = "PUBLISHED#"
NEW = "attribute_not_exists(pk)"
STILL_BEFORE = "publication = :before"


class DynamoDbPublications:
    """Implements the `Publications` port."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def current(self) -> Published | None:
        item = self._table.get(*CURRENT)
        return _published_of(item) if item else None

    def add(self, published: Published, told: Sequence[Event]) -> None:
        first = published.number == 1
        condition, values = (NEW, {}) if first else (STILL_BEFORE, {":before": published.number - 1})
        pointer = Put(_item(*CURRENT, published), condition, values)
        past = Put(_item(CATALOG, f"{PAST}{published.number:08}#{published.version}", published))
        try:
            self._table.transact([pointer, past, *outbox_updates(told)])
        except TransactionRefused:
            raise PublishedMeanwhile from None

    def history(self, count: int) -> Iterable[Published]:
        pages = self._table.query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :past)",
            ScanIndexForward=False,
            Limit=count,
            values={":pk": CATALOG, ":past": PAST},
        )
        items, _ = next(pages)
        return [_published_of(item) for item in items]


def _item(pk: str, sk: str, published: Published) -> Item:
    fields = asdict(published)
    return {"pk": pk, "sk": sk, "publication": fields.pop("number"), **fields}


def _published_of(item: Item) -> Published:
    return read(Published, item, number=item["publication"])
