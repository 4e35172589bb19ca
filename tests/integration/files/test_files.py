"""Files over the real table and bucket: quotas under races, records, and uploads to signed addresses."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import requests

from shoal.adapters.aws.s3_files import S3FileObjects
from shoal.adapters.dynamodb.files import DynamoDbFiles
from shoal.adapters.dynamodb.idempotency import DynamoDbIdempotencyRecords
from shoal.adapters.dynamodb.limits import DynamoDbFetching
from shoal.dialects.files import file_resource
from shoal.domain.api_key import Caller, Scope
from shoal.domain.errors import NotFound, OutputInvalid, TooManyFiles
from shoal.domain.files.file import LIFETIME_MS
from shoal.domain.idempotency import IdempotencyKey
from shoal.domain.rate_limit import Allowance, RateLimit
from shoal.use_cases.files.manage_files import ManageFiles, NewFile, NewUpload, Upload
from shoal.use_cases.files.open_file import OpenFile
from tests.integration.bench import Bench
from tests.support.deployed import Deployed

BYTES_MAX = 1_000_000
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
SECONDS_MAX = 20
NOTHING_ELSE: Mapping[str, str] = {}


@pytest.fixture
def manage(deployed: Deployed, bench: Bench) -> ManageFiles:
    """The use cases over an empty table and the stage's own bucket."""
    return ManageFiles(
        DynamoDbFiles(bench.table),
        S3FileObjects(deployed.cloud.client("s3"), deployed.cloud.outputs["StagingBucketName"]),
        DynamoDbIdempotencyRecords(bench.table),
        DynamoDbFetching(bench.table, 100_000_000),
        bench.clock,
        bench.ids,
        BYTES_MAX,
    )


@pytest.fixture
def opened(manage: ManageFiles, bench: Bench) -> OpenFile:
    return OpenFile(manage.files, manage.objects, bench.clock)


def caller(account_id: str = "acc_files", *, test: bool = False) -> Caller:
    return Caller(account_id, "key_1", frozenset(Scope), test, Allowance(RateLimit(), 0, 0))


def key(name: str, data: bytes) -> IdempotencyKey:
    said = {"sha256": hashlib.sha256(data).hexdigest()}
    return IdempotencyKey.of("acc_files", "POST /v1/files", name, said)


def keep(manage: ManageFiles, data: bytes = PNG, of: Caller | None = None, name: str | None = None) -> str:
    new = NewFile("shark.png", data, {"weight": 4.5})
    answered = manage.keep(of or caller(), lambda: new, key(name, data) if name else None, file_resource)
    return str(answered.body["id"])


def order(manage: ManageFiles, size_bytes: int = len(PNG)) -> tuple[str, Upload]:
    new = NewUpload("shark.png", "image/png", size_bytes)
    answered = manage.order(caller(), lambda: new, None, file_resource)
    assert answered.upload
    return str(answered.body["id"]), answered.upload


def send(upload: Upload, data: bytes = PNG, headers: Mapping[str, str] = NOTHING_ELSE) -> int:
    """The status of a PUT to an upload's address."""
    sent = {**upload.address.headers, "Content-Length": str(len(data)), **headers}
    answer = requests.put(upload.address.url, data=data, headers=sent, timeout=SECONDS_MAX)
    return answer.status_code


@pytest.mark.parametrize("size_bytes", [300_000, 1])
def test_writers_at_once_keep_what_fits_and_no_more(manage: ManageFiles, size_bytes: int) -> None:
    """Of eight that each fit alone; the smallest count for 0.1 MB, and of these ten fit."""
    data = PNG.ljust(size_bytes)
    fit = BYTES_MAX // max(size_bytes, 100_000)

    def one(_: int) -> str:
        try:
            return keep(manage, data)
        except TooManyFiles:
            return "refused"

    with ThreadPoolExecutor(4) as threads:
        kept = Counter(each.partition("_")[0] for each in threads.map(one, range(12)))
    assert kept == {"file": fit, "refused": 12 - fit}


def test_one_key_at_once_makes_one_file(manage: ManageFiles) -> None:
    with ThreadPoolExecutor(4) as threads:
        ids = set(threads.map(lambda _: keep(manage, name="k"), range(6)))

    assert len(ids) == 1
    page = manage.list(caller(), limit=10, cursor=None)
    assert {file.id for file in page.files} == ids
    assert manage.read(caller(), ids.pop()).metadata == {"weight": 4.5}


