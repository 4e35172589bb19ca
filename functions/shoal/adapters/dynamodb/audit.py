"""The audit of one account: wallets against entries, usage and payments, and jobs against their entries.

An account in use never stands still, and most of what is compared cannot be read at one moment. But its
entries are never changed and never deleted, and that is enough:

* Entries are read, then the wallet in a transaction, then the entries that may be new. A wallet that is read
  so holds all that was seen before: no transaction that wrote an entry still has the wallet to write. If no
  entry is new, both sides are of one moment and have to be equal. If one is, it is looked at again.
* Only entries that another partition commits late can be missing then. So a difference has to be no sum of
  those that come within a pause, and to be the same several times.
* A job is compared with the entries of its own; where they differ they are read again in one transaction.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from shoal.adapters.dynamodb.audit_amounts import (
    NOTHING,
    Amounts,
    JobAmounts,
    is_sum_of,
    moved_by,
    of_job,
    of_wallet,
)
from shoal.adapters.dynamodb.items import account_key, job_key, wallet_key
from shoal.adapters.dynamodb.table import TOGETHER_MAX, Item, Table, TransactionContended, Update
from shoal.domain.job import HoldState, JobStatus
from shoal.domain.money import Asset
from shoal.domain.wallet import EntryKind, Movement
from shoal.ports.money import Discrepancy, NotAudited
from shoal.ports.system import TimeLeft, unlimited

LOOKS_MAX = 100
"""A wallet with 60 movements a second, more than one can take, is still in every other look or so."""
STRIKES = 3
"""Looks with the same difference, until it is believed."""
LATE_MAX = 200
"""The newest entries, among which new ones may still come: a job has its id seconds before its hold."""
RESERVE_S = 10.0
"""With less time left nothing more is read."""

PROGRESS = "AUDIT", "AUDIT"
_OF_ENTRIES = (
    "sk", "asset", "kind", "reference", "note", "balance_delta", "held_delta", "owed_delta",
    "free_generations_delta", "worth", "balance", "held", "owed", "available", "free_generations",
)  # fmt: skip
_OF_ACCOUNTS = (
    "sk", "asset", "status", "hold_state", "free_trial", "unit_price", "terms", "output_count", "cost",
    "awaiting",
)  # fmt: skip
_OF_JOBS = (EntryKind.HOLD, EntryKind.CAPTURE, EntryKind.RELEASE, EntryKind.UNDELIVERED)


@dataclass
class _Jobs:
    """What one pass over an account told of its jobs in one asset, by their ULIDs, and of its usage."""

    of: dict[str, JobAmounts] = field(default_factory=dict)
    unfit: int = 0
    oldest_open: str = "~"
    usage: list[tuple[str, int]] = field(default_factory=list)

    def add(self, item: Item) -> None:
        kind, _, name = item["sk"].partition("#")
        if kind == "USAGE":
            self.usage.append((item["sk"], int(item["cost"])))
        elif kind == "JOB":
            held = item["hold_state"] == HoldState.HELD
            self.of[name] = of_job(item)
            self.unfit += JobStatus(item["status"]).terminal == held
            if held or item.get("awaiting"):
                self.oldest_open = min(self.oldest_open, name)


@dataclass(frozen=True, slots=True)
class _Look:
    """A wallet with its usage and payments, and its entries, of one moment."""

    wallet: Item | None
    stands: Amounts
    entries: Amounts

    @property
    def missing(self) -> Amounts:
        """What the entries lack, or have too much."""
        return self.stands.minus(self.entries)


@dataclass
class _WalletAudit:
    """`since`: the sort key from which on entries may be new; `settled` are all before it, added up."""

    table: Table
    account_id: str
    asset: Asset
    jobs: _Jobs
    time_left: TimeLeft
    settled: Amounts = NOTHING
    since: str = "ENTRY#"
    payments: int = 0
    differing: dict[str, JobAmounts] = field(default_factory=dict)
    there: bool = False

    def read(self) -> None:
        """All entries and payments, and which jobs differ from their entries as far as this pass can tell."""
        self.differing, self.payments, total = dict(self.jobs.of), 0, NOTHING
        late: list[tuple[str, Amounts]] = []
        newest: deque[tuple[str, Amounts]] = deque(maxlen=LATE_MAX)
        for item in self._wallet_items(""):
            self.there = True
            if item["sk"].startswith("PAYMENT#"):
                self.payments += int(item["worth"])
            elif item["sk"].startswith("ENTRY#"):
                moved = moved_by(item)
                total = total.plus(moved)
                newest.append((item["sk"], moved))
                if item["sk"] >= f"ENTRY#{self.jobs.oldest_open}":
                    late.append((item["sk"], moved))
                self._take_off(item["reference"], moved)
        tail = late if len(late) > len(newest) else newest
        self.since = tail[0][0] if tail else "ENTRY#"
        for _, moved in tail:
            total = total.minus(moved)
        self.settled = total

    def settle(self) -> _Look:
        """A look whose sides are equal, or off by the same as in others. Raises `NotAudited`."""
        off: Counter[Amounts] = Counter()
        for _ in range(LOOKS_MAX):
            with suppress(TransactionContended):
                look = self._look()
                if look is None:
                    continue
                off[look.missing] += 1
                if look.missing == NOTHING or off[look.missing] == STRIKES:
                    return look
                self._read_again()
        raise NotAudited(self.account_id)

    def jobs_off(self) -> JobAmounts:
        """How much more the jobs say than their entries, by a reading of one moment of each that differs."""
        off = JobAmounts()
        for ulid in self.differing:
            if self.time_left() <= RESERVE_S:
                raise NotAudited(self.account_id)
            pk, _ = wallet_key(self.account_id, self.asset)
            keys = [(pk, f"ENTRY#{ulid}#{kind}") for kind in _OF_JOBS]
            job, *entries = self.table.get_together([job_key(self.account_id, ulid), *keys])
            difference = of_job(job) if job else JobAmounts()
            for moved in (moved_by(entry) for entry in entries if entry):
                difference = difference.minus(JobAmounts(moved.held, moved.captured))
            off = JobAmounts(off.held + difference.held, off.cost + difference.cost)
        return off

    def _look(self) -> _Look | None:
        """None if the wallet moved meanwhile."""
        before = self._tail()
        wallet, stands = self._stands()
        if self._new_since(before):
            return None
        entries = self.settled
        for moved in before.values():
            entries = entries.plus(moved)
        look = _Look(wallet, stands, entries)
        if look.missing != NOTHING:
            # What another partition commits late is there after a pause.
            self.table.wait_for_others(0)
            if is_sum_of(look.missing, self._new_since(before)):
                return None
        return look

    def _stands(self) -> tuple[Item | None, Amounts]:
        """The wallet, and the rollups that may still grow, of one moment."""
        rollups = sorted(self.jobs.usage)
        grown, growing = rollups[: 1 - TOGETHER_MAX], rollups[1 - TOGETHER_MAX :]
        pk, _ = account_key(self.account_id)
        keys = [wallet_key(self.account_id, self.asset), *((pk, sk) for sk, _ in growing)]
        wallet, *usage = self.table.get_together(keys)
        used = sum(cost for _, cost in grown) + sum(int(item["cost"]) for item in usage if item)
        return wallet, of_wallet(wallet)._replace(captured=used, paid=self.payments)

    def _read_again(self) -> None:
        """What a look had not in view: an entry elsewhere, a payment, the first use of a model."""
        of_usage = _pages(self.table, account_key(self.account_id)[0], "USAGE#", _OF_ACCOUNTS, self.time_left)
        self.jobs.usage = [(i["sk"], int(i["cost"])) for i in of_usage if i["asset"] == self.asset]
        self.read()

    def _new_since(self, before: dict[str, Amounts]) -> list[Amounts]:
        return [moved for sk, moved in self._tail().items() if sk not in before]

    def _tail(self) -> dict[str, Amounts]:
        entries = (i for i in self._wallet_items(self.since) if i["sk"].startswith("ENTRY#"))
        return {item["sk"]: moved_by(item) for item in entries}

    def _wallet_items(self, since: str) -> Iterator[Item]:
        pk, _ = wallet_key(self.account_id, self.asset)
        return _pages(self.table, pk, since, _OF_ENTRIES, self.time_left)

    def _take_off(self, reference: str, moved: Amounts) -> None:
        """The entry from what its job says: what is left of a job differs."""
        said = JobAmounts(moved.held, moved.captured)
        if said != JobAmounts():
            left = self.differing.pop(reference, JobAmounts()).minus(said)
            if left != JobAmounts():
                self.differing[reference] = left


class DynamoDbAuditProgress:
    """Implements the `AuditProgress` port."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def cursor(self) -> str | None:
        item = self._table.get(*PROGRESS)
        return item.get("audited_to") if item else None

    def note(self, cursor: str | None) -> None:
        if cursor is None:
            self._table.update(Update(PROGRESS, "REMOVE audited_to"))
        else:
            self._table.update(Update(PROGRESS, "SET audited_to = :cursor", values={":cursor": cursor}))


