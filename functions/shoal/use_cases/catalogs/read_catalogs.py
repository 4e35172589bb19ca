"""Which catalog holds: the published one, else the one that came with the code."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from shoal.domain.catalog import Catalog
from shoal.domain.models.versions import version_of
from shoal.domain.routing import Route
from shoal.ports.catalogs import CatalogDocuments, Publications
from shoal.ports.system import Beside, Clock, in_turn

logger = logging.getLogger(__name__)

LIFETIME_MS = 30_000
KEPT_MAX = 8
"""How many versions a process keeps: those of jobs that are still under way."""


@dataclass(slots=True)
class ReadCatalogs:
    """Implements the `Catalogs` port.

    `packaged` came with the code. `parse` reads a document, and raises `ValueError` for what is no catalog.
    `alarm` tells operators that a published version cannot be used.
    """

    packaged: Catalog
    publications: Publications
    documents: CatalogDocuments
    parse: Callable[[bytes], Catalog]
    alarm: Callable[[], None]
    clock: Clock
    beside: Beside = in_turn
    _kept: dict[str, Catalog] = field(default_factory=dict)
    _current: Catalog | None = None
    _read_at_ms: int | None = None
    _lock: Lock = field(default_factory=Lock)

    def current(self) -> Catalog:
        if self._outdated:
            with self._lock:  # who comes while it is read waits for what comes of it
                if self._outdated:
                    self._read()
                    self._read_at_ms = self.clock.now_ms()
        return self._current or self.packaged

    def read_ahead(self) -> None:
        if self._outdated:
            self.beside(self.current)

    def of(self, version: str) -> Catalog:
        """That of a job from before there were versions is the packaged one. One that cannot be had any more
        is replaced by the current one: what the job pays is frozen with the job.
        """
        return (self._load(version) or self.current()) if version else self.packaged

    def routes(self) -> frozenset[Route]:
        known = (self.packaged, *self._kept.copy().values())
        return frozenset(route for catalog in known for route in catalog.all_routes())

    @property
    def _outdated(self) -> bool:
        return self._read_at_ms is None or self.clock.now_ms() - self._read_at_ms >= LIFETIME_MS

    def _read(self) -> None:
        """What cannot be read leaves things as they were. Without any, the version before has to do."""
        try:
            published = self.publications.current()
        except Exception:
            logger.warning("publications not read", exc_info=True)
            return
        if published is None:
            self._current = None
        else:
            self._current = self._load(published.version) or self._current or self._load(published.previous)

    def _load(self, version: str) -> Catalog | None:
        """None for a version that cannot be had or is damaged: operators are told."""
        if version == self.packaged.version:
            return self.packaged
        if found := self._kept.get(version):
            return found
        try:
            catalog = self._parsed(version)
        except Exception:
            logger.exception("catalog not usable", extra={"catalog_version": version})
            self.alarm()
            return None
        while len(self._kept) >= KEPT_MAX:
            self._kept.pop(next(iter(self._kept)), None)
        self._kept[version] = catalog
        return catalog

    def _parsed(self, version: str) -> Catalog:
        document = self.documents.get(version)
        if document is None:
            raise ValueError("there is no such version")
        if version_of(document) != version:
            raise ValueError("the document is not the one that was published")
        return self.parse(document)


@dataclass(frozen=True, slots=True)
class OneCatalog:
    """Implements the `Catalogs` port where nothing is published."""

    catalog: Catalog

    def current(self) -> Catalog:
        return self.catalog

    def of(self, version: str) -> Catalog:  # noqa: ARG002 - the port's
        return self.catalog

    def routes(self) -> frozenset[Route]:
        return self.catalog.all_routes()

    def read_ahead(self) -> None:
        """There is nothing to read."""
