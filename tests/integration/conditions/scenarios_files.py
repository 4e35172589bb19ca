"""What must hold for files while others write: scenarios that fail without a condition."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shoal.adapters.dynamodb.files import DynamoDbFiles
from shoal.adapters.dynamodb.table import TransactionRefused
from shoal.domain.errors import NotFound, TooManyFiles
from shoal.domain.files.file import File, counted
from shoal.domain.ids import derived_id
from tests.integration.bench import Bench
from tests.integration.conditions.conditions import Meanwhile, client_of, over

NOW_MS = 1_764_000_000_000
BYTES_MAX = 1_000_000
ACCOUNT = "acc_1"


def a_file(name: str, size_bytes: int = 600_000) -> File:
    file_id = derived_id("file", NOW_MS, name)
    return File(file_id, ACCOUNT, False, name, "image/png", size_bytes, counted(size_bytes), NOW_MS)


def create(files: DynamoDbFiles, file: File) -> None:
    files.create(file, None, bytes_max=BYTES_MAX, now_ms=NOW_MS)


def while_another_comes(bench: Bench) -> DynamoDbFiles:
    """Files, of which another is created between the look at the quota and the write."""
    other = DynamoDbFiles(bench.table)
    client = Meanwhile(
        client_of(bench.table), lambda: create(other, a_file("other")), update=0, transaction=1
    )
    return DynamoDbFiles(over(bench.table, client))


def of_two_first_files_one_is_counted_after_the_other(bench: Bench) -> None:
    with pytest.raises(TooManyFiles):
        create(while_another_comes(bench), a_file("first"))
    create(DynamoDbFiles(bench.table), a_file("third", 400_000))


def of_two_more_files_one_is_counted_after_the_other(bench: Bench) -> None:
    create(DynamoDbFiles(bench.table), a_file("first", 100_000))
    with pytest.raises(TooManyFiles):
        create(while_another_comes(bench), a_file("second"))
    create(DynamoDbFiles(bench.table), a_file("third", 300_000))


def a_file_overwrites_no_file(bench: Bench) -> None:
    files = DynamoDbFiles(bench.table)
    create(files, a_file("first", 100_000))
    with pytest.raises(TransactionRefused):
        create(files, a_file("first", 200_000))
    assert files.get(ACCOUNT, a_file("first").id).size_bytes == 100_000


def a_file_is_deleted_once(bench: Bench) -> None:
    files, first = DynamoDbFiles(bench.table), a_file("first")
    create(files, first)
    create(files, a_file("second", 400_000))
    files.delete(first, gives_back=True)
    with pytest.raises(NotFound):
        files.delete(first, gives_back=True)
    create(files, a_file("third"))
    with pytest.raises(TooManyFiles):
        create(files, a_file("fourth", 1))


def a_look_makes_no_file(bench: Bench) -> None:
    files, first = DynamoDbFiles(bench.table), replace(a_file("first"), awaited=True)
    create(files, first)
    files.note_uploaded(replace(first, size_bytes=7, awaited=False))
    assert files.get(ACCOUNT, first.id) == replace(first, size_bytes=7, awaited=False)
    files.delete(first, gives_back=True)
    with pytest.raises(NotFound):
        files.note_uploaded(first)
    with pytest.raises(NotFound):
        files.get(ACCOUNT, first.id)
