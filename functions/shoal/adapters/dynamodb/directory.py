"""What people and operators page through in the table: entries, uses of keys, accounts, jobs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

from shoal.adapters.dynamodb import items
from shoal.adapters.dynamodb.outbox import outbox_updates
from shoal.adapters.dynamodb.pages import Page, Range, read_page
from shoal.adapters.dynamodb.table import ConditionFailed, Item, Table, TransactionRefused, Update
from shoal.adapters.dynamodb.values import read
from shoal.domain.errors import NotFound, ValidationFailed
from shoal.domain.events import suspended_event
from shoal.domain.job import Job
from shoal.domain.money import Asset
from shoal.domain.wallet import EntryKind, Movement
from shoal.ports.jobs import Due, JobPage
from shoal.ports.people import AccountPage, EntryPage

KEYS_AT_ONCE_MAX = 100
"""BatchGetItem's limit."""
READ_MAX = 1000
THERE = "attribute_exists(pk)"
ACTIVE = "attribute_exists(pk) AND attribute_not_exists(suspended)"
SUSPEND = "SET suspended = :yes"
RESUME = "REMOVE suspended"
YES = {":yes": True}
_CURSOR = re.compile(r"[\x21-\x7e]{1,300}")


class DynamoDbEntries:
    """Implements the `Entries` port. An entry sorts by its reference: a job's, or a top-up's, ULID."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def page(self, account_id: str, asset: Asset, *, limit: int, cursor: str | None) -> EntryPage:
        pk = items.wallet_key(account_id, asset)[0]
        arguments: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :entries)",
            "ConsistentRead": True,
            "ScanIndexForward": False,
            "Limit": limit,
            "values": {":pk": pk, ":entries": "ENTRY#"},
        }
        if cursor is not None:
            if not _CURSOR.fullmatch(cursor):
                raise ValidationFailed("The cursor is not one this page gave out.")
            arguments["ExclusiveStartKey"] = {"pk": {"S": pk}, "sk": {"S": f"ENTRY#{cursor}"}}
        found, last = next(self._table.query(**arguments))
        return EntryPage(tuple(map(_entry_of, found)), last["sk"].removeprefix("ENTRY#") if last else None)


class DynamoDbKeyUses:
    """Implements the `KeyUses` port, from what the rate limit keeps of a key's last request."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def last_used_ms(self, digests: Sequence[str], now_ms: int) -> dict[str, int]:
        uses = {}
        for start in range(0, len(digests), KEYS_AT_ONCE_MAX):
            keys = [items.api_key_key(digest) for digest in digests[start : start + KEYS_AT_ONCE_MAX]]
            for (pk, _), item in self._table.get_several(keys).items():
                # A `tat` is when the next request would be due: an interval after the last, or more.
                due = {"tat": items.limit_of(item), "poll_tat": items.limit_of(item).of_polls}
                used = [int(item[tat]) - limit.emission_ms for tat, limit in due.items() if tat in item]
                if used:
                    uses[pk.removeprefix("KEY#")] = min(max(used), now_ms)
        return uses


class DynamoDbDirectory:
    """Implements the `AccountDirectory` port."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def page(self, *, limit: int, cursor: str | None) -> AccountPage:
        all_of_them = Range.of(items.ACCOUNTS, "ACCOUNT#", None, None, cursor)
        page = read_page(
            self._table, all_of_them, items.account_of, lambda _: True, limit=limit, read_max=READ_MAX
        )
        return AccountPage(page.found, page.next_cursor)

    def open_jobs(self, *, limit: int) -> list[Job]:
        found: list[Due] = []
        for shard in items.OPEN_SHARDS:
            pages = self._table.query(
                IndexName=items.OPEN_JOBS_INDEX,
                KeyConditionExpression="open_shard = :shard",
                Limit=limit,
                values={":shard": shard},
            )
            found += map(items.due_of, next(pages)[0])
        keys = [
            items.job_key(due.account_id, due.ulid) for due in sorted(found)[: min(limit, KEYS_AT_ONCE_MAX)]
        ]
        some = self._table.get_several(keys) if keys else {}
        return [items.job_of(some[key]) for key in keys if key in some]

    def failed_jobs(self, *, limit: int, cursor: str | None) -> JobPage:
        pages = [self._failed_keys(shard, limit, cursor) for shard in items.FAILED_SHARDS]
        keys = sorted((key for page in pages for key in page.found), key=itemgetter(1), reverse=True)
        found = self._table.get_several(keys[:limit]) if keys else {}
        jobs = tuple(items.job_of(found[key]) for key in keys[:limit])
        more = len(keys) > limit or any(page.next_cursor for page in pages)
        return JobPage(jobs, jobs[-1].ulid if more else None)

    def suspend(self, account_id: str, now_ms: int) -> None:
        # The account first: from then on no key is added, so that none is missed below.
        there = Update(items.account_key(account_id), SUSPEND, ACTIVE, YES)
        try:
            self._table.transact([there, *outbox_updates([suspended_event(account_id, now_ms)])])
        except TransactionRefused as refused:
            if refused.reasons[0].item is None:
                raise NotFound("No such account.") from None
        self._mark_keys(account_id, SUSPEND, YES)

    def resume(self, account_id: str) -> None:
        try:
            self._table.update(Update(items.account_key(account_id), RESUME, THERE))
        except ConditionFailed:
            raise NotFound("No such account.") from None
        self._mark_keys(account_id, RESUME, None)

    def _failed_keys(self, shard: str, limit: int, cursor: str | None) -> Page[items.Key]:
        every = Range.of(shard, "JOB#", None, None, cursor)
        within = replace(every, index=items.FAILED_JOBS_INDEX, attribute="failed_shard")
        return read_page(self._table, within, _key_of, lambda _: True, limit=limit, read_max=READ_MAX)

    def _mark_keys(self, account_id: str, expression: str, values: dict[str, Any] | None) -> None:
        pk, first = items.account_api_key_key(account_id, "")
        pages = self._table.query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :keys)",
            ConsistentRead=True,
            values={":pk": pk, ":keys": first},
        )
        for key in (item for some, _ in pages for item in some):
            self._table.update(Update(items.api_key_key(key["digest"]), expression, THERE, values))
        self._table.update(Update(items.listed_account_key(account_id), expression, THERE, values))


def _key_of(item: Item) -> items.Key:
    return item["pk"], item["sk"]


def _entry_of(item: Item) -> Movement:
    return read(Movement, item, asset=Asset(item["asset"]), kind=EntryKind(item["kind"]))
