"""Publications of the catalog and their documents, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from shoal.domain.errors import PublishedMeanwhile
from shoal.domain.events import Event
from shoal.domain.models.versions import Published
from tests.fakes.network import Network, reached


@dataclass
class FakeDocuments:
    """Implements the `CatalogDocuments` port."""

    network: Network
    kept: dict[str, bytes] = field(default_factory=dict)
    port: str = "documents"

    @reached
    def get(self, version: str) -> bytes | None:
        return self.kept.get(version)

    @reached
    def put(self, version: str, document: bytes) -> None:
        self.kept[version] = document


@dataclass
class FakePublications:
    """Implements the `Publications` port."""

    network: Network
    past: list[Published] = field(default_factory=list)
    told: list[Event] = field(default_factory=list)
    port: str = "publications"

    @reached
    def current(self) -> Published | None:
        return self.past[-1] if self.past else None

    @reached
    def add(self, published: Published, told: Sequence[Event]) -> None:
        if published.number != len(self.past) + 1:
            raise PublishedMeanwhile
        self.past.append(published)
        self.told += told

    @reached
    def history(self, count: int) -> Iterable[Published]:
        return self.past[::-1][:count]
