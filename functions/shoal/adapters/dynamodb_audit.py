"""The audit's reading of the table: one scan to find suspects, then a closer look at each.

The scan is no snapshot, so a wallet in use may look off in passing. A suspect is looked at again until its
wallet stood still while its ledger and jobs were read; only what is off then is reported.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from shoal.adapters.dynamodb_items import account_key, wallet_key
from shoal.adapters.dynamodb_table import Item, Table
from shoal.domain.job import HoldState, JobStatus
from shoal.domain.money import Asset
from shoal.domain.ports import Discrepancy
from shoal.domain.wallet import EntryKind, Movement

LOOKS_MAX = 5

WalletId = tuple[str, Asset]


@dataclass(slots=True)
class _Amounts:
    """One wallet as three witnesses tell it: the wallet itself, its entries, and the holds of its jobs."""

    balance: int = 0
    held: int = 0
    available: int = 0
    free_generations: int = 0
    exists: bool = False
    entries_balance: int = 0
    entries_held: int = 0
    entries_free_generations: int = 0
    jobs_held: int = 0
    unresolved: list[str] = field(default_factory=list)

    def add_wallet(self, item: Item) -> None:
        self.exists = True
        self.balance = int(item["balance"])
        self.held = int(item["held"])
        self.available = int(item["available"])
        self.free_generations = int(item["free_generations"])

    def add_entry(self, item: Item) -> None:
        self.entries_balance += int(item["balance_delta"])
        self.entries_held += int(item["held_delta"])
        self.entries_free_generations += int(item["free_generations_delta"])

    def add_job(self, item: Item) -> None:
        held = item["hold_state"] == HoldState.HELD
        if held and not item["free_trial"]:
            self.jobs_held += int(item["price"])
        if JobStatus(item["status"]).terminal == held:
            self.unresolved.append(item["id"])

    def discrepancies(self, wallet: WalletId) -> list[Discrepancy]:
        checks = [
            (
                "balance is not the sum of the entries",
                self.entries_balance,
                self.balance,
            ),
            ("held is not the sum of the entries", self.entries_held, self.held),
            (
                "free generations are not the sum of the entries",
                self.entries_free_generations,
                self.free_generations,
            ),
            ("held is not the sum of the open jobs' holds", self.jobs_held, self.held),
            (
                "available is not balance less held",
                self.balance - self.held,
                self.available,
            ),
            ("available is below zero", max(0, self.available), self.available),
            ("wallet is missing", 1, int(self.exists)),
            ("jobs whose hold does not fit their status", 0, len(self.unresolved)),
        ]
        return [
            Discrepancy(*wallet, what, expected, found)
            for what, expected, found in checks
            if expected != found
        ]


def audit(table: Table) -> list[Discrepancy]:
    """Every wallet of the table that is off."""
    amounts: dict[WalletId, _Amounts] = defaultdict(_Amounts)
    for item in table.scan(ConsistentRead=True):
        if item["pk"].startswith("WALLET#"):
            wallet = item["account_id"], Asset(item["asset"])
            add = amounts[wallet].add_wallet if item["sk"] == "WALLET" else amounts[wallet].add_entry
            add(item)
        elif item["sk"].startswith("JOB#"):
            amounts[item["account_id"], Asset(item["asset"])].add_job(item)
    suspects = [wallet for wallet, seen in sorted(amounts.items()) if seen.discrepancies(wallet)]
    return [found for wallet in suspects for found in _look_closer(table, wallet)]


def entries_sum(table: Table, account_id: str, asset: Asset) -> Movement:
    """All entries of one wallet, added up."""
    amounts = _read_partition(table, (account_id, asset))
    return Movement(
        account_id,
        asset,
        EntryKind.TOP_UP,
        reference="",
        at_ms=0,
        balance_delta=amounts.entries_balance,
        held_delta=amounts.entries_held,
        free_generations_delta=amounts.entries_free_generations,
    )


def _look_closer(table: Table, wallet: WalletId) -> list[Discrepancy]:
    found: list[Discrepancy] = []
    for _ in range(LOOKS_MAX):
        before = table.get(*wallet_key(*wallet))
        amounts = _read_partition(table, wallet)
        for items, _next in table.query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :jobs)",
            ConsistentRead=True,
            values={":pk": account_key(wallet[0])[0], ":jobs": "JOB#"},
        ):
            for item in (item for item in items if item["asset"] == wallet[1]):
                amounts.add_job(item)
        found = amounts.discrepancies(wallet)
        if not found or table.get(*wallet_key(*wallet)) == before:
            return found
    return found


def _read_partition(table: Table, wallet: WalletId) -> _Amounts:
    amounts = _Amounts()
    for items, _ in table.query(
        KeyConditionExpression="pk = :pk",
        ConsistentRead=True,
        values={":pk": wallet_key(*wallet)[0]},
    ):
        for item in items:
            add = amounts.add_wallet if item["sk"] == "WALLET" else amounts.add_entry
            add(item)
    return amounts
