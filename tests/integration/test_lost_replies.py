"""A reply is lost, a wallet is damaged, an answer is late: nothing happens twice, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from shoal.adapters.dynamodb.table import Table, TransactionRefused
from shoal.domain.api_key import Caller, KeyPrefix, Once, digest_of
from shoal.domain.errors import (
    IdempotencyInFlight,
    IdempotencyKeyReused,
    JobAlreadyTerminal,
    JobClosed,
    KeyExists,
    Unavailable,
)
from shoal.domain.idempotency import IdempotencyKey
from shoal.domain.job import START_GRACE_MS, HoldState, Job, JobStatus
from shoal.domain.money import Asset
from shoal.domain.rate_limit import RateLimit
from shoal.domain.wallet import Wallet
from shoal.use_cases.jobs.cancel_job import Canceled
from shoal.use_cases.jobs.submit_job import Answered
from tests.fakes import FakeWorkflow
from tests.integration.actions import (
    TRANSACTIONS,
    Action,
    fail,
    only_job,
    prepared,
    settle,
    top_up,
)
from tests.integration.bench import PRICE, Bench
from tests.integration.conditions.conditions import Meanwhile, over
from tests.integration.faults import FaultyClient, canceled, faulty, table_over, timed_out

MONEY = 10 * PRICE
BEGINNING = ("job.created", "job.processing")
"""Nobody told it: these jobs begin without their workflow."""


@pytest.fixture
def caller(bench: Bench) -> Caller:
    """A caller with money for ten jobs."""
    return bench.account(MONEY)


@pytest.mark.parametrize("action", TRANSACTIONS)
def test_an_action_whose_reply_is_lost_was_made(bench: Bench, caller: Caller, action: Action) -> None:
    prepared(bench, caller, action)
    before = len(bench.entries(caller))

    action(bench.over(lost_reply(bench)), caller)

    assert len(bench.entries(caller)) == before + 1
    assert bench.ledger.discrepancies(caller.account_id) == []


@pytest.mark.parametrize("action", [top_up, settle, fail])
def test_an_action_of_which_nothing_is_heard_is_not_made_again(
    bench: Bench, caller: Caller, action: Action
) -> None:
    prepared(bench, caller, action)
    with pytest.raises(Unavailable):
        action(bench.over(cut_off(bench)), caller)
    done, entries = bench.wallet(caller), len(bench.entries(caller))

    action(bench, caller)

    assert (bench.wallet(caller), len(bench.entries(caller))) == (done, entries)
    assert bench.audit_ledger() == []


@pytest.mark.parametrize("action", TRANSACTIONS)
def test_an_action_that_was_not_made_is_not_found(bench: Bench, caller: Caller, action: Action) -> None:
    before = prepared(bench, caller, action)
    with pytest.raises(Unavailable):
        action(bench.over(faulty(bench.table, "transact_write_items", timed_out)), caller)

    assert bench.wallet(caller) == before
    action(bench, caller)
    assert bench.ledger.discrepancies(caller.account_id) == []


def lost_reply(bench: Bench, operation: str = "transact_write_items") -> Table:
    """The table, of which the next reply is lost."""
    return faulty(bench.table, operation, timed_out, after=True)


def cut_off(bench: Bench) -> Table:
    """The table, of which nothing is heard after the next transaction: neither its reply nor any item."""
    behind = FaultyClient(bench.table._client, "transact_write_items", timed_out, after=True)
    return table_over(bench.table, CutOff(behind))


@dataclass
class CutOff:
    """A client whose reads get no answer once a write got none."""

    client: FaultyClient

    def __getattr__(self, name: str) -> Any:
        if name == "get_item" and self.client.struck:
            return FaultyClient(self.client.client, name, timed_out).get_item
        return getattr(self.client, name)


def started_by(bench: Bench) -> list[Job]:
    """The jobs whose executions its submits started."""
    workflow = bench.submit_job.workflow
    assert isinstance(workflow, FakeWorkflow)
    return workflow.started


@pytest.mark.parametrize("key", [None, "key-1"])
@pytest.mark.parametrize(
    "post",
    [
        lambda bench, caller, key: bench.submit(caller, key),
        lambda bench, caller, key: bench.submit_task(caller, 4, key),
        lambda bench, caller, key: bench.submit_video(caller, 2, key),
    ],
    ids=["image", "task", "video"],
)
def test_a_submit_whose_reply_is_lost_is_accepted_and_started(
    bench: Bench, post: Callable[[Bench, Caller, str | None], Answered], key: str | None
) -> None:
    caller = bench.account(MONEY, credits=4)

    behind = bench.over(lost_reply(bench))
    answered = post(behind, caller, key)

    assert (answered.status, answered.replayed) == (202, False)
    assert answered.job_id == only_job(bench, caller)
    assert [job.id for job in started_by(behind)] == [answered.job_id]
    if key:
        again = post(bench, caller, key)
        assert (again.body, again.replayed) == (answered.body, True)
    assert bench.ledger.discrepancies(caller.account_id) == []


def test_a_submit_of_which_nothing_is_heard_is_replayed_and_started_by_the_sweeper(
    bench: Bench, caller: Caller
) -> None:
    with pytest.raises(Unavailable):
        bench.over(cut_off(bench)).submit(caller, "key-1")
    assert bench.workflow.started == []

    again = bench.submit(caller, "key-1")

    assert again.replayed
    assert again.job_id == only_job(bench, caller)
    assert bench.wallet(caller).held == PRICE
    bench.clock.ms += START_GRACE_MS
    assert bench.sweep_jobs() == {"started": 1}
    assert [job.id for job in bench.workflow.started] == [again.job_id]


def test_a_settlement_of_which_nothing_is_heard_has_the_same_events_again(
    bench: Bench, caller: Caller
) -> None:
    job = bench.begin(bench.accept(caller))
    with pytest.raises(Unavailable):
        bench.over(cut_off(bench)).settle(job)

    settled, events = bench.settle_wallet(job.account_id, job.id, ())

    assert (settled.status, settled.cost, len(settled.outputs)) == (JobStatus.COMPLETED, PRICE, 1)
    assert [event.type for event in events] == ["image.completed", "job.completed", "wallet.captured"]
    assert bench.wallet(caller).balance == MONEY - PRICE


def test_a_cancel_of_which_nothing_is_heard_is_announced_by_the_sweeper(bench: Bench, caller: Caller) -> None:
    job = bench.begin(bench.accept(caller))
    with pytest.raises(Unavailable):
        bench.over(cut_off(bench)).cancel_job(caller, job.id)
    assert bench.job(job).status is JobStatus.CANCELED
    with pytest.raises(JobAlreadyTerminal):
        bench.cancel_job(caller, job.id)
    assert bench.bus.published == []

    bench.clock.ms += START_GRACE_MS
    assert bench.sweep_jobs() == {"announced": 1}

    assert bench.bus.types() == [*BEGINNING, "image.failed", "job.failed", "wallet.released"]
    assert bench.sweep_jobs() == {}


def cancel(bench: Bench, caller: Caller, job: Job, key: str) -> Canceled:
    asked = IdempotencyKey.of(caller.account_id, "POST /v1/jobs/{id}/cancel", key, {"id": job.id})
    return bench.cancel_job.answer(caller, job.id, asked, lambda job: {"status": str(job.status)})


def test_a_cancel_with_a_key_whose_reply_is_lost_is_replayed(bench: Bench, caller: Caller) -> None:
    job = bench.begin(bench.accept(caller))
    first = cancel(bench.over(lost_reply(bench)), caller, job, "once")
    assert (first.body, first.job is None) == ({"status": "canceled"}, False)
    done, entries = bench.wallet(caller), len(bench.entries(caller))

    assert cancel(bench, caller, job, "once") == Canceled({"status": "canceled"})

    assert (bench.wallet(caller), len(bench.entries(caller))) == (done, entries)
    assert bench.ledger.discrepancies(caller.account_id) == []


def test_one_key_cancels_one_job_also_when_two_are_canceled_at_once(bench: Bench, caller: Caller) -> None:
    job, other = bench.accept(caller), bench.accept(caller)
    client = bench.table._client
    racing = bench.over(
        over(bench.table, Meanwhile(client, lambda: cancel(bench, caller, job, "once"), transaction=1))
    )

    with pytest.raises(IdempotencyKeyReused) as refused:
        cancel(racing, caller, other, "once")

    assert refused.value.details["made"] == job.id
    assert bench.job(other).hold_state is HoldState.HELD


def test_a_cancel_sent_twice_at_once_is_made_once_and_answered_twice(bench: Bench, caller: Caller) -> None:
    job = bench.accept(caller)
    client, answers = bench.table._client, list[Canceled]()
    first = Meanwhile(client, lambda: answers.append(cancel(bench, caller, job, "once")), transaction=1)

    answers.append(cancel(bench.over(over(bench.table, first)), caller, job, "once"))

    assert [answer.body for answer in answers] == [{"status": "canceled"}] * 2
    assert [answer.job is None for answer in answers] == [False, True]
    assert bench.wallet(caller).available == MONEY


def test_a_cancel_whose_key_is_being_written_is_in_flight(bench: Bench, caller: Caller) -> None:
    job = bench.accept(caller)
    busy = faulty(bench.table, "transact_write_items", canceled("TransactionConflict", -1), times=9)

    with pytest.raises(IdempotencyInFlight):
        cancel(bench.over(busy), caller, job, "once")

    assert bench.job(job).hold_state is HoldState.HELD


def test_a_beginning_whose_reply_is_lost_is_made_again(bench: Bench, caller: Caller) -> None:
    job = bench.accept(caller)
    with pytest.raises(Unavailable):
        bench.over(lost_reply(bench, "update_item")).begin(job)
    bench.clock.pass_seconds(5)

    begun = bench.begin(job)

    assert begun.started_at_ms == begun.created_at_ms, "it began when it first did"
    assert bench.settle(job).status is JobStatus.COMPLETED


def test_a_claim_whose_reply_is_lost_delays_the_job_by_one_sweep(bench: Bench, caller: Caller) -> None:
    job = bench.begin(bench.accept(caller))
    bench.clock.pass_seconds(3_600)
    assert bench.over(lost_reply(bench, "update_item")).sweep_jobs() == {"deferred": 1}
    assert bench.job(job).hold_state is HoldState.HELD
    assert bench.sweep_jobs() == {}, "it is claimed, if by nobody"

    bench.clock.ms += START_GRACE_MS
    assert bench.sweep_jobs() == {"closed": 1}
    assert bench.wallet(caller) == Wallet(caller.account_id, Asset.USD, MONEY, 0, 3)


def test_a_rate_limit_whose_reply_is_lost_counts_the_request(bench: Bench, caller: Caller) -> None:
    key = bench.accounts.create_key(caller.account_id, KeyPrefix.LIVE, RateLimit(), caller.scopes)
    digest, now_ms = digest_of(key.secret) or "", bench.clock.now_ms()

    with pytest.raises(Unavailable):
        bench.over(lost_reply(bench, "update_item")).keys.admit(digest, now_ms)

    assert bench.keys.admit(digest, now_ms).allowance.headers()["RateLimit"] == '"key";r=18;t=2'


def test_a_key_whose_reply_is_lost_is_given_to_who_asks_for_the_same_again(
    bench: Bench, caller: Caller
) -> None:
    once = Once(bench.ids.new("once", 0).partition("_")[2], b"nobody guesses" * 5)
    wanted = caller.account_id, KeyPrefix.LIVE, RateLimit(), caller.scopes
    with pytest.raises(Unavailable):
        bench.over(lost_reply(bench)).accounts.create_key(*wanted, name="mine", once=once)

    again = bench.accounts.create_key(*wanted, name="mine", once=once)

    assert bench.accounts.keys.of_account(caller.account_id).count(again.key) == 1
    assert bench.keys.admit(digest_of(again.secret) or "", bench.clock.now_ms()).key_id == again.key.id
    with pytest.raises(KeyExists) as refused:
        bench.accounts.create_key(*wanted, name="another", once=once)
    told = "(sk_live_, 60/min, generate, read, webhooks)"
    assert refused.value.details == {"earlier": f"mine {told}", "this": f"another {told}"}


def test_one_job_that_cannot_be_closed_keeps_the_sweeper_from_no_other(bench: Bench, caller: Caller) -> None:
    broken_one = bench.account(MONEY)
    others = [bench.begin(bench.accept(caller)) for _ in range(8)]
    broken = [bench.begin(bench.accept(broken_one)) for _ in range(8)]
    set_held(bench, broken_one, 0)
    bench.clock.pass_seconds(3_600)

    done = bench.sweep_jobs()

    assert done == {"closed": len(others), "deferred": len(broken)}
    assert {bench.job(job).hold_state for job in others} == {HoldState.RELEASED}
    assert {bench.job(job).hold_state for job in broken} == {HoldState.HELD}
    assert bench.audit_ledger() != []


def set_held(bench: Bench, caller: Caller, amount: int) -> None:
    """Damage a wallet."""
    bench.table._client.update_item(
        TableName=bench.table._name,
        Key={"pk": {"S": f"WALLET#{caller.account_id}#usd"}, "sk": {"S": "WALLET"}},
        UpdateExpression="SET held = :held",
        ExpressionAttributeValues={":held": {"N": str(amount)}},
    )


def test_a_damaged_wallet_refuses_to_settle(bench: Bench, caller: Caller) -> None:
    job = bench.begin(bench.accept(caller))
    set_held(bench, caller, PRICE - 1)

    for end in (bench.settle, bench.fail):
        with pytest.raises(TransactionRefused):
            end(job)

    assert bench.job(job).hold_state is HoldState.HELD


def test_whatever_comes_after_a_jobs_end_changes_nothing(bench: Bench, caller: Caller) -> None:
    job = bench.accept(caller)
    bench.cancel_job(caller, job.id)

    for late in (bench.begin, bench.settle, bench.fail):
        with pytest.raises(JobClosed):
            late(job)

    assert bench.job(job).status is JobStatus.CANCELED
    assert bench.wallet(caller).held == 0
