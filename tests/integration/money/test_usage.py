"""Usage is written with the money it tells of: it is the captures, whatever asks and whatever happens."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from shoal.adapters.dynamodb.items import entry_item
from shoal.adapters.dynamodb.table import Put
from shoal.adapters.dynamodb.wallets import credit_or_debit
from shoal.domain.api_key import Caller
from shoal.domain.errors import JobAlreadyTerminal, JobClosed
from shoal.domain.job import JobStatus
from shoal.domain.money import Asset
from shoal.domain.routing import Phase, ProviderCall
from shoal.domain.wallet import EntryKind, Movement
from shoal.ports.money import Discrepancy
from shoal.use_cases.money.summarize_usage import ModelUsage, SummarizeUsage
from tests.integration.bench import PRICE, Bench
from tests.integration.conditions.conditions import client_of

MONEY = 1_000 * PRICE
DAY_S = 24 * 3_600


@pytest.fixture
def caller(bench: Bench) -> Caller:
    return bench.account(MONEY)


def captured(bench: Bench, caller: Caller) -> int:
    """Micro-dollars of all captures in the caller's ledger."""
    entries = bench.entries(caller)
    return -sum(int(entry["balance_delta"]) for entry in entries if entry["kind"] == "capture")


@pytest.mark.parametrize("delivered", [1, 2, 3, 4])
def test_what_was_delivered_is_captured_and_counted_and_the_rest_is_free_again(
    bench: Bench, caller: Caller, delivered: int
) -> None:
    job = bench.accept_task(caller, 4)
    assert bench.wallet(caller).held == 4 * PRICE

    settled = bench.settle(job, delivered)

    assert (settled.cost, len(settled.outputs)) == (delivered * PRICE, delivered)
    assert bench.wallet(caller).available == MONEY - delivered * PRICE
    assert bench.wallet(caller).held == 0
    (rollup,) = bench.rollups(caller)
    assert (rollup.units, rollup.cost, rollup.requests) == (delivered, delivered * PRICE, 1)
    assert bench.audit_ledger() == []


def test_what_fails_or_is_canceled_is_not_counted(bench: Bench, caller: Caller) -> None:
    bench.fail(bench.accept_task(caller, 4))
    bench.cancel_job(caller, bench.accept_task(caller, 2).id)

    assert bench.rollups(caller) == []
    assert bench.wallet(caller).available == MONEY


def test_a_free_trial_is_counted_at_no_cost(bench: Bench) -> None:
    caller = bench.account(0)

    bench.settle(bench.accept(caller))

    (rollup,) = bench.rollups(caller)
    assert (rollup.units, rollup.cost, rollup.requests) == (1, 0, 1)
    assert bench.audit_ledger() == []


def test_a_test_keys_usage_is_of_play_money_and_of_its_own(bench: Bench, caller: Caller) -> None:
    playing, summarize = replace(caller, test=True), SummarizeUsage(bench.usage)

    bench.settle(bench.accept_task(playing, 2))

    assert bench.rollups(caller) == []
    assert summarize(caller, None, None) == []
    assert summarize(playing, None, None) == [ModelUsage("nanobanana", Asset.TEST_USD, 2, 2 * PRICE, 1)]
    assert bench.audit_ledger() == []


def test_usage_is_counted_on_the_day_it_was_captured_and_both_ends_of_a_range_are_in_it(
    bench: Bench, caller: Caller
) -> None:
    for _ in range(3):
        bench.settle(bench.accept(caller))
        bench.clock.pass_seconds(DAY_S)
    days = [rollup.day for rollup in bench.rollups(caller)]
    assert len(set(days)) == 3

    counted = [
        len(list(bench.usage.between(caller.account_id, from_day, to_day)))
        for from_day, to_day in (
            (None, None),
            (days[0], days[2]),
            (days[1], days[1]),
            (days[1], None),
            (None, days[1]),
            ("2000-01-01", "2000-12-31"),
        )
    ]

    assert counted == [3, 3, 1, 2, 2, 0]


