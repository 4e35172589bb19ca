"""What must hold for wallets and jobs while others write: scenarios that fail without a condition."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shoal.adapters.dynamodb.items import entry_item, job_key, wallet_key
from shoal.adapters.dynamodb.table import ConditionFailed, Put, TransactionRefused
from shoal.domain.api_key import Caller
from shoal.domain.canceling import canceled as canceled_job
from shoal.domain.errors import (
    CallTaken,
    InsufficientBalance,
    InternalError,
    JobClosed,
    NotFound,
    ValidationFailed,
)
from shoal.domain.grant import PENDING_MS, Grant, PendingGrant
from shoal.domain.job import Closer, Job, JobFailure, JobStatus
from shoal.domain.money import AMOUNT_MAX, Asset
from shoal.domain.routing import Phase, ProviderCall
from shoal.domain.wallet import EntryKind, Movement
from shoal.ports.jobs import Due
from tests.integration.bench import OUTPUTS, PRICE, Bench
from tests.integration.conditions.conditions import write
from tests.support.factories import DECISION

CANCELED = JobFailure("canceled", "Canceled by request.")
FAILURE = JobFailure("provider_failed", "no luck")


def drafted(bench: Bench, caller: Caller, **changes: Any) -> Job:
    """A job that was not submitted yet."""
    model = bench.accept(bench.account(PRICE))
    job_id = bench.ids.new("job", bench.clock.now_ms())
    return replace(model, id=job_id, account_id=caller.account_id, **changes)


def a_job_overwrites_no_job_of_the_same_id(bench: Bench) -> None:
    caller = bench.account(PRICE)
    job = bench.accept(caller)
    with pytest.raises(InternalError):
        bench.ledger.submit(
            replace(job, submission=replace(job.submission, asset=Asset.TEST_USD)), None, bench.clock.now_ms()
        )
    assert bench.job(job) == job


def a_job_without_money_is_refused(bench: Bench) -> None:
    caller = bench.account(PRICE - 1)
    with pytest.raises(InsufficientBalance):
        bench.ledger.submit(drafted(bench, caller), None, bench.clock.now_ms())
    assert bench.wallet(caller).available == PRICE - 1


def a_trial_is_not_spent_while_there_is_money(bench: Bench) -> None:
    caller = bench.account(PRICE)
    with pytest.raises(InsufficientBalance):
        bench.ledger.submit(drafted(bench, caller, free_trial=True), None, bench.clock.now_ms())
    assert bench.wallet(caller).free_generations == 3


def a_fourth_trial_is_refused(bench: Bench) -> None:
    caller = bench.account(0)
    for _ in range(3):
        bench.submit(caller)
    with pytest.raises(InsufficientBalance):
        bench.submit(caller)
    assert bench.wallet(caller).free_generations == 0


def a_grant_of_0_1_is_not_made_again(bench: Bench) -> None:
    """Version 0.1 wrote the entry alone."""
    caller = bench.account(0)
    made = Movement(caller.account_id, Asset.USD, EntryKind.TOP_UP, "invoice-1", 0, balance_delta=7)
    bench.table.transact([Put(entry_item(made))])
    assert not bench.accounts.grant(caller.account_id, Asset.USD, 7, DECISION, "invoice-1")
    assert bench.wallet(caller).balance == 0
    with pytest.raises(ValidationFailed):
        bench.accounts.grant(caller.account_id, Asset.USD, 8, DECISION, "invoice-1")


def a_reference_stands_for_one_grant(bench: Bench) -> None:
    caller, other = bench.account(0), bench.account(0)
    bench.accounts.grant(caller.account_id, Asset.USD, 7, DECISION, "invoice-1")
    for account_id, asset, amount in [
        (other.account_id, Asset.USD, 7),
        (caller.account_id, Asset.CREDIT, 7),
        (caller.account_id, Asset.USD, 8),
    ]:
        with pytest.raises(ValidationFailed):
            bench.accounts.grant(account_id, asset, amount, DECISION, "invoice-1")
    assert (bench.wallet(caller).balance, bench.wallet(other).balance) == (7, 0)


def asked_for(bench: Bench, caller: Caller, amount: int, operator: str = "first@example.com") -> PendingGrant:
    """A grant that one operator asks for; it waits for another one."""
    now_ms = bench.clock.now_ms()
    grant = Grant(
        EntryKind.TOP_UP, "invoice-1", caller.account_id, Asset.USD, amount, operator, "a reason", now_ms
    )
    return PendingGrant(grant, now_ms + PENDING_MS)


def what_was_asked_for_stays_as_it_was_asked_for_a_day(bench: Bench) -> None:
    caller = bench.account(0)
    first = asked_for(bench, caller, 7)
    assert bench.ledger.propose(first)
    assert bench.ledger.propose(asked_for(bench, caller, 7, "second@example.com"))
    with pytest.raises(ValidationFailed):
        bench.ledger.propose(asked_for(bench, caller, 8))
    (waiting,) = bench.ledger.pending_grants(bench.clock.now_ms())
    assert waiting.grant == first.grant
    bench.clock.ms += PENDING_MS
    assert bench.ledger.pending_grants(bench.clock.now_ms()) == []
    assert bench.ledger.propose(asked_for(bench, caller, 8))
    assert [each.grant.amount for each in bench.ledger.pending_grants(bench.clock.now_ms())] == [8]


def a_grant_is_confirmed_as_it_waits_by_another_operator(bench: Bench) -> None:
    caller = bench.account(0)

    def confirm(asked: PendingGrant, operator: str) -> bool:
        grant = replace(asked.grant, confirmed_by=operator, at_ms=bench.clock.now_ms())
        return bench.ledger.grant(grant.movement, grant, asked)

    expired = asked_for(bench, caller, 7)
    bench.ledger.propose(expired)
    with pytest.raises(NotFound):
        confirm(expired, "First@Example.com")
    bench.clock.ms += PENDING_MS
    with pytest.raises(NotFound):
        confirm(expired, "second@example.com")
    waiting = asked_for(bench, caller, 8)
    bench.ledger.propose(waiting)
    with pytest.raises(NotFound):
        confirm(expired, "second@example.com")
    assert bench.wallet(caller).balance == 0
    assert [confirm(waiting, "second@example.com") for _ in range(2)] == [True, False]
    assert bench.ledger.pending_grants(bench.clock.now_ms()) == []
    assert bench.wallet(caller).balance == 8


def a_low_wallet_is_noted_by_one_job(bench: Bench) -> None:
    caller = bench.account(3 * PRICE)
    first, second = (bench.settle(bench.accept(caller)) for _ in range(2))
    noted = [bench.ledger.note_low(job, 2 * PRICE) is not None for job in (first, second, first)]
    assert noted == [True, False, True]


def a_wallet_with_enough_is_not_low(bench: Bench) -> None:
    caller = bench.account(2 * PRICE)
    job = bench.settle(bench.accept(caller))
    assert bench.ledger.note_low(job, PRICE) is None


def a_top_up_ends_being_low(bench: Bench) -> None:
    caller = bench.account(3 * PRICE)
    first, second = (bench.settle(bench.accept(caller)) for _ in range(2))
    assert bench.ledger.note_low(first, 2 * PRICE)
    bench.accounts.grant(caller.account_id, Asset.USD, 1, DECISION)
    assert bench.ledger.note_low(second, 2 * PRICE)


def a_full_wallet_takes_no_more(bench: Bench) -> None:
    caller = bench.account(1)
    bench.accounts.grant(caller.account_id, Asset.USD, AMOUNT_MAX, DECISION)
    with pytest.raises(NotFound):
        bench.accounts.grant(caller.account_id, Asset.USD, 1, DECISION)


def a_wallet_that_is_not_there_takes_nothing(bench: Bench) -> None:
    with pytest.raises(NotFound):
        bench.accounts.grant(bench.ids.new("acc", 0), Asset.USD, 1, DECISION)


def an_idempotency_key_makes_one_job(bench: Bench) -> None:
    caller = bench.account(5 * PRICE)
    firsts: list[str] = []
    again = bench.submit(
        caller, "key-1", meanwhile=lambda: firsts.append(bench.submit(caller, "key-1").job_id)
    )
    assert (again.replayed, [again.job_id]) == (True, firsts)
    assert bench.wallet(caller).held == PRICE


def an_idempotency_key_counts_for_a_day(bench: Bench) -> None:
    caller = bench.account(5 * PRICE)
    first = bench.submit(caller, "key-1")
    bench.clock.pass_seconds(24 * 3_600 - 1)
    assert bench.submit(caller, "key-1").job_id == first.job_id
    bench.clock.pass_seconds(1)
    assert bench.submit(caller, "key-1").job_id != first.job_id


def a_closed_job_is_not_closed_again(bench: Bench) -> None:
    caller = bench.account(PRICE)
    job = bench.accept(caller)
    closed = bench.ledger.release(job, FAILURE, Closer.SWEEP, bench.clock.now_ms())
    with pytest.raises(JobClosed):
        bench.ledger.capture(job, OUTPUTS[:1], None, Closer.WORKFLOW, bench.clock.now_ms())
    assert bench.job(job) == closed
    assert bench.wallet(caller).available == PRICE


def asked(bench: Bench, job: Job) -> Job:
    """The job once a provider was asked for its first output."""
    return bench.jobs.note_call(job, 0, ProviderCall(1, "simulator/", Phase.ASKED, mark="first run"))


def called_off(bench: Bench, job: Job) -> Job:
    """What a cancel makes of the job as it was read."""
    return canceled_job(job, CANCELED, awaiting=True, expire_at_ms=None, now_ms=bench.clock.now_ms())


def a_cancel_sees_what_was_asked_meanwhile(bench: Bench) -> None:
    caller = bench.account(2 * PRICE)
    job = bench.begin(bench.accept_task(caller, 2))
    asked(bench, job)
    with pytest.raises(CallTaken):
        bench.ledger.cancel(called_off(bench, job), None, bench.clock.now_ms())
    canceled = bench.cancel_job(caller, job.id)
    assert (set(canceled.captured), canceled.cost) == ({0}, PRICE)
    assert bench.wallet(caller).available == PRICE


def a_closed_job_is_not_canceled(bench: Bench) -> None:
    caller = bench.account(2 * PRICE)
    job, other = bench.accept(caller), bench.accept(caller)
    now_ms = bench.clock.now_ms()
    bench.ledger.capture(job, (), None, Closer.WORKFLOW, now_ms)
    with pytest.raises(JobClosed):
        bench.ledger.cancel(called_off(bench, job), None, now_ms)
    assert bench.job(job).status is JobStatus.COMPLETED
    assert bench.wallet(caller).held == other.price


def what_a_cancel_awaits_is_finished_once(bench: Bench) -> None:
    caller = bench.account(PRICE)
    job = asked(bench, bench.begin(bench.accept_task(caller, 1)))
    canceled = bench.cancel_job(caller, job.id)
    assert canceled.awaiting
    settled = bench.settle(job)
    assert (settled.status, settled.cost, len(settled.outputs)) == (JobStatus.CANCELED, PRICE, 1)
    with pytest.raises(JobClosed):
        bench.ledger.finish(canceled, frozenset(), (), None, Closer.SWEEP, bench.clock.now_ms())
    with pytest.raises(JobClosed):
        bench.ledger.finish(canceled, frozenset({0}), (), None, Closer.SWEEP, bench.clock.now_ms())
    assert bench.job(job) == settled
    assert bench.wallet(caller).balance == 0


def a_canceled_job_goes_on_with_what_it_awaits(bench: Bench) -> None:
    caller = bench.account(PRICE)
    job = asked(bench, bench.begin(bench.accept_task(caller, 1)))
    canceled = bench.cancel_job(caller, job.id)
    told = bench.jobs.note_provider_ref(job, 0, "as it was before the cancel")
    assert (told.captured, told.awaiting) == (canceled.captured, True)
    later = ProviderCall(1, "simulator/", Phase.DUE, mark="second run")
    current = bench.jobs.note_call(told, 0, later)
    assert current.calls[0] == later
    with pytest.raises(CallTaken):
        bench.jobs.note_call(told, 0, replace(later, mark="third run"))
    bench.fail(job)
    with pytest.raises(JobClosed):
        bench.jobs.note_provider_ref(current, 0, "too late")
    (rollup,) = bench.rollups(caller)
    assert (rollup.units, rollup.cost, rollup.requests) == (0, 0, 0)
    assert bench.wallet(caller).balance == PRICE


def a_capture_is_counted_once(bench: Bench) -> None:
    caller = bench.account(4 * PRICE)
    job = bench.accept_task(caller, 4)
    settled = bench.settle(job, delivered=3)
    with pytest.raises(JobClosed):
        bench.ledger.capture(job, OUTPUTS, None, Closer.WORKFLOW, bench.clock.now_ms())
    assert bench.settle(job) == bench.job(job)
    assert bench.job(job).outputs == settled.outputs
    (rollup,) = bench.rollups(caller)
    assert (rollup.units, rollup.cost, rollup.requests) == (3, 3 * PRICE, 1)
    assert bench.wallet(caller).available == PRICE


def a_hold_that_is_not_held_is_not_resolved(bench: Bench) -> None:
    caller = bench.account(PRICE)
    job = bench.accept(caller)
    write(bench.table, wallet_key(caller.account_id, Asset.USD), "held", PRICE - 1)
    with pytest.raises(TransactionRefused):
        bench.ledger.release(job, FAILURE, Closer.SWEEP, bench.clock.now_ms())
    assert bench.wallet(caller).held == PRICE - 1


def a_trial_is_given_back(bench: Bench) -> None:
    caller = bench.account(0)
    bench.ledger.release(bench.accept(caller), FAILURE, Closer.SWEEP, bench.clock.now_ms())
    assert bench.wallet(caller).free_generations == 3


def a_closed_job_does_not_begin(bench: Bench) -> None:
    caller = bench.account(PRICE)
    job = bench.accept(caller)
    bench.cancel_job(caller, job.id)
    for write_late in (lambda job: bench.jobs.note_callback(job, "digest"), bench.begin):
        with pytest.raises(JobClosed):
            write_late(job)
    assert bench.job(job).status is JobStatus.CANCELED


def one_execution_takes_over(bench: Bench) -> None:
    job = bench.accept(bench.account(PRICE))
    again = bench.jobs.start_again(job)
    with pytest.raises(JobClosed):
        bench.jobs.start_again(job)
    third = bench.jobs.start_again(again)
    with pytest.raises(JobClosed):
        bench.jobs.start_again(again)
    assert bench.job(job).execution == third.execution == f"{job.id}-2"


def no_execution_takes_over_a_closed_job(bench: Bench) -> None:
    caller = bench.account(2 * PRICE)
    first, second = bench.accept(caller), bench.jobs.start_again(bench.accept(caller))
    for job in (first, second):
        bench.cancel_job(caller, job.id)
        with pytest.raises(JobClosed):
            bench.jobs.start_again(job)
        assert bench.job(job).restarts == job.restarts


def executions_take_over_what_a_cancel_awaits(bench: Bench) -> None:
    caller = bench.account(PRICE)
    job = asked(bench, bench.begin(bench.accept_task(caller, 1)))
    bench.cancel_job(caller, job.id)
    canceled = bench.job(job)
    bench.jobs.start_again(bench.jobs.start_again(canceled))
    waiting = bench.jobs.begin(job.account_id, job.id, 0, "another token", bench.clock.now_ms())
    assert waiting == replace(canceled, task_tokens={0: "another token"}, restarts=2)
    settled = bench.settle(job)
    with pytest.raises(JobClosed):
        bench.jobs.start_again(settled)


def a_closed_job_alone_is_announced_later(bench: Bench) -> None:
    job = bench.accept(bench.account(PRICE))
    with pytest.raises(ConditionFailed):
        bench.jobs.announce_later(job)
    bench.jobs.announce_later(bench.settle(job))
    assert bench.sweep_jobs() == {"announced": 1}
    assert bench.sweep_jobs() == {}


def an_open_job_stays_in_sight_of_the_sweeper(bench: Bench) -> None:
    job = bench.accept(bench.account(PRICE))
    with pytest.raises(ConditionFailed):
        bench.jobs.mark_announced(job)
    shards = bench.jobs.due(bench.clock.now_ms() + 3_600_000)
    assert [due.ulid for shard in shards for page in shard for due in page] == [job.ulid]


def a_deadline_is_moved_by_one_who_knows_it(bench: Bench) -> None:
    job = bench.accept(bench.account(PRICE))
    now_ms = bench.clock.now_ms()
    assert job.deadline_at_ms is not None
    due = Due(job.deadline_at_ms, job.account_id, job.ulid)
    moved = replace(job, deadline_at_ms=now_ms + 80_000)
    assert [bench.jobs.claim(due, now_ms + later) for later in (80_000, 70_000)] == [moved, None]
    assert bench.job(job).deadline_at_ms == now_ms + 80_000


def a_late_output_makes_no_job(bench: Bench) -> None:
    nobodys = drafted(bench, bench.account(0))
    with pytest.raises(ConditionFailed):
        bench.jobs.note_late_output(nobodys, bench.clock.now_ms())
    assert bench.table.get(*job_key(nobodys.account_id, nobodys.ulid)) is None


def deleted_outputs_make_no_job(bench: Bench) -> None:
    nobodys = drafted(bench, bench.account(0))
    with pytest.raises(ConditionFailed):
        bench.jobs.mark_files_deleted(nobodys)
    assert bench.table.get(*job_key(nobodys.account_id, nobodys.ulid)) is None
