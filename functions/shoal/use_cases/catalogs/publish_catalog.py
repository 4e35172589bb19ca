"""Publish: check a catalog, keep its document, make it the current one. No function is deployed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shoal.domain.catalog import Catalog
from shoal.domain.errors import NotFound
from shoal.domain.events import catalog_published_event
from shoal.domain.models.versions import Published, version_of
from shoal.ports.catalogs import CatalogDocuments, Publications
from shoal.ports.system import Clock

HISTORY_MAX = 100


@dataclass(frozen=True, slots=True)
class PublishCatalog:
    """`packaged` is the document that came with the code.

    `parse` raises `ValueError` for what is no catalog.
    """

    publications: Publications
    documents: CatalogDocuments
    packaged: bytes
    parse: Callable[[bytes], Catalog]
    clock: Clock

    def __call__(self, document: bytes, *, by: str, note: str = "") -> Published | None:
        """The publication; None if this very catalog is the current one.

        Raises `ValueError` for what is no catalog, `PublishedMeanwhile`, `Unavailable`: nothing changes then.
        """
        self.parse(document)
        return self._publish(document, by, note)

    def roll_back(self, version: str | None = None, *, by: str, note: str = "") -> Published | None:
        """Make a version current again that was published before; without one, the previous of the current.

        A version may be given by its first letters. Raises as a publication, and `NotFound`.
        """
        current = self.publications.current()
        if version is None:
            if current is None:
                raise NotFound("Nothing was published: there is nothing to go back to.")
            version = current.previous
        return self._publish(self.document(version), by, note)

    def current(self) -> tuple[Published | None, bytes]:
        """The current publication, None if there is none yet, and the document that holds."""
        published = self.publications.current()
        return published, self.packaged if published is None else self.document(published.version)

    def history(self) -> Sequence[Published]:
        """The newest publications, the newest first."""
        return list(self.publications.history(HISTORY_MAX))

    def document(self, version: str) -> bytes:
        """Of a version, which may be given by its first letters. Raises `NotFound`."""
        packaged = version_of(self.packaged)
        known = {packaged, *self._versions()}
        found = {each for each in known if each.startswith(version)} if version else {packaged}
        if len(found) != 1:
            raise NotFound(f"There {'are several versions' if found else 'is no version'} {version!r}.")
        (whole,) = found
        document = self.documents.get(whole) or (self.packaged if whole == packaged else None)
        if document is None or version_of(document) != whole:
            raise NotFound(f"The document of version {whole!r} is lost or damaged.")
        return document

    def _versions(self) -> set[str]:
        return {each for past in self.history() for each in (past.version, past.previous) if each}

    def _publish(self, document: bytes, by: str, note: str) -> Published | None:
        current, version = self.publications.current(), version_of(document)
        packaged = version_of(self.packaged)
        if version == (current.version if current else packaged):
            return None
        if current is None:
            # What held until now has to be there to go back to, whatever a deployment brings.
            self.documents.put(packaged, self.packaged)
        self.documents.put(version, document)
        published = Published(
            number=current.number + 1 if current else 1,
            version=version,
            previous=current.version if current else packaged,
            at_ms=self.clock.now_ms(),
            by=by,
            note=note,
        )
        self.publications.add(published, [catalog_published_event(published)])
        return published