def audit(table: Table, account_id: str, time_left: TimeLeft = unlimited) -> list[Discrepancy]:
    """Every wallet of the account that is off. Raises `NotAudited`."""
    jobs = {asset: _Jobs() for asset in Asset}
    for item in _pages(table, account_key(account_id)[0], "", _OF_ACCOUNTS, time_left):
        if "asset" in item:
            jobs[Asset(item["asset"])].add(item)
    found: list[Discrepancy] = []
    for asset, seen in jobs.items():
        wallet = _WalletAudit(table, account_id, asset, seen, time_left)
        wallet.read()
        if wallet.there or seen.of or seen.usage:
            found += _discrepancies(wallet, wallet.settle(), wallet.jobs_off())
    return found


def entries_sum(table: Table, account_id: str, asset: Asset) -> Movement:
    """All entries of one wallet, added up."""
    total = NOTHING
    for item in _pages(table, wallet_key(account_id, asset)[0], "ENTRY#", _OF_ENTRIES, unlimited):
        total = total.plus(moved_by(item) if item["sk"].startswith("ENTRY#") else NOTHING)
    return Movement(
        account_id,
        asset,
        EntryKind.TOP_UP,
        reference="",
        at_ms=0,
        balance_delta=total.balance,
        held_delta=total.held,
        owed_delta=total.owed,
        free_generations_delta=total.free_generations,
    )


