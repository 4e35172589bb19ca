"""A quote somebody may act on: one priced request, for one account, for a short time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from shoal.domain.models.tariff import Terms

LIFETIME_MS = 10 * 60_000


@dataclass(frozen=True, slots=True)
class QuotedRequest:
    """`fingerprint` is that of the request, `terms` are what it would be charged by.

    `test`: it was made with a test key and is good for play money only. `expires_at_ms` is Unix time.
    """

    id: str
    account_id: str
    test: bool
    tool: str
    fingerprint: str
    terms: Terms
    price_version: str
    expires_at_ms: int


class Quotes(Protocol):
    """Quotes that were given out. Methods raise `Unavailable` when the table does not answer in time."""

    def add(self, quoted: QuotedRequest) -> None:
        """Keep it until it expires."""

    def get(self, account_id: str, quote_id: str) -> QuotedRequest | None:
        """The account's quote with this id; it may have expired."""