def test_a_file_is_kept_listed_opened_and_gone(manage: ManageFiles, opened: OpenFile, bench: Bench) -> None:
    ids = [keep(manage) for _ in range(3)]

    assert opened(caller(), ids[0], 1_000) == PNG
    first = manage.list(caller(), limit=2, cursor=None)
    rest = manage.list(caller(), limit=2, cursor=first.next_cursor)
    assert {file.id for file in (*first.files, *rest.files)} == set(ids)
    assert rest.next_cursor is None
    manage.delete(caller(), ids[0])
    with pytest.raises(OutputInvalid):
        opened(caller(), ids[0], 1_000)
    bench.clock.pass_seconds(LIFETIME_MS // 1000)
    assert manage.list(caller(), limit=2, cursor=None).files == ()


def test_a_table_item_goes_by_itself(manage: ManageFiles, bench: Bench) -> None:
    file = manage.read(caller(), keep(manage))
    item = bench.table.get(f"FILES#{file.account_id}", f"FILE#{file.ulid}")

    assert item
    assert item["expires_at"] * 1000 >= file.expires_at_ms


@pytest.mark.parametrize("other", [caller("acc_other"), caller(test=True)])
def test_another_account_or_mode_finds_nothing(manage: ManageFiles, opened: OpenFile, other: Caller) -> None:
    file_id = keep(manage)

    with pytest.raises(NotFound):
        manage.read(other, file_id)
    with pytest.raises(NotFound):
        manage.delete(other, file_id)
    with pytest.raises(OutputInvalid, match="no file with this id"):
        opened(other, file_id, 1_000)
    assert opened(caller(), file_id, 1_000) == PNG


def test_an_upload_goes_to_its_address_once(manage: ManageFiles, opened: OpenFile) -> None:
    file_id, upload = order(manage)
    assert manage.read(caller(), file_id).awaited
    with pytest.raises(OutputInvalid, match="has no bytes yet"):
        opened(caller(), file_id, 1_000)

    assert send(upload) == 200

    read = manage.read(caller(), file_id)
    assert (read.awaited, read.content_type, read.size_bytes) == (False, "image/png", len(PNG))
    assert opened(caller(), file_id, 1_000) == PNG
    assert send(upload, PNG[:-1] + b"!") == 412
    assert opened(caller(), file_id, 1_000) == PNG


def test_an_upload_of_another_size_type_or_without_its_condition_is_not_taken(manage: ManageFiles) -> None:
    file_id, upload = order(manage)

    assert send(upload, PNG + b"!") == 403
    assert send(upload, headers={"Content-Type": "text/html"}) == 403
    assert send(upload, headers={"If-None-Match": ""}) == 403
    assert manage.read(caller(), file_id).awaited


def test_an_address_of_an_upload_reads_and_deletes_nothing(manage: ManageFiles) -> None:
    _, upload = order(manage)
    send(upload)

    assert requests.get(upload.address.url, timeout=SECONDS_MAX).status_code == 403
    assert requests.delete(upload.address.url, timeout=SECONDS_MAX).status_code == 403


def test_what_was_uploaded_and_is_too_large_is_refused_when_it_is_opened(
    manage: ManageFiles, opened: OpenFile
) -> None:
    """AWS takes no other length at the address; whatever is there all the same is looked at."""
    file_id, _ = order(manage)
    file = manage.read(caller(), file_id)
    manage.objects.put(file, PNG + b"!")

    with pytest.raises(OutputInvalid, match="more than the 264 bytes that were declared"):
        opened(caller(), file_id, 1_000)
    with pytest.raises(OutputInvalid, match="at most 100 bytes"):
        opened(caller(), file_id, 100)
    assert manage.read(caller(), file_id).awaited
    manage.objects.put(file, b"")
    assert manage.read(caller(), file_id).awaited


def test_a_file_without_its_object_is_told_so(manage: ManageFiles, opened: OpenFile) -> None:
    file_id = keep(manage)
    manage.objects.delete(replace(manage.read(caller(), file_id)))

    with pytest.raises(OutputInvalid, match="no file with this id"):
        opened(caller(), file_id, 1_000)
    manage.delete(caller(), file_id)
