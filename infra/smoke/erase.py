"""Remove the walk's account from the stage: what it owns, not what the stage counts of all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from shoal.adapters.dynamodb import files, items
from shoal.adapters.dynamodb.limits import limits_key
from shoal.adapters.dynamodb.table import Item, Table
from shoal.composition.operator import Operator
from shoal.domain.files.file import FOLDER
from shoal.domain.job import Job, output_folder
from shoal.domain.money import Asset
from shoal.domain.video import folder
from shoal.ports.jobs import JobFilter

ENDED_SECONDS_MAX = 300.0
PAUSE_SECONDS = 1.0
DELETE_MAX = 25
"""Requests of one BatchWriteItem (DynamoDB Developer Guide, "Service quotas")."""
JOBS_MAX = 100


class StillOpen(Exception):
    """Jobs of the account did not end: their account stays, so that their money stays accounted for."""


def erase(operator: Operator, client: Callable[..., Any], outputs: dict[str, str], account_id: str) -> int:
    """Delete files, jobs, wallets, entries, keys and the account. Returns how many items. Raises `StillOpen`.

    Not the records of who granted it what, which are the operators'; nor what expires by itself within days:
    idempotency, deliveries.
    """
    deadline = time.monotonic() + ENDED_SECONDS_MAX
    while any(not job.status.terminal for job in _jobs(operator, account_id)):
        if time.monotonic() > deadline:
            raise StillOpen(f"jobs of {account_id} are open: see `shoal jobs list {account_id}`")
        time.sleep(PAUSE_SECONDS)
    s3 = client("s3")
    for job in _jobs(operator, account_id):
        _delete_under(s3, outputs["OutputsBucketName"], output_folder(job))
        _delete_under(s3, outputs["VideosBucketName"], folder(job.id))
    _delete_under(s3, outputs["StagingBucketName"], f"{FOLDER}{account_id}/")
    table, name = Table(client("dynamodb"), outputs["TableName"]), outputs["TableName"]
    keys = [(item["pk"], item["sk"]) for item in _owned(table, operator, account_id)]
    # The list of all accounts last: until then an operator finds what is left of it.
    keys.append(items.listed_account_key(account_id))
    for start in range(0, len(keys), DELETE_MAX):
        _delete(client("dynamodb"), name, keys[start : start + DELETE_MAX])
    return len(keys)


def _delete_under(s3: Any, bucket: str, prefix: str) -> None:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=found["Key"])


def _jobs(operator: Operator, account_id: str) -> Sequence[Job]:
    return operator.inspect.list_jobs(account_id, JobFilter(), limit=JOBS_MAX, cursor=None).jobs


def _owned(table: Table, operator: Operator, account_id: str) -> Iterator[Item]:
    for job in _jobs(operator, account_id):
        yield from _partition(table, items.scene_key(job.id, 0)[0])
    for key in operator.inspect.list_keys(account_id):
        pk, sk = items.api_key_key(key.digest)
        yield {"pk": pk, "sk": sk}
    for asset in Asset:
        yield from _partition(table, items.wallet_key(account_id, asset)[0])
    yield from _partition(table, f"WEBHOOKS#{account_id}")
    yield from _partition(table, files.partition(account_id))
    yield from _partition(table, limits_key(account_id, "")[0])
    yield from _partition(table, items.account_key(account_id)[0])


def _partition(table: Table, pk: str) -> Iterator[Item]:
    arguments = {
        "KeyConditionExpression": "pk = :pk",
        "values": {":pk": pk},
        "ConsistentRead": True,
    }
    for page, _ in table.query(**arguments):
        yield from page


def _delete(dynamodb: Any, table: str, keys: list[tuple[str, str]]) -> None:
    left: Any = {table: [{"DeleteRequest": {"Key": {"pk": {"S": pk}, "sk": {"S": sk}}}} for pk, sk in keys]}
    while left:
        left = dynamodb.batch_write_item(RequestItems=left).get("UnprocessedItems")
