"""Catalogs that are published: who goes by which, what is kept, and what a damaged one does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from shoal.domain.catalog import Catalog, catalog_of, load_catalog
from shoal.domain.errors import NotFound, PublishedMeanwhile, Unavailable
from shoal.domain.models.files import canonical, read_document
from shoal.domain.models.versions import Published, version_of
from shoal.use_cases.catalogs.publish_catalog import PublishCatalog
from shoal.use_cases.catalogs.read_catalogs import LIFETIME_MS, ReadCatalogs
from tests.fakes import FakeClock, Network
from tests.fakes.catalogs import FakeDocuments, FakePublications
from tests.fakes.network import Fault

PACKAGED = read_document()
WHO = "arn:aws:iam::123456789012:user/operator"


def with_price_version(name: str) -> bytes:
    """The packaged catalog under another price version."""
    return canonical(json.loads(PACKAGED) | {"price_version": name})


@dataclass
class Stage:
    """A stage's publications, and as many functions as a test starts."""

    network: Network = field(default_factory=Network)
    clock: FakeClock = field(default_factory=FakeClock)
    alarms: list[None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.publications, self.documents = FakePublications(self.network), FakeDocuments(self.network)
        self.publish = PublishCatalog(self.publications, self.documents, PACKAGED, catalog_of, self.clock)

    def function(self, packaged: Catalog | None = None) -> ReadCatalogs:
        return ReadCatalogs(
            packaged or load_catalog(),
            self.publications,
            self.documents,
            catalog_of,
            lambda: self.alarms.append(None),
            self.clock,
        )

    def put(self, name: str) -> Published:
        published = self.publish(with_price_version(name), by=WHO, note=f"because of {name}")
        assert published
        return published

    def pass_lifetime(self) -> None:
        self.clock.pass_seconds(LIFETIME_MS / 1000)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_new_stage_goes_by_the_packaged_catalog(stage: Stage) -> None:
    function = stage.function()

    assert function.current() is function.packaged
    assert stage.publish.current() == (None, PACKAGED)


def test_a_published_catalog_holds_within_half_a_minute_and_jobs_keep_theirs(stage: Stage) -> None:
    function = stage.function()
    before = function.current()
    published = stage.put("tomorrow")

    assert function.current() is before
    stage.pass_lifetime()
    assert function.current().price_version == "tomorrow"
    assert function.current().version == published.version
    assert function.of(before.version) is before
    assert function.of("") is function.packaged
    assert stage.function().current().price_version == "tomorrow"


def test_reads_are_few(stage: Stage) -> None:
    stage.put("tomorrow")
    function = stage.function()
    stage.network.calls.clear()

    for _ in range(5):
        function.read_ahead()
        function.current()

    assert stage.network.calls == ["publications.current", "documents.get"]


def test_a_job_of_a_version_nobody_goes_by_any_more_is_finished_by_it(stage: Stage) -> None:
    first = stage.put("first")
    stage.put("second")

    assert stage.function().of(first.version).price_version == "first"


def test_a_publication_is_recorded_and_told_of(stage: Stage) -> None:
    first, second = stage.put("first"), stage.put("second")

    assert (first.number, first.previous) == (1, version_of(PACKAGED))
    assert (second.number, second.previous, second.by) == (2, first.version, WHO)
    assert stage.publish.history() == [second, first]
    assert [(event.type, event.detail["data"]) for event in stage.publications.told][1] == (
        "catalog.published",
        {
            "version": second.version,
            "previous_version": first.version,
            "published_by": WHO,
            "note": "because of second",
        },
    )


def test_the_same_catalog_again_changes_nothing(stage: Stage) -> None:
    assert stage.publish(PACKAGED, by=WHO) is None
    stage.put("first")

    assert stage.publish(with_price_version("first"), by=WHO) is None
    assert len(stage.publish.history()) == 1


def test_of_two_publishers_at_once_one_is_told(stage: Stage) -> None:
    stage.put("first")
    stage.network.before("publications.add", lambda: stage.put("faster"))

    with pytest.raises(PublishedMeanwhile):
        stage.put("slower")

    assert [each.note for each in stage.publish.history()] == ["because of faster", "because of first"]


@pytest.mark.parametrize("document", [b"[]", b"{}", b'{"models": {}}', b"not JSON"])
def test_what_is_no_catalog_is_not_published(stage: Stage, document: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        stage.publish(document, by=WHO)

    assert (stage.publish.history(), stage.documents.kept) == ([], {})


def test_a_rollback_goes_to_the_version_before_or_to_the_one_named(stage: Stage) -> None:
    with pytest.raises(NotFound):
        stage.publish.roll_back(by=WHO)
    first, second = stage.put("first"), stage.put("second")

    back = stage.publish.roll_back(by=WHO, note="oops")
    assert back
    assert (back.number, back.version, back.previous) == (3, first.version, second.version)
    again = stage.publish.roll_back(second.version[:8], by=WHO)
    assert again
    assert again.version == second.version
    to_the_code = stage.publish.roll_back(version_of(PACKAGED), by=WHO)
    assert to_the_code
    assert to_the_code.version == version_of(PACKAGED)
    with pytest.raises(NotFound):
        stage.publish.roll_back("ffffffff", by=WHO)


def test_a_deployment_does_not_replace_what_is_published(stage: Stage) -> None:
    published = stage.put("published")
    of_tomorrow = catalog_of(with_price_version("deployed tomorrow"))

    assert stage.function(of_tomorrow).current().version == published.version
    back = stage.publish.roll_back(by=WHO)
    assert back
    assert stage.function(of_tomorrow).current().version == version_of(PACKAGED)


def lose(stage: Stage, version: str) -> None:
    del stage.documents.kept[version]


def damage(stage: Stage, version: str) -> None:
    stage.documents.kept[version] = stage.documents.kept[version].replace(b"second", b"secret")


def hide(stage: Stage, _: str) -> None:
    stage.network.fail("documents.get", Unavailable())


@pytest.mark.parametrize("harm", [lose, damage])
def test_what_cannot_be_used_leaves_the_last_good_one_and_rings(
    stage: Stage, harm: Callable[[Stage, str], None]
) -> None:
    first = stage.put("first")
    function = stage.function()
    assert function.current().version == first.version
    harm(stage, stage.put("second").version)
    stage.pass_lifetime()

    assert function.current().version == first.version
    assert stage.function().current().version == first.version
    assert len(stage.alarms) == 2


def test_without_any_good_one_the_packaged_one_holds(stage: Stage) -> None:
    stage.put("first")
    hide(stage, "")

    assert stage.function().current().version == version_of(PACKAGED)
    assert stage.alarms


def test_a_table_out_of_reach_leaves_things_as_they_are(stage: Stage) -> None:
    first = stage.put("first")
    function = stage.function()
    assert function.current().version == first.version
    stage.network.fail("publications.current", Unavailable())
    stage.pass_lifetime()

    assert function.current().version == first.version


def test_a_job_whose_version_is_lost_goes_by_the_current_one(stage: Stage) -> None:
    first = stage.put("first")
    second = stage.put("second")
    lose(stage, first.version)

    assert stage.function().of(first.version).version == second.version


@pytest.mark.parametrize("crash", range(4))
def test_a_publication_may_break_off_anywhere_and_be_made_again(stage: Stage, crash: int) -> None:
    stage.network.faults.append(Fault(Unavailable(), index=crash, lost_reply=True))
    with pytest.raises(Unavailable):
        stage.put("first")
    stage.network.heal()

    stage.publish(with_price_version("first"), by=WHO)

    assert stage.function().current().price_version == "first"
    assert len(stage.publish.history()) == 1
