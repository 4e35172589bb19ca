"""Idempotency records in the table: written in the transaction of what they protect."""

from __future__ import annotations

import json
from contextlib import suppress

from shoal.adapters.dynamodb.items import idempotency_key
from shoal.adapters.dynamodb.table import (
    ConditionFailed,
    Item,
    Put,
    Table,
    TransactionContended,
    TransactionRefused,
    Update,
)
from shoal.domain.errors import IdempotencyInFlight, Unavailable
from shoal.domain.idempotency import IdempotencyKey, IdempotencyRecord
from shoal.domain.text import json_text

UNUSED = "attribute_not_exists(pk) OR expires_at <= :now_s"
KEPT = "attribute_exists(pk)"


class DynamoDbIdempotencyRecords:
    """Implements the `IdempotencyRecords` port."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find_record(self, key: IdempotencyKey, now_ms: int) -> IdempotencyRecord | None:
        return find_record(self._table, key, now_ms)

    def add(self, record: IdempotencyRecord, now_ms: int) -> IdempotencyRecord | None:
        return write_with_record(self._table, [], record, now_ms)

    def finish(self, record: IdempotencyRecord) -> None:
        values = {":status": record.status, ":body": json_text(record.body)}
        expression = "SET answer_status = :status, answer_body = :body REMOVE begun"
        key = idempotency_key(record.key.account_id, record.key.route, record.key.key)
        # It is not kept any more after a day; where it stays begun, a repeated request does all of it again.
        with suppress(ConditionFailed, Unavailable):
            self._table.update(Update(key, expression, KEPT, values))


def find_record(table: Table, key: IdempotencyKey, now_ms: int) -> IdempotencyRecord | None:
    """The record of an earlier request with this key. Raises `IdempotencyKeyReused`."""
    for text in key.spellings:
        item = table.get(*idempotency_key(key.account_id, key.route, text))
        if item is not None and int(item["expires_at"]) > now_ms // 1000:
            return record_of(item, key)
    return None


def record_put(record: IdempotencyRecord, now_ms: int) -> Put:
    """A record's part of a transaction."""
    pk, sk = idempotency_key(record.key.account_id, record.key.route, record.key.key)
    item = {
        "pk": pk,
        "sk": sk,
        "fingerprint": record.key.fingerprint,
        "job_id": record.job_id,
        "answer_status": record.status,
        "answer_body": json_text(record.body),
        "expires_at": record.expires_at_ms // 1000,
        **({} if record.done else {"begun": True}),
    }
    return Put(item, UNUSED, {":now_s": now_ms // 1000})


def record_of(item: Item | None, again: IdempotencyKey) -> IdempotencyRecord:
    """The record that stood in the way. Raises `IdempotencyKeyReused`, `IdempotencyInFlight`."""
    if item is None:
        raise IdempotencyInFlight(retry_after_seconds=1)
    key = IdempotencyKey(again.account_id, again.route, again.key, item["fingerprint"])
    body = json.loads(item["answer_body"])
    record = IdempotencyRecord(
        key,
        item["job_id"],
        int(item["answer_status"]),
        body,
        int(item["expires_at"]) * 1000,
        done="begun" not in item,
    )
    return record.replay(again)


def write_with_record(
    table: Table, parts: list[Put | Update], record: IdempotencyRecord | None, now_ms: int
) -> IdempotencyRecord | None:
    """One transaction with the record in it. Returns the earlier record if that stood in the way."""
    try:
        table.transact([*parts, record_put(record, now_ms)] if record else parts, find=True)
    except TransactionContended as contended:
        if record and contended.by_the_last:
            raise IdempotencyInFlight(retry_after_seconds=1) from None
        raise
    except TransactionRefused as refused:
        if record and refused.failed(len(parts)):
            return record_of(refused.reasons[-1].item, record.key)
        raise
    return None
