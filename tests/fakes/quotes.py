"""Quotes in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from shoal.domain.quoted import QuotedRequest
from tests.fakes.network import Network, reached


@dataclass
class FakeQuotes:
    """Implements the `Quotes` port."""

    network: Network
    kept: dict[tuple[str, str], QuotedRequest] = field(default_factory=dict)
    port: str = "quotes"

    @reached
    def add(self, quoted: QuotedRequest) -> None:
        self.kept[quoted.account_id, quoted.id] = quoted

    @reached
    def get(self, account_id: str, quote_id: str) -> QuotedRequest | None:
        return self.kept.get((account_id, quote_id))
