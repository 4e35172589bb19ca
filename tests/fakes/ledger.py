"""The ledger in memory: each method all or nothing, every condition of the adapter's transactions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shoal.domain.canceling import finished, return_undelivered
from shoal.domain.errors import (
    CallTaken,
    IdempotencyInFlight,
    InsufficientBalance,
    InternalError,
    JobClosed,
    NotFound,
)
from shoal.domain.events import utc_day
from shoal.domain.grant import Grant, PendingGrant
from shoal.domain.idempotency import IdempotencyKey, IdempotencyRecord
from shoal.domain.job import (
    START_GRACE_MS,
    Closer,
    HoldState,
    Job,
    JobFailure,
    JobStatus,
    Output,
    closing_status,
)
from shoal.domain.models.usage import Used, used_by_cancel, used_by_capture, used_by_finish
from shoal.domain.money import AMOUNT_MAX, Asset
from shoal.domain.payment import OF_PAYMENTS, PAID
from shoal.domain.wallet import EntryKind, Movement, Wallet
from shoal.ports.money import Discrepancy, NotAudited, Rollup
from shoal.ports.system import TimeLeft, unlimited
from tests.fakes.network import Network, reached
from tests.fakes.tables import Tables


@dataclass
class FakeAuditProgress:
    reached: str | None = None

    def cursor(self) -> str | None:
        return self.reached

    def note(self, cursor: str | None) -> None:
        self.reached = cursor


@dataclass
class FakeLedger:
    """`in_flight` holds idempotency keys whose first request another transaction is still writing."""

    network: Network
    tables: Tables
    in_flight: set[str] = field(default_factory=set)
    port: str = "ledger"

    @reached
    def submit(self, job: Job, record: IdempotencyRecord | None, now_ms: int) -> IdempotencyRecord | None:
        if record and (earlier := self._earlier(record, now_ms)):
            return earlier
        if not self._affordable(job):
            wallet = self.tables.wallets.get((job.account_id, job.asset))
            raise InsufficientBalance(available=wallet.available if wallet else 0)
        hold = job.hold.place(now_ms)
        if (job.account_id, job.ulid) in self.tables.jobs or self._entered(hold):
            raise InternalError
        self.tables.put(job)
        self.tables.move(hold)
        if record:
            self.tables.records[_place(record.key)] = record
        return None

    @reached
    def find_record(self, key: IdempotencyKey, now_ms: int) -> IdempotencyRecord | None:
        return self._recorded(key, now_ms)

    @reached
    def capture(
        self, job: Job, outputs: Sequence[Output], expire_at_ms: int | None, closer: Closer, now_ms: int
    ) -> Job:
        cost = job.cost_of(outputs)
        changes = {
            "status": JobStatus.COMPLETED,
            "hold_state": HoldState.CAPTURED,
            "outputs": tuple(outputs),
            "outputs_expire_at_ms": expire_at_ms,
            "cost": cost,
        }
        captured = job.hold.capture(cost, now_ms, job.charges_of(outputs))
        closed = self._close(job, captured, closer, changes)
        self._use(closed, used_by_capture(closed, outputs))
        return closed

    @reached
    def release(self, job: Job, failure: JobFailure, closer: Closer, now_ms: int) -> Job:
        changes = {
            "status": closing_status(failure),
            "hold_state": HoldState.RELEASED,
            "failure": failure,
        }
        return self._close(job, job.hold.release(now_ms), closer, changes)

    @reached
    def cancel(self, canceled: Job, record: IdempotencyRecord | None, now_ms: int) -> Job:
        if record and self._earlier(record, now_ms):
            raise JobClosed(canceled.id)
        stored = self.tables.stored(canceled)
        if stored.hold_state is HoldState.HELD and stored.calls != canceled.calls:
            raise CallTaken(canceled.id)
        fields = ("status", "hold_state", "captured", "awaiting", "cost", "outputs_expire_at_ms", "failure")
        changes = {name: getattr(canceled, name) for name in fields}
        hold = canceled.hold
        captured = hold.capture(canceled.cost, now_ms, canceled.charges_at_most)
        movement = captured if canceled.captured else hold.release(now_ms)
        closed = self._close(canceled, movement, Closer.CANCEL, changes)
        if closed.captured:
            self._use(closed, used_by_cancel(closed))
        if record:
            self.tables.records[_place(record.key)] = record
        return closed

    @reached
    def finish(
        self,
        job: Job,
        arrived: frozenset[int],
        outputs: Sequence[Output],
        expire_at_ms: int | None,
        closer: Closer,
        now_ms: int,
    ) -> Job:
        stored = self.tables.stored(job)
        if not stored.awaiting:
            raise JobClosed(job.id)
        done = finished(job, arrived, outputs, expire_at_ms, closer, now_ms)
        movement = return_undelivered(done, now_ms)
        if movement:
            if self._entered(movement):
                raise InternalError
            self.tables.move(movement)
            self._use(job, used_by_finish(job, done, outputs))
        announced = closer is Closer.WORKFLOW
        due_ms = done.files_due_at_ms if announced else now_ms + START_GRACE_MS
        return self.tables.put(replace(done, announced=announced, deadline_at_ms=due_ms, task_tokens={}))

    def _use(self, job: Job, used: Used) -> None:
        day = utc_day(job.closed_at_ms or job.created_at_ms)
        counted = used.outputs, used.cost, used.requests, used.units
        self.tables.use(Rollup(day, job.model, job.asset, *counted), job.account_id)

    @reached
    def grant(self, movement: Movement, grant: Grant, asked: PendingGrant | None = None) -> bool:
        wallet = self.tables.wallets.get((movement.account_id, movement.asset))
        if earlier := self.tables.grants.get((grant.kind, grant.reference)):
            grant.check_same(earlier)
            return False
        if wallet and self._entered(movement):
            return False
        if asked:
            place = grant.kind, grant.reference
            stored = self.tables.pending_grants.get(place)
            own = asked.is_of(grant.confirmed_by)
            if stored != asked or own or asked.expires_at_ms // 1000 <= movement.at_ms // 1000:
                raise NotFound("This grant does not wait for this operator any more.")
        if wallet is None or wallet.balance > AMOUNT_MAX:
            raise NotFound("No such wallet, or it is full.")
        if asked:
            del self.tables.pending_grants[place]
        self.tables.move(movement.split_for(wallet))
        self.tables.grants[grant.kind, grant.reference] = grant
        self.tables.low_since.pop((movement.account_id, movement.asset), None)
        return True

    @reached
    def propose(self, asked: PendingGrant) -> bool:
        place = asked.grant.kind, asked.grant.reference
        if granted := self.tables.grants.get(place):
            asked.grant.check_same(granted)
            return False
        earlier = self.tables.pending_grants.get(place)
        if earlier and earlier.expires_at_ms // 1000 > asked.grant.at_ms // 1000:
            asked.grant.check_same(earlier.grant)
        else:
            self.tables.pending_grants[place] = asked
        return True

    @reached
    def pending_grants(self, now_ms: int) -> list[PendingGrant]:
        return [each for each in self.tables.pending_grants.values() if each.expires_at_ms > now_ms]

    @reached
    def wallet(self, account_id: str, asset: Asset) -> Wallet:
        if (account_id, asset) not in self.tables.wallets:
            raise NotFound("No such wallet.")
        return self.tables.wallets[account_id, asset]

    @reached
    def note_low(self, job: Job, below: int) -> Wallet | None:
        wallet_id = job.account_id, job.asset
        wallet = self.tables.wallets[wallet_id]
        if wallet_id not in self.tables.low_since and wallet.available < below:
            self.tables.low_since[wallet_id] = job.ulid
        return wallet if self.tables.low_since.get(wallet_id) == job.ulid else None

    @reached
    def entries_sum(self, account_id: str, asset: Asset) -> Movement:
        entries = self.tables.entries.get((account_id, asset), {}).values()
        return Movement(
            account_id,
            asset,
            EntryKind.TOP_UP,
            reference="",
            at_ms=0,
            balance_delta=sum(entry.balance_delta for entry in entries),
            held_delta=sum(entry.held_delta for entry in entries),
            free_generations_delta=sum(entry.free_generations_delta for entry in entries),
            owed_delta=sum(entry.owed_delta for entry in entries),
        )

    @reached
    def discrepancies(self, account_id: str, time_left: TimeLeft = unlimited) -> list[Discrepancy]:
        if time_left() <= 0:
            raise NotAudited(account_id)
        return [
            Discrepancy(wallet.account_id, wallet.asset, what, expected, found)
            for wallet in self.tables.wallets.values()
            if wallet.account_id == account_id
            for what, expected, found in self._checks(wallet)
            if expected != found
        ]

    def _checks(self, wallet: Wallet) -> list[tuple[str, int, int]]:
        wallet_id = wallet.account_id, wallet.asset
        entries = self.tables.entries[wallet_id].values()
        jobs = [job for job in self.tables.jobs.values() if (job.account_id, job.asset) == wallet_id]
        held = sum(job.hold.amount for job in jobs if job.hold_state is HoldState.HELD)
        unfit = [job for job in jobs if job.status.terminal == (job.hold_state is HoldState.HELD)]
        cost = sum(job.cost for job in jobs)
        trials = sum(entry.free_generations_delta for entry in entries)
        return [
            ("balance is not the sum of the entries", sum(e.balance_delta for e in entries), wallet.balance),
            ("held is not the sum of the entries", sum(e.held_delta for e in entries), wallet.held),
            ("free generations are not the sum of the entries", trials, wallet.free_generations),
            ("held is not the sum of the open jobs' holds", held, wallet.held),
            ("usage is not the sum of the captures", self._captured(wallet_id), self._used(wallet_id)),
            ("owed is not the sum of the entries", sum(e.owed_delta for e in entries), wallet.owed),
            ("what was paid is not the sum of the payments", self._worth(wallet_id), self._paid(wallet_id)),
            ("balance less held is below zero", 0, min(0, wallet.free)),
            ("owed is below zero", 0, min(0, wallet.owed)),
            ("costs of the jobs are not the sum of the captures", self._captured(wallet_id), cost),
            ("jobs whose hold does not fit their status", 0, len(unfit)),
        ]

    def _captured(self, wallet_id: tuple[str, Asset]) -> int:
        entries = self.tables.entries[wallet_id].values()
        kinds = EntryKind.CAPTURE, EntryKind.UNDELIVERED
        return -sum(entry.balance_delta for entry in entries if entry.kind in kinds)

    def _paid(self, wallet_id: tuple[str, Asset]) -> int:
        entries = self.tables.entries[wallet_id].values()
        return sum(entry.net for entry in entries if entry.kind in OF_PAYMENTS or entry.note == PAID)

    def _worth(self, wallet_id: tuple[str, Asset]) -> int:
        records = self.tables.payments.values()
        return sum(r.worth for r in records if (r.payment.account_id, r.payment.asset) == wallet_id)

    def _used(self, wallet_id: tuple[str, Asset]) -> int:
        rollups = self.tables.rollups.items()
        return sum(used.cost for place, used in rollups if (place[0], used.asset) == wallet_id)

    def _affordable(self, job: Job) -> bool:
        wallet = self.tables.wallets.get((job.account_id, job.asset))
        if wallet is None:
            return False
        if job.free_trial:
            return wallet.available < job.price and wallet.free_generations >= 1
        return wallet.available >= job.price

    def _entered(self, movement: Movement) -> bool:
        return movement.entry_id in self.tables.entries[movement.account_id, movement.asset]

    def _close(self, job: Job, movement: Movement, closer: Closer, changes: dict[str, Any]) -> Job:
        stored = self.tables.stored(job)
        if stored.hold_state is not HoldState.HELD:
            raise JobClosed(job.id)
        if self._entered(movement) or self.tables.wallets[job.account_id, job.asset].held < job.hold.amount:
            raise InternalError
        changes |= {
            "closed_by": closer,
            "closed_at_ms": movement.at_ms,
        }
        if changes.get("awaiting"):
            self.tables.put(replace(stored, **changes))
            self.tables.move(movement)
            return replace(job, **changes)
        changes |= {"task_tokens": {}}
        announced = closer is Closer.WORKFLOW
        due_ms = replace(job, **changes).files_due_at_ms if announced else movement.at_ms + START_GRACE_MS
        changes |= {"announced": announced, "deadline_at_ms": due_ms}
        self.tables.put(replace(stored, **changes))
        self.tables.move(movement)
        return replace(job, **changes)

    def _earlier(self, record: IdempotencyRecord, now_ms: int) -> IdempotencyRecord | None:
        if record.key.key in self.in_flight:
            raise IdempotencyInFlight(retry_after_seconds=1)
        return self._recorded(record.key, now_ms)

    def _recorded(self, key: IdempotencyKey, now_ms: int) -> IdempotencyRecord | None:
        for spelling in key.spellings:
            earlier = self.tables.records.get((key.account_id, key.route, spelling))
            if earlier and earlier.expires_at_ms // 1000 > now_ms // 1000:
                return earlier.replay(key)
        return None


def _place(key: IdempotencyKey) -> tuple[str, str, str]:
    return key.account_id, key.route, key.key
