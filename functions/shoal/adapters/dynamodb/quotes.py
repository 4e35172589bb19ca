"""Quotes in the table: an item each, which DynamoDB deletes some time after it has expired."""

from __future__ import annotations

from shoal.adapters.dynamodb.items import terms_item, terms_of
from shoal.adapters.dynamodb.table import Put, Table
from shoal.adapters.dynamodb.values import read
from shoal.domain.quoted import QuotedRequest

NEW = "attribute_not_exists(pk)"


class DynamoDbQuotes:
    """Implements the `Quotes` port."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, quoted: QuotedRequest) -> None:
        pk, sk = _key(quoted.account_id, quoted.id)
        item = {
            "pk": pk,
            "sk": sk,
            "test": quoted.test,
            "tool": quoted.tool,
            "fingerprint": quoted.fingerprint,
            **terms_item(quoted.terms),
            "price_version": quoted.price_version,
            "expires_at_ms": quoted.expires_at_ms,
            "expires_at": quoted.expires_at_ms // 1000 + 1,  # DynamoDB's clock for deletion: whole seconds
        }
        self._table.transact([Put(item, NEW)])

    def get(self, account_id: str, quote_id: str) -> QuotedRequest | None:
        item = self._table.get(*_key(account_id, quote_id))
        if item is None:
            return None
        return read(QuotedRequest, item, id=quote_id, account_id=account_id, terms=terms_of(item))


def _key(account_id: str, quote_id: str) -> tuple[str, str]:
    return f"QUOTE#{account_id}#{quote_id}", "QUOTE"