def _discrepancies(audited: _WalletAudit, look: _Look, jobs_off: JobAmounts) -> list[Discrepancy]:
    stands, entries, wallet = look.stands, look.entries, look.wallet
    free, cost = stands.balance - stands.held, entries.captured + jobs_off.cost
    trials = entries.free_generations, stands.free_generations
    available = int(wallet["available"]) if wallet else 0
    checks = [
        ("balance is not the sum of the entries", entries.balance, stands.balance),
        ("held is not the sum of the entries", entries.held, stands.held),
        ("free generations are not the sum of the entries", *trials),
        ("held is not the sum of the open jobs' holds", entries.held + jobs_off.held, stands.held),
        ("usage is not the sum of the captures", entries.captured, stands.captured),
        ("costs of the jobs are not the sum of the captures", entries.captured, cost),
        ("owed is not the sum of the entries", entries.owed, stands.owed),
        ("what was paid is not the sum of the payments", stands.paid, entries.paid),
        ("available is not balance less held and owed", free - stands.owed, available),
        ("balance less held is below zero", 0, min(0, free)),
        ("owed is below zero", 0, min(0, stands.owed)),
        ("wallet is missing", 1, int(wallet is not None)),
        ("jobs whose hold does not fit their status", 0, audited.jobs.unfit),
    ]
    return [
        Discrepancy(audited.account_id, audited.asset, what, expected, found)
        for what, expected, found in checks
        if expected != found
    ]


FIRST = "!"
"""What sorts before every item of a partition."""


def _pages(
    table: Table, pk: str, since: str, attributes: tuple[str, ...], time_left: TimeLeft
) -> Iterator[Item]:
    """These attributes of a partition's items, in order. Raises `NotAudited` when the time runs out."""
    pages = table.query(
        KeyConditionExpression="pk = :pk AND sk >= :since",
        ConsistentRead=True,
        ProjectionExpression=", ".join(f"#{name}" for name in attributes),
        ExpressionAttributeNames={f"#{name}": name for name in attributes},
        values={":pk": pk, ":since": since or FIRST},
    )
    for items, _ in pages:
        if time_left() <= RESERVE_S:
            raise NotAudited(pk.split("#")[1])
        yield from items
