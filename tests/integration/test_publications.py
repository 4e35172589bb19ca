"""Publications in the table and documents in the bucket: one at a time, whatever comes between."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from shoal.adapters.aws.s3_documents import S3Documents
from shoal.adapters.dynamodb.publications import DynamoDbPublications
from shoal.adapters.dynamodb.table import Table
from shoal.adapters.system import SystemClock
from shoal.domain.catalog import catalog_of
from shoal.domain.errors import PublishedMeanwhile
from shoal.domain.models.files import canonical, read_document
from shoal.domain.models.versions import Published, version_of
from shoal.use_cases.catalogs.publish_catalog import PublishCatalog
from tests.support.deployed import Deployed

AT_ONCE = 8


@pytest.fixture
def table(deployed: Deployed) -> Iterator[Table]:
    """One of its own: the functions of the shared stage go by what is published there."""
    client = deployed.cloud.client("dynamodb")
    client.create_table(
        TableName="publications",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    yield Table(client, "publications")
    client.delete_table(TableName="publications")


@pytest.fixture
def publish(table: Table, deployed: Deployed) -> PublishCatalog:
    """On a stage on which nothing was published."""
    documents = S3Documents(lambda: deployed.cloud.client("s3"), bucket_of(deployed), light=False)
    return PublishCatalog(DynamoDbPublications(table), documents, read_document(), catalog_of, SystemClock())


def bucket_of(deployed: Deployed) -> str:
    return deployed.cloud.outputs["CatalogBucketName"]


def document(number: int) -> bytes:
    return canonical(json.loads(read_document()) | {"price_version": f"number {number}"})


def test_what_is_published_is_read_again(publish: PublishCatalog) -> None:
    first = publish(document(1), by="a", note="because")
    second = publish(document(2), by="b")

    assert publish.current() == (second, document(2))
    assert first
    assert publish.history() == [second, first]
    assert publish.document(first.version[:10]) == document(1)


def test_of_many_publishers_at_once_each_is_first_once(publish: PublishCatalog) -> None:
    def put(number: int) -> Published | None:
        try:
            return publish(document(number), by=str(number))
        except PublishedMeanwhile:
            return None

    with ThreadPoolExecutor(AT_ONCE) as threads:
        done = [published for published in threads.map(put, range(AT_ONCE)) if published]

    history = list(reversed(publish.history()))
    assert history == sorted(done, key=lambda each: each.number)
    assert [each.number for each in history] == list(range(1, len(done) + 1))
    previous = [version_of(read_document()), *(each.version for each in history)]
    assert [each.previous for each in history] == previous[:-1]


READ = """
import sys
from shoal.adapters.aws.s3_documents import S3Documents

documents = S3Documents(None, sys.argv[1], light=True)
sys.stdout.buffer.write(documents.get(sys.argv[2]) or b"none")
"""


def read_in_a_function(deployed: Deployed, version: str) -> bytes:
    """What a process reads that has the environment of a function, and no client."""
    command = [sys.executable, "-c", READ, bucket_of(deployed), version]
    env = deployed.cloud.environment()
    done = subprocess.run(command, env=env, capture_output=True, check=True)  # noqa: S603 - our own
    return done.stdout


def test_a_function_reads_a_document_without_a_client(publish: PublishCatalog, deployed: Deployed) -> None:
    published = publish(document(1), by="a")

    assert published
    assert read_in_a_function(deployed, published.version) == document(1)
    assert read_in_a_function(deployed, "0" * 32) == b"none"
