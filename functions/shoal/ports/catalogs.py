"""The catalog as it is published, without a deployment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from shoal.domain.catalog import Catalog
from shoal.domain.events import Event
from shoal.domain.models.versions import Published
from shoal.domain.routing import Route


class CatalogDocuments(Protocol):
    """Documents by their versions. They never change."""

    def get(self, version: str) -> bytes | None:
        """None if there is none. Raises `Unavailable`."""

    def put(self, version: str, document: bytes) -> None:
        """Written twice it is the same. Raises `Unavailable`."""


class Publications(Protocol):
    """Which version is current, and which were."""

    def current(self) -> Published | None:
        """None while nothing was published. Raises `Unavailable`."""

    def add(self, published: Published, told: Sequence[Event]) -> None:
        """Make it the current one, and have it told, if its `previous` still is.

        Raises `PublishedMeanwhile`.
        """

    def history(self, count: int) -> Iterable[Published]:
        """The last so many publications, the newest first."""


class Catalogs(Protocol):
    """The catalogs that functions go by."""

    def current(self) -> Catalog:
        """What a new job is accepted by, half a minute old at most. Never raises."""

    def of(self, version: str) -> Catalog:
        """What a job was accepted by. Never raises."""

    def routes(self) -> frozenset[Route]:
        """Of every catalog that jobs of this process go by, as far as it has read them."""

    def read_ahead(self) -> None:
        """Begin to read what `current` looks at, beside something else that waits for the network."""
