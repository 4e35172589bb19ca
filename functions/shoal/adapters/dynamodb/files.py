"""Files in the table, in a partition of their own per account, with what they count for beside them.

DynamoDB deletes an item some time after it has expired. Its bytes are free again by their hour: nothing has
to learn of the deletion.
"""

from __future__ import annotations

import json
from dataclasses import asdict

from shoal.adapters.dynamodb.idempotency import write_with_record
from shoal.adapters.dynamodb.items import Key
from shoal.adapters.dynamodb.pages import Range, read_page
from shoal.adapters.dynamodb.table import (
    CONFLICT_ATTEMPTS_MAX,
    ConditionFailed,
    Delete,
    Item,
    Put,
    Table,
    TransactionRefused,
    Update,
)
from shoal.adapters.dynamodb.values import read
from shoal.domain.errors import Unavailable
from shoal.domain.files.file import LIFETIME_MS, File, Kept, hour_of, known_ulid, no_such_file
from shoal.domain.idempotency import IdempotencyRecord
from shoal.domain.text import json_text
from shoal.ports.files import FilePage

FIRST = "attribute_not_exists(pk)"
UNCHANGED = "version = :seen"
EXISTS = "attribute_exists(pk)"
READ_MAX = 1_000
KEPT_MS = 2 * LIFETIME_MS


def partition(account_id: str) -> str:
    """All files of an account, and what they count for."""
    return f"FILES#{account_id}"


def file_key(account_id: str, ulid: str) -> Key:
    return partition(account_id), f"FILE#{ulid}"


def kept_key(account_id: str) -> Key:
    return partition(account_id), "KEPT"


class DynamoDbFiles:
    """Implements the `Files` port."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def check_room(self, file: File, bytes_max: int) -> None:
        self._kept(file.account_id).with_file(file, bytes_max)

    def create(
        self, file: File, record: IdempotencyRecord | None, *, bytes_max: int, now_ms: int
    ) -> IdempotencyRecord | None:
        for attempt in range(CONFLICT_ATTEMPTS_MAX):
            kept = self._kept(file.account_id)
            counted = _count(file, kept, kept.with_file(file, bytes_max))
            try:
                return write_with_record(self._table, [counted, Put(_item(file))], record, now_ms)
            except TransactionRefused as refused:
                if not refused.failed(0):
                    raise
            self._table.wait_for_others(attempt)
        raise Unavailable(retry_after_seconds=1)

    def get(self, account_id: str, file_id: str) -> File:
        item = self._table.get(*file_key(account_id, known_ulid(file_id)))
        if item is None:
            raise no_such_file()
        return file_of(item)

    def page(self, account_id: str, *, test: bool, limit: int, cursor: str | None, now_ms: int) -> FilePage:
        within = Range.of(partition(account_id), "FILE#", now_ms - LIFETIME_MS, None, cursor)
        found = read_page(
            self._table,
            within,
            file_of,
            lambda file: file.test == test and now_ms < file.expires_at_ms,
            limit=limit,
            read_max=READ_MAX,
        )
        return FilePage(found.found, found.next_cursor)

    def note_uploaded(self, file: File) -> None:
        values = {":type": file.content_type, ":size": file.size_bytes, ":no": False}
        expression = "SET content_type = :type, size_bytes = :size, awaited = :no"
        try:
            self._table.update(Update(file_key(file.account_id, file.ulid), expression, EXISTS, values))
        except ConditionFailed:
            raise no_such_file() from None

    def delete(self, file: File, *, gives_back: bool) -> None:
        gone = Delete(file_key(file.account_id, file.ulid))
        try:
            self._table.transact([gone, _give_back(file)] if gives_back else [gone])
        except TransactionRefused:
            raise no_such_file() from None

    def _kept(self, account_id: str) -> Kept:
        item = self._table.get(*kept_key(account_id))
        if item is None:
            return Kept()
        return Kept({int(hour): kept for hour, kept in item["by_hour"].items()}, item["version"])


def _count(file: File, before: Kept, after: Kept) -> Update:
    expires_at = (file.created_at_ms + KEPT_MS) // 1000
    values = {
        ":hours": {str(hour): kept for hour, kept in after.by_hour.items()},
        ":next": after.version,
        ":expires": expires_at,
    }
    key, expression = (
        kept_key(file.account_id),
        "SET by_hour = :hours, version = :next, expires_at = :expires",
    )
    if before.version:
        return Update(key, expression, UNCHANGED, values | {":seen": before.version})
    return Update(key, expression, FIRST, values)


def _give_back(file: File) -> Update:
    return Update(
        kept_key(file.account_id),
        "ADD by_hour.#hour :less, version :one",
        None,  # its file is there, and so was counted: the deletion's own condition stands for both
        {":less": -file.counted_bytes, ":one": 1},
        {"#hour": str(hour_of(file))},
    )


def _item(file: File) -> Item:
    pk, sk = file_key(file.account_id, file.ulid)
    metadata = None if file.metadata is None else json_text(file.metadata)
    return {
        "pk": pk,
        "sk": sk,
        **asdict(file),
        "metadata": metadata,
        "expires_at": file.expires_at_ms // 1000 + 1,  # DynamoDB's clock for deletion: whole seconds
    }


def file_of(item: Item) -> File:
    metadata = json.loads(item["metadata"]) if "metadata" in item else None
    return read(File, item, metadata=metadata)
