"""Money in the table: one transaction a movement, and every number changes under a condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from shoal.adapters.dynamodb import items
from shoal.adapters.dynamodb.audit import audit, entries_sum
from shoal.adapters.dynamodb.idempotency import UNUSED, find_record, record_of, record_put, write_with_record
from shoal.adapters.dynamodb.outbox import outbox_updates
from shoal.adapters.dynamodb.table import (
    ConditionFailed,
    Delete,
    Item,
    Put,
    Table,
    TransactionContended,
    TransactionRefused,
    Update,
)
from shoal.adapters.dynamodb.usage import usage_update
from shoal.adapters.dynamodb.wallets import credit_or_debit, is_full, movement_update
from shoal.domain import errors
from shoal.domain.canceling import finished, return_undelivered
from shoal.domain.events import movement_event
from shoal.domain.grant import Grant, PendingGrant
from shoal.domain.idempotency import IdempotencyKey, IdempotencyRecord
from shoal.domain.job import (
    FAILED,
    START_GRACE_MS,
    Closer,
    HoldState,
    Job,
    JobFailure,
    JobStatus,
    Output,
    closing_status,
)
from shoal.domain.models.usage import used_by_cancel, used_by_capture, used_by_finish
from shoal.domain.money import Asset
from shoal.domain.text import folded
from shoal.domain.wallet import Movement, Wallet
from shoal.ports.money import Discrepancy
from shoal.ports.system import TimeLeft, unlimited

NEW = "attribute_not_exists(pk)"
AFFORDABLE = "available >= :price"
ON_TRIAL = "available < :price AND free_generations >= :one"
STILL_HELD = "held >= :amount"
STILL_OPEN = "hold_state = :held"
ENTRY = 2
"""Where the entry stands among the parts of a closing."""
HELD = {":held": str(HoldState.HELD)}
SAME_CALLS = "hold_state = :held AND calls = :calls"
STILL_AWAITING = "awaiting = :yes"
EXISTS = "attribute_exists(pk)"
STILL_ASKED = "expires_at = :expiry AND expires_at > :now_s AND asked_by <> :operator"
LOOKS_MAX = 6
"""How often a movement is divided again because its wallet moved meanwhile."""
LOW = "available < :below AND attribute_not_exists(low_since)"


class DynamoDbLedger:
    """Implements the `Ledger` port."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def submit(self, job: Job, record: IdempotencyRecord | None, now_ms: int) -> IdempotencyRecord | None:
        hold = job.hold.place(now_ms)
        condition, values = (
            (ON_TRIAL, {":price": job.price, ":one": 1})
            if job.free_trial
            else (AFFORDABLE, {":price": job.price})
        )
        parts: list[Put | Update] = [
            Put(items.job_item(job), NEW),
            movement_update(hold, condition, values),
            Put(items.entry_item(hold), NEW),
        ]
        if record:
            parts.append(record_put(record, now_ms))
        try:
            self._table.transact(parts, find=True)
        except TransactionContended as contended:
            if record and contended.by_the_last:
                raise errors.IdempotencyInFlight(retry_after_seconds=1) from None
            raise
        except TransactionRefused as refused:
            return _explain_refusal(refused, record)
        return None

    def find_record(self, key: IdempotencyKey, now_ms: int) -> IdempotencyRecord | None:
        return find_record(self._table, key, now_ms)

    def capture(
        self, job: Job, outputs: Sequence[Output], expire_at_ms: int | None, closer: Closer, now_ms: int
    ) -> Job:
        cost = job.cost_of(outputs)
        closed = replace(
            job,
            status=JobStatus.COMPLETED,
            hold_state=HoldState.CAPTURED,
            outputs=tuple(outputs),
            outputs_expire_at_ms=expire_at_ms,
            cost=cost,
            closed_by=closer,
            closed_at_ms=now_ms,
        )
        captured = job.hold.capture(cost, now_ms, job.charges_of(outputs))
        usage = usage_update(closed, used_by_capture(closed, outputs))
        return self._close(closed, now_ms, [*_resolution(closed, captured), usage])

    def release(self, job: Job, failure: JobFailure, closer: Closer, now_ms: int) -> Job:
        closed = replace(
            job,
            status=closing_status(failure),
            hold_state=HoldState.RELEASED,
            failure=failure,
            closed_by=closer,
            closed_at_ms=now_ms,
        )
        return self._close(closed, now_ms, _resolution(closed, job.hold.release(now_ms)))

    def cancel(self, canceled: Job, record: IdempotencyRecord | None, now_ms: int) -> Job:
        seen = {":calls": {str(index): call.to_json() for index, call in canceled.calls.items()}}
        money: list[Put | Update]
        if canceled.captured:
            captured = canceled.hold.capture(canceled.cost, now_ms, canceled.charges_at_most)
            money = [*_resolution(canceled, captured)]
            money += [usage_update(canceled, used_by_cancel(canceled))]
        else:
            money = [*_resolution(canceled, canceled.hold.release(now_ms))]
        return self._close(canceled, now_ms, money, SAME_CALLS, HELD | seen, record)

    def finish(
        self,
        job: Job,
        arrived: frozenset[int],
        outputs: Sequence[Output],
        expire_at_ms: int | None,
        closer: Closer,
        now_ms: int,
    ) -> Job:
        closed = finished(job, arrived, outputs, expire_at_ms, closer, now_ms)
        money: list[Put | Update] = []
        if movement := return_undelivered(closed, now_ms):
            money = [movement_update(movement, EXISTS, {}), Put(items.entry_item(movement), NEW)]
            money += [usage_update(job, used_by_finish(job, closed, outputs))]
        return self._close(closed, now_ms, money, STILL_AWAITING, {":yes": True})

    def grant(self, movement: Movement, grant: Grant, asked: PendingGrant | None = None) -> bool:
        ends = [_ending(asked, grant)] if asked else []
        for _ in range(LOOKS_MAX):
            before = self.wallet(movement.account_id, movement.asset)
            divided = movement.split_for(before)
            try:
                wallet = credit_or_debit(before, before.after(divided))
                written = Put(items.entry_item(divided), NEW), Put(items.grant_item(grant), NEW)
                told = outbox_updates([movement_event(divided)])
                self._table.transact([wallet, *written, *ends, *told], find=True)
            except TransactionContended:
                break
            except TransactionRefused as refused:
                if earlier := refused.reasons[2].item or refused.reasons[1].item:
                    grant.check_same(items.grant_of(earlier))
                    return False
                if refused.failed(3):
                    raise errors.NotFound("This grant does not wait for this operator any more.") from None
                if is_full(refused.reasons[0].item):
                    raise errors.NotFound("The wallet is full.") from None
            else:
                return True
        raise errors.Unavailable(retry_after_seconds=1)

    def propose(self, asked: PendingGrant) -> bool:
        if granted := self._table.get(*items.grant_key(asked.grant)):
            asked.grant.check_same(items.grant_of(granted))
            return False
        try:
            now_s = asked.grant.at_ms // 1000
            self._table.transact([Put(items.pending_grant_item(asked), UNUSED, {":now_s": now_s})])
        except TransactionRefused as refused:
            asked.grant.check_same(items.grant_of(refused.reasons[0].item or {}))
        return True

    def pending_grants(self, now_ms: int) -> list[PendingGrant]:
        pages = self._table.query(
            KeyConditionExpression="pk = :pk", ConsistentRead=True, values={":pk": items.PENDING_GRANTS}
        )
        every = [items.pending_grant_of(item) for page, _ in pages for item in page]
        return [asked for asked in every if asked.expires_at_ms > now_ms]

    def wallet(self, account_id: str, asset: Asset) -> Wallet:
        item = self._table.get(*items.wallet_key(account_id, asset))
        if item is None:
            raise errors.NotFound("No such wallet.")
        return items.wallet_of(item)

    def note_low(self, job: Job, below: int) -> Wallet | None:
        key = items.wallet_key(job.account_id, job.asset)
        try:
            values = {":below": below, ":job": job.ulid}
            return items.wallet_of(self._table.update(Update(key, "SET low_since = :job", LOW, values)))
        except ConditionFailed as failed:
            # A repeated run finds its own note there.
            noted = failed.item and failed.item.get("low_since") == job.ulid
            return items.wallet_of(failed.item) if failed.item and noted else None

    def entries_sum(self, account_id: str, asset: Asset) -> Movement:
        return entries_sum(self._table, account_id, asset)

    def discrepancies(self, account_id: str, time_left: TimeLeft = unlimited) -> list[Discrepancy]:
        return audit(self._table, account_id, time_left)

    def _close(
        self,
        closed: Job,
        now_ms: int,
        money: Sequence[Put | Update],
        condition: str = STILL_OPEN,
        values: Mapping[str, Any] = HELD,
        record: IdempotencyRecord | None = None,
    ) -> Job:
        """`condition` and its `values` are what the job still has to be.

        Raises `JobClosed`, `CallTaken`, `IdempotencyKeyReused`, `IdempotencyInFlight`.
        """
        if not closed.awaiting:
            # The workflow announces by itself; anybody else leaves the job due until `mark_announced`.
            announced = closed.closed_by is Closer.WORKFLOW
            due_ms = closed.files_due_at_ms if announced else now_ms + START_GRACE_MS
            closed = replace(closed, task_tokens={}, announced=announced, deadline_at_ms=due_ms)
        try:
            parts = [_job_update(closed, condition, values), *money]
            if write_with_record(self._table, parts, record, now_ms):
                raise errors.JobClosed(closed.id)
        except TransactionRefused as refused:
            if refused.failed(0):
                raise _why_not(closed, condition, refused.reasons[0].item) from None
            # While the other's write still locks the job, its entry alone may tell.
            if refused.failed(ENTRY):
                raise errors.JobClosed(closed.id) from None
            raise
        return closed


