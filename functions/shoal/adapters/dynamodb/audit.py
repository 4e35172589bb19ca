"""The audit's reading of the table: one scan to find suspects, then a closer look at each.

The scan is no snapshot, so a wallet in use may look off in passing. A suspect is looked at again until its
wallet stood still while its ledger and jobs were read; only what is off then is reported.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from shoal.adapters.dynamodb.items import account_key, wallet_key
from shoal.adapters.dynamodb.table import Item, Table
from shoal.domain.job import HoldState, JobStatus
from shoal.domain.money import Asset
from shoal.domain.payment import OF_PAYMENTS, PAID
from shoal.domain.wallet import EntryKind, Movement
from shoal.ports.money import Discrepancy

LOOKS_MAX = 5

WalletId = tuple[str, Asset]


@dataclass(slots=True)
class _Amounts:
    """One wallet as five witnesses tell it: the wallet itself, its entries, its jobs' holds, the usage, and
    the payments."""

    balance: int = 0
    held: int = 0
    owed: int = 0
    available: int = 0
    free_generations: int = 0
    exists: bool = False
    entries_balance: int = 0
    entries_held: int = 0
    entries_owed: int = 0
    entries_free_generations: int = 0
    captured: int = 0
    jobs_held: int = 0
    jobs_cost: int = 0
    usage_cost: int = 0
    paid: int = 0
    payments_worth: int = 0
    unresolved: list[str] = field(default_factory=list)

    def add(self, item: Item) -> None:
        """Hear one of the witnesses."""
        kind = item["sk"].partition("#")[0]
        match kind:
            case "WALLET":
                self._add_wallet(item)
            case "ENTRY":
                self._add_entry(item)
            case "JOB":
                self._add_job(item)
            case "USAGE":
                self.usage_cost += int(item["cost"])
            case "PAYMENT":
                self.payments_worth += int(item["worth"])

    def _add_wallet(self, item: Item) -> None:
        self.exists = True
        self.balance = int(item["balance"])
        self.held = int(item["held"])
        self.owed = int(item["owed"])
        self.available = int(item["available"])
        self.free_generations = int(item["free_generations"])

    def _add_entry(self, item: Item) -> None:
        self.entries_balance += int(item["balance_delta"])
        if item["kind"] in (EntryKind.CAPTURE, EntryKind.UNDELIVERED):
            self.captured -= int(item["balance_delta"])
        self.entries_held += int(item["held_delta"])
        self.entries_owed += int(item["owed_delta"])
        if item["kind"] in OF_PAYMENTS or item["note"] == PAID:
            self.paid += int(item["balance_delta"]) - int(item["owed_delta"])
        self.entries_free_generations += int(item["free_generations_delta"])

    def _add_job(self, item: Item) -> None:
        held = item["hold_state"] == HoldState.HELD
        self.jobs_cost += int(item.get("cost", 0))
        if held and not item["free_trial"]:
            self.jobs_held += int(item["unit_price"]) * int(item["output_count"])
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
            ("usage is not the sum of the captures", self.captured, self.usage_cost),
            ("costs of the jobs are not the sum of the captures", self.captured, self.jobs_cost),
            ("owed is not the sum of the entries", self.entries_owed, self.owed),
            ("what was paid is not the sum of the payments", self.payments_worth, self.paid),
            (
                "available is not balance less held and owed",
                self.balance - self.held - self.owed,
                self.available,
            ),
            ("balance less held is below zero", 0, min(0, self.balance - self.held)),
            ("owed is below zero", 0, min(0, self.owed)),
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
        if "asset" in item:
            account_id = item["pk"].split("#")[1]
            amounts[account_id, Asset(item["asset"])].add(item)
    suspects = [wallet for wallet, seen in sorted(amounts.items()) if seen.discrepancies(wallet)]
    return [found for wallet in suspects for found in _look_closer(table, wallet)]


def entries_sum(table: Table, account_id: str, asset: Asset) -> Movement:
    """All entries of one wallet, added up."""
    wallet = account_id, asset
    amounts = _read(table, wallet, wallet_key(*wallet)[0])
    return Movement(
        account_id,
        asset,
        EntryKind.TOP_UP,
        reference="",
        at_ms=0,
        balance_delta=amounts.entries_balance,
        held_delta=amounts.entries_held,
        owed_delta=amounts.entries_owed,
        free_generations_delta=amounts.entries_free_generations,
    )


def _look_closer(table: Table, wallet: WalletId) -> list[Discrepancy]:
    partitions = wallet_key(*wallet)[0], account_key(wallet[0])[0]
    found: list[Discrepancy] = []
    for _ in range(LOOKS_MAX):
        before = table.get(*wallet_key(*wallet))
        found = _read(table, wallet, *partitions).discrepancies(wallet)
        if not found or table.get(*wallet_key(*wallet)) == before:
            return found
    return found


def _read(table: Table, wallet: WalletId, *partitions: str) -> _Amounts:
    """What the items of these partitions tell of the wallet."""
    amounts = _Amounts()
    for pk in partitions:
        pages = table.query(KeyConditionExpression="pk = :pk", ConsistentRead=True, values={":pk": pk})
        for item in (item for items, _ in pages for item in items if item.get("asset") == wallet[1]):
            amounts.add(item)
    return amounts