def test_tasks_that_end_at_once_in_every_way_are_each_counted_once(bench: Bench, caller: Caller) -> None:
    jobs = [bench.accept_task(caller, 1 + number % 4) for number in range(24)]

    def end(number: int) -> None:
        job = jobs[number % len(jobs)]
        ways = (
            lambda: bench.settle(job),
            lambda: bench.settle(job, 1),
            lambda: bench.fail(job),
            lambda: bench.cancel_job(caller, job.id),
        )
        with suppress(JobClosed, JobAlreadyTerminal):
            ways[(number // len(jobs) + number) % len(ways)]()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(end, range(4 * len(jobs))))

    ended = [bench.job(job) for job in jobs]
    completed = [job for job in ended if job.status is JobStatus.COMPLETED]
    assert {job.status for job in ended} >= {JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED}
    (rollup,) = bench.rollups(caller)
    assert rollup.requests == len(completed)
    assert rollup.units == sum(len(job.outputs) for job in completed)
    assert rollup.cost == sum(job.cost for job in completed) == captured(bench, caller)
    assert bench.wallet(caller).balance == MONEY - rollup.cost
    assert bench.audit_ledger() == []


@pytest.mark.parametrize("off_by", [-1, PRICE])
def test_the_audit_names_usage_that_is_not_what_was_captured(
    bench: Bench, caller: Caller, off_by: int
) -> None:
    bench.settle(bench.accept_task(caller, 4), 3)
    bench.settle(bench.accept_task(bench.account(MONEY), 1))
    (rollup,) = bench.rollups(caller)
    key = f"USAGE#{rollup.day}#{rollup.asset}#{rollup.model}"
    client_of(bench.table).update_item(
        TableName=bench.table._name,
        Key={"pk": {"S": f"ACCOUNT#{caller.account_id}"}, "sk": {"S": key}},
        UpdateExpression="ADD cost :off",
        ExpressionAttributeValues={":off": {"N": str(off_by)}},
    )

    assert bench.audit_ledger() == [
        Discrepancy(
            caller.account_id,
            Asset.USD,
            "usage is not the sum of the captures",
            3 * PRICE,
            3 * PRICE + off_by,
        )
    ]


@pytest.mark.parametrize("off_by", [-1, PRICE])
def test_the_audit_names_what_was_given_back_as_undelivered_and_was_not_owed(
    bench: Bench, caller: Caller, off_by: int
) -> None:
    """The wallet agrees with the planted entry: only the jobs and the usage tell that it is off."""
    job = bench.begin(bench.accept_task(caller, 2))
    call = ProviderCall(1, "simulator/", Phase.ASKED, mark="first run")
    bench.cancel_job(caller, bench.jobs.note_call(job, 0, call).id)
    bench.fail(job)
    assert bench.ledger.discrepancies(caller.account_id) == []
    kinds = [entry["kind"] for entry in bench.entries(caller)]
    assert "undelivered" in kinds
    planted = Movement(
        caller.account_id, Asset.USD, EntryKind.UNDELIVERED, "01M8P6BF0DB253KVFN993TMES8", 1, off_by
    )

    wallet = credit_or_debit(bench.wallet(caller), bench.wallet(caller).after(planted))
    bench.table.transact([wallet, Put(entry_item(planted))])

    assert bench.ledger.discrepancies(caller.account_id) == [
        Discrepancy(caller.account_id, Asset.USD, f"{what} not the sum of the captures", -off_by, 0)
        for what in ("usage is", "costs of the jobs are")
    ]


def test_the_sum_over_days_and_models_is_what_the_ledger_captured(bench: Bench, caller: Caller) -> None:
    for number in range(6):
        bench.settle(bench.accept_task(caller, 1 + number % 4))
        bench.settle(bench.accept(caller, mode=("1k", "2k", "4k")[number % 3]))
        bench.clock.pass_seconds(DAY_S / 2)

    summary = SummarizeUsage(bench.usage)(caller, None, None)

    assert [usage.model for usage in summary] == ["nanobanana", "shoal-image"]
    assert Counter({usage.model: usage.requests for usage in summary}).total() == 12
    assert sum(usage.cost for usage in summary) == captured(bench, caller)