def _why_not(job: Job, condition: str, found: Item | None) -> errors.CallTaken | errors.JobClosed:
    """Whether a job is closed, or only another one than was looked at."""
    open_still = condition == SAME_CALLS and found and found["hold_state"] == HoldState.HELD
    return errors.CallTaken(job.id) if open_still else errors.JobClosed(job.id)


def _ending(asked: PendingGrant, grant: Grant) -> Delete:
    """The part of a grant that ends its waiting: it is still the one that was looked at."""
    values = {
        ":expiry": asked.expires_at_ms // 1000,
        ":now_s": grant.at_ms // 1000,
        ":operator": folded(grant.confirmed_by),
    }
    return Delete(items.pending_grant_key(grant), STILL_ASKED, values)


def _job_update(job: Job, condition: str, values: Mapping[str, Any]) -> Update:
    """The job's part of a settlement.

    It stays in the index of open jobs only while it waits for outputs, or has to be announced, or its files
    to be deleted. One that failed enters the index of failed jobs, for good.
    """
    changes: dict[str, Any] = {
        "status": str(job.status),
        "hold_state": str(job.hold_state),
        "closed_at_ms": job.closed_at_ms,
        "closed_by": str(job.closed_by),
        "announced": job.announced,
        "cost": job.cost,
        "outputs": items.outputs_json(job.outputs),
        "outputs_expire_at_ms": job.outputs_expire_at_ms,
        "failure": job.failure and asdict(job.failure),
        "failed_shard": items.failed_shard(job.ulid) if job.status in FAILED else None,
        "captured": {str(index) for index in job.captured} or None,
        "awaiting": job.awaiting or None,
        "undelivered": job.undelivered,
    }
    if not job.awaiting:
        # One that waits keeps its tokens, and the deadline at which the sweeper stops the waiting.
        due = job.deadline_at_ms
        changes |= {
            "open_shard": None if due is None else items.open_shard(job.ulid),
            "deadline_at": due,
            "task_tokens": None,
        }
    kept = {name: value for name, value in changes.items() if value is not None}
    gone = sorted(changes.keys() - kept.keys())
    return Update(
        key=items.job_key(job.account_id, job.ulid),
        expression=f"SET {', '.join(f'#{n} = :{n}' for n in kept)} REMOVE {', '.join(gone)}",
        condition=condition,
        values={f":{n}": value for n, value in kept.items()} | dict(values),
        names={f"#{n}": n for n in kept},
    )


def _resolution(job: Job, movement: Movement) -> tuple[Update, Put]:
    """The wallet's part of a settlement, and its entry."""
    condition, values = (EXISTS, {}) if job.free_trial else (STILL_HELD, {":amount": job.hold.amount})
    return movement_update(movement, condition, values), Put(items.entry_item(movement), NEW)


def _explain_refusal(refused: TransactionRefused, record: IdempotencyRecord | None) -> IdempotencyRecord:
    if record and refused.failed(3):
        return record_of(refused.reasons[3].item, record.key)
    if refused.failed(1):
        wallet = refused.reasons[1].item
        raise errors.InsufficientBalance(
            available=items.wallet_of(wallet).available if wallet else 0
        ) from None
    raise errors.InternalError() from refused
