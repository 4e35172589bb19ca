"""What must hold for publications of the catalog: scenarios that fail without a condition."""

from __future__ import annotations

import pytest

from shoal.adapters.dynamodb.publications import DynamoDbPublications
from shoal.domain.errors import PublishedMeanwhile
from shoal.domain.models.versions import Published
from tests.integration.bench import Bench


def a_publication(number: int, by: str) -> Published:
    return Published(number, by * 32, "0" * 32, at_ms=1_764_000_000_000 + number, by=by)


def of_two_first_publishers_one_is_told(bench: Bench) -> None:
    publications = DynamoDbPublications(bench.table)
    publications.add(a_publication(1, "a"), [])
    with pytest.raises(PublishedMeanwhile):
        publications.add(a_publication(1, "b"), [])
    assert publications.current() == a_publication(1, "a")


def of_two_later_publishers_one_is_told(bench: Bench) -> None:
    publications = DynamoDbPublications(bench.table)
    publications.add(a_publication(1, "a"), [])
    publications.add(a_publication(2, "b"), [])
    with pytest.raises(PublishedMeanwhile):
        publications.add(a_publication(2, "c"), [])
    assert list(publications.history(9)) == [a_publication(2, "b"), a_publication(1, "a")]
