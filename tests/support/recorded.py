"""The items of earlier versions in a table like the stack's own, in an empty local cloud."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from infra.constructs.storage import FAILED_JOBS, OPEN_JOBS
from infra.local.aws import Endpoint
from shoal.adapters.dynamodb.table import Table
from shoal.adapters.dynamodb.values import unmarshal
from tests.fixtures.files import Json, load

INDEXES = {OPEN_JOBS: ("open_shard", "deadline_at"), FAILED_JOBS: ("failed_shard", "sk")}
TYPES = {"pk": "S", "sk": "S", "open_shard": "S", "deadline_at": "N", "failed_shard": "S"}


def empty_table(endpoint: Endpoint) -> tuple[Table, str]:
    """A table with the stack's keys and indexes, and its name."""
    name = f"recorded-{uuid4().hex}"
    endpoint.client("dynamodb").create_table(
        TableName=name,
        KeySchema=_keys("pk", "sk"),
        AttributeDefinitions=[
            {"AttributeName": attribute, "AttributeType": kind} for attribute, kind in TYPES.items()
        ],
        GlobalSecondaryIndexes=[
            {"IndexName": index, "KeySchema": _keys(*names), "Projection": {"ProjectionType": "KEYS_ONLY"}}
            for index, names in INDEXES.items()
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return Table(endpoint.client("dynamodb"), name), name


def _keys(partition: str, sort: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]


class Recorded:
    """One version's items by name. Each is put into the table when it is asked for.

    Several of them are one item at different moments of its life.
    """

    def __init__(self, endpoint: Endpoint, version: str) -> None:
        self.table, self._name = empty_table(endpoint)
        self._client = endpoint.client("dynamodb")
        self._items = load(version, "items")

    def names(self, family: str = "") -> list[str]:
        """Those of a family, such as `job.`, sorted; all without one."""
        return sorted(name for name in self._items if name.startswith(family))

    def item(self, name: str) -> Json:
        """The item as Python values."""
        return unmarshal(self._items[name])

    def put(self, name: str) -> Json:
        """The same, now in the table."""
        self.put_raw(self._items[name])
        return self.item(name)

    def put_as(self, name: str, sk: str, **strings: str) -> None:
        """The same at another sort key and with other strings in it."""
        changed = {field: {"S": text} for field, text in (strings | {"sk": sk}).items()}
        self.put_raw(self._items[name] | changed)

    def put_raw(self, item: Any) -> None:
        self._client.put_item(TableName=self._name, Item=item)

    def put_all(self, names: Iterable[str]) -> list[Json]:
        return [self.put(name) for name in names]
