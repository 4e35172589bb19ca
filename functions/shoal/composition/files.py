"""Builder of the function of files."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from shoal import settings as environment
from shoal.composition.parts import client, clock, ids, named_table, settings_of

if TYPE_CHECKING:
    from shoal.use_cases.files.manage_files import ManageFiles

MB = 1_000_000


@cache
def manage_files() -> ManageFiles:
    from shoal.adapters.aws.s3_files import S3FileObjects
    from shoal.adapters.dynamodb.files import DynamoDbFiles
    from shoal.adapters.dynamodb.idempotency import DynamoDbIdempotencyRecords
    from shoal.adapters.dynamodb.limits import DynamoDbFetching
    from shoal.use_cases.files.manage_files import ManageFiles

    settings = settings_of(environment.ManageFilesSettings)
    table = named_table(settings.table)
    return ManageFiles(
        files=DynamoDbFiles(table),
        objects=S3FileObjects(client("s3"), settings.staging_bucket),
        records=DynamoDbIdempotencyRecords(table),
        fetching=DynamoDbFetching(table, settings.fetched_mb_max * MB),
        clock=clock,
        ids=ids,
        bytes_max=settings.files_mb_max * MB,
    )
