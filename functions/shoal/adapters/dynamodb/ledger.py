"""Money in the table: one transaction a movement, and every number changes under a condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from shoal.adapters.dynamodb.audit import audit, entries_sum
from shoal.adapters.dynamodb.idempotency import find_record, record_of, record_put
from shoal.adapters.dynamodb.items import (
    entry_item,
    failed_shard,
    grant_item,
    grant_of,
    job_item,
    job_key,
    open_shard,
    outputs_json,
    wallet_key,
    wallet_of,
)
from shoal.adapters.dynamodb.table import (
    ConditionFailed,
    Put,
    Table,
    TransactionContended,
    TransactionRefused,
    Update,
)
from shoal.adapters.dynamodb.usage import usage_update
from shoal.adapters.dynamodb.wallets import credit_or_debit, is_full, movement_update
from shoal.domain.errors import (
    IdempotencyInFlight,
    InsufficientBalance,
    InternalError,
    JobClosed,
    NotFound,
    Unavailable,
)
from shoal.domain.grant import Grant
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
from shoal.domain.money import Asset
from shoal.domain.wallet import Movement, Wallet
from shoal.ports.money import Discrepancy

NEW = "attribute_not_exists(pk)"
AFFORDABLE = "available >= :price"
ON_TRIAL = "available < :price AND free_generations >= :one"
STILL_HELD = "held >= :amount"
TRIAL_TAKEN = "attribute_exists(pk)"
STILL_OPEN = "hold_state = :held"
ENTRY = 2
"""Where the entry stands among the parts of a closing."""
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
            Put(job_item(job), NEW),
            movement_update(hold, condition, values),
            Put(entry_item(hold), NEW),
        ]
        if record:
            parts.append(record_put(record, now_ms))
        try:
            self._table.transact(parts)
        except TransactionContended as contended:
            if record and contended.reasons[-1].code == "TransactionConflict":
                raise IdempotencyInFlight(retry_after_seconds=1) from None
            raise Unavailable(retry_after_seconds=1) from None
        except TransactionRefused as refused:
            return _explain_refusal(refused, record)
        return None

    def find_record(self, key: IdempotencyKey, now_ms: int) -> IdempotencyRecord | None:
        return find_record(self._table, key, now_ms)

    def capture(
        self, job: Job, outputs: Sequence[Output], expire_at_ms: int | None, closer: Closer, now_ms: int
    ) -> Job:
        cost = job.cost_of(len(outputs))
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
        return self._close(closed, job.hold.capture(cost, now_ms), usage_update(closed))

    def release(self, job: Job, failure: JobFailure, closer: Closer, now_ms: int) -> Job:
        closed = replace(
            job,
            status=closing_status(failure),
            hold_state=HoldState.RELEASED,
            failure=failure,
            closed_by=closer,
            closed_at_ms=now_ms,
        )
        return self._close(closed, job.hold.release(now_ms))

    def grant(self, movement: Movement, grant: Grant) -> bool:
        for _ in range(LOOKS_MAX):
            before = self.wallet(movement.account_id, movement.asset)
            divided = movement.split_for(before)
            try:
                wallet = credit_or_debit(before, before.after(divided))
                self._table.transact([wallet, Put(entry_item(divided), NEW), Put(grant_item(grant), NEW)])
            except TransactionContended:
                break
            except TransactionRefused as refused:
                if earlier := refused.reasons[2].item or refused.reasons[1].item:
                    grant.check_same(grant_of(earlier))
                    return False
                if is_full(refused.reasons[0].item):
                    raise NotFound("The wallet is full.") from None
            else:
                return True
        raise Unavailable(retry_after_seconds=1)

    def wallet(self, account_id: str, asset: Asset) -> Wallet:
        item = self._table.get(*wallet_key(account_id, asset))
        if item is None:
            raise NotFound("No such wallet.")
        return wallet_of(item)

    def note_low(self, job: Job, below: int) -> Wallet | None:
        key = wallet_key(job.account_id, job.asset)
        try:
            values = {":below": below, ":job": job.ulid}
            return wallet_of(self._table.update(Update(key, "SET low_since = :job", LOW, values)))
        except ConditionFailed as failed:
            # A repeated run finds its own note there.
            noted = failed.item and failed.item.get("low_since") == job.ulid
            return wallet_of(failed.item) if failed.item and noted else None

    def entries_sum(self, account_id: str, asset: Asset) -> Movement:
        return entries_sum(self._table, account_id, asset)

    def discrepancies(self) -> list[Discrepancy]:
        return audit(self._table)

    def _close(self, closed: Job, movement: Movement, *also: Update) -> Job:
        # The workflow announces by itself; anybody else leaves the job due until `mark_announced`.
        announced = closed.closed_by is Closer.WORKFLOW
        due_ms = closed.files_due_at_ms if announced else movement.at_ms + START_GRACE_MS
        closed = replace(closed, task_tokens={}, announced=announced, deadline_at_ms=due_ms)
        parts: list[Put | Update] = [
            _job_update(closed),
            movement_update(movement, *_resolvable(closed)),
            Put(entry_item(movement), NEW),
            *also,
        ]
        try:
            self._table.transact(parts)
        except TransactionContended:
            raise Unavailable(retry_after_seconds=1) from None
        except TransactionRefused as refused:
            # While the other's write still locks the job, its entry alone may tell.
            if refused.failed(0) or refused.failed(ENTRY):
                raise JobClosed(closed.id) from None
            raise
        return closed


def _job_update(job: Job) -> Update:
    """The job's part of a settlement.

    It stays in the index of open jobs only while it has to be announced, or its files to be deleted. One
    that failed enters the index of failed jobs, for good.
    """
    changes: dict[str, Any] = {
        "status": str(job.status),
        "hold_state": str(job.hold_state),
        "closed_at_ms": job.closed_at_ms,
        "closed_by": str(job.closed_by),
        "announced": job.announced,
        "cost": job.cost,
        "outputs": outputs_json(job.outputs),
        "outputs_expire_at_ms": job.outputs_expire_at_ms,
        "failure": job.failure and asdict(job.failure),
        "failed_shard": failed_shard(job.ulid) if job.status in FAILED else None,
    }
    removals = ["task_tokens"]
    if job.deadline_at_ms is None:
        removals += ["open_shard", "deadline_at"]
    else:
        changes |= {
            "open_shard": open_shard(job.ulid),
            "deadline_at": job.deadline_at_ms,
        }
    changes = {name: value for name, value in changes.items() if value is not None}
    return Update(
        key=job_key(job.account_id, job.ulid),
        expression=f"SET {', '.join(f'#{n} = :{n}' for n in changes)} REMOVE {', '.join(removals)}",
        condition=STILL_OPEN,
        values={f":{n}": value for n, value in changes.items()} | {":held": str(HoldState.HELD)},
        names={f"#{n}": n for n in changes},
    )


def _resolvable(job: Job) -> tuple[str, dict[str, Any]]:
    return (TRIAL_TAKEN, {}) if job.free_trial else (STILL_HELD, {":amount": job.hold.amount})


def _explain_refusal(refused: TransactionRefused, record: IdempotencyRecord | None) -> IdempotencyRecord:
    if record and refused.failed(3):
        return record_of(refused.reasons[3].item, record.key)
    if refused.failed(1):
        wallet = refused.reasons[1].item
        raise InsufficientBalance(available=wallet_of(wallet).available if wallet else 0) from None
    raise InternalError() from refused
