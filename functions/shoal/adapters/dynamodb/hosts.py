"""How much goes to one host: counted only for accounts that never had money."""

from __future__ import annotations

import hashlib

from shoal.adapters.dynamodb.items import wallet_key
from shoal.adapters.dynamodb.table import ConditionFailed, Table, Update
from shoal.domain.money import Asset
from shoal.domain.wallet import EntryKind

ROOM = "attribute_not_exists(sends) OR sends < :max"
MINUTE_MS = 60_000
KEPT_S = 3_600
FIRST_ENTRIES = 100
"""Who had money has an entry of it among these, or has it still: trials alone go before it."""
REAL = (Asset.USD, Asset.CREDIT)


def host_key(account_id: str, host: str, minute: int) -> tuple[str, str]:
    return f"WEBHOOK#{account_id}#{hashlib.sha256(host.encode()).hexdigest()[:16]}", f"MINUTE#{minute}"


class DynamoDbHostCounts:
    """Implements the `HostCounts` port: an item for each account, host and minute."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def take(self, account_id: str, host: str, sends_max: int, now_ms: int) -> bool:
        key = host_key(account_id, host, now_ms // MINUTE_MS)
        values = {":one": 1, ":max": sends_max, ":gone": now_ms // 1000 + KEPT_S}
        try:
            # A client that lost the answer counts twice: the host gets less, not more.
            self._table.update(Update(key, "SET expires_at = :gone ADD sends :one", ROOM, values))
        except ConditionFailed:
            return False
        return True


class DynamoDbFunds:
    """Implements the `Funds` port. An account that had money has had it for ever: this process remembers."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._had: set[str] = set()

    def had_any(self, account_id: str) -> bool:
        if account_id not in self._had and any(self._had_of(account_id, asset) for asset in REAL):
            self._had.add(account_id)
        return account_id in self._had

    def _had_of(self, account_id: str, asset: Asset) -> bool:
        pk, sk = wallet_key(account_id, asset)
        if int((self._table.get(pk, sk) or {}).get("balance", 0)) > 0:
            return True
        pages = self._table.query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :entries)",
            FilterExpression="kind = :top_up",
            Limit=FIRST_ENTRIES,
            values={":pk": pk, ":entries": "ENTRY#", ":top_up": str(EntryKind.TOP_UP)},
        )
        return bool(next(pages)[0])
