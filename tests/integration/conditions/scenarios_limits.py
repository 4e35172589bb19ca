"""What must hold for counters that bound load while others write: scenarios that fail without a condition."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shoal.adapters.dynamodb.limits import DynamoDbFetching, DynamoDbOpenJobs, DynamoDbRates
from shoal.domain.errors import RateLimited
from shoal.domain.job import Closer, JobFailure
from shoal.domain.rate_limit import RateLimit
from shoal.domain.spend import Spend
from tests.integration.bench import Bench
from tests.integration.conditions.conditions import Meanwhile, client_of, over

BYTES_MAX = 100
NOW_MS = 1_764_000_000_000


def no_more_is_drawn_than_fits(bench: Bench) -> None:
    fetching = DynamoDbFetching(bench.table, BYTES_MAX)
    for _ in range(2):
        fetching.draw("acc_1", 50, NOW_MS)
    with pytest.raises(RateLimited) as refused:
        fetching.draw("acc_1", 1, NOW_MS)
    assert refused.value.details == {"limit": "fetching"}
    fetching.draw("acc_2", BYTES_MAX, NOW_MS)
    fetching.draw("acc_1", BYTES_MAX, NOW_MS + 60_000)


def what_was_given_back_is_drawn_again(bench: Bench) -> None:
    fetching = DynamoDbFetching(bench.table, BYTES_MAX)
    fetching.draw("acc_1", BYTES_MAX, NOW_MS)
    fetching.give_back("acc_1", 60, NOW_MS)
    with pytest.raises(RateLimited):
        fetching.draw("acc_1", 61, NOW_MS)
    fetching.draw("acc_1", 60, NOW_MS)


def no_more_jobs_are_open_than_may_be(bench: Bench) -> None:
    caller = bench.account(1_000_000)
    first, second, third = (bench.accept(caller) for _ in range(3))
    for job in (first, second, third):
        bench.open_jobs.leave(job, Spend(), bench.clock.ms)
    bench.open_jobs.enter(first, 2, bench.clock.ms)
    bench.open_jobs.enter(second, 2, bench.clock.ms)
    with pytest.raises(RateLimited) as refused:
        bench.open_jobs.enter(third, 2, bench.clock.ms)
    assert refused.value.details == {"limit": "open_jobs"}
    bench.open_jobs.leave(first, Spend(), bench.clock.ms)
    bench.open_jobs.enter(third, 2, bench.clock.ms)
    assert bench.open_jobs.of(caller.account_id, bench.clock.ms)[0] == 2


def a_job_is_counted_out_once(bench: Bench) -> None:
    caller = bench.account(1_000_000)
    first, second = bench.accept(caller), bench.accept(caller)
    for job in (first, first, second, second, first):
        bench.open_jobs.leave(job, Spend(5, 7), bench.clock.ms)
    assert bench.open_jobs.of(caller.account_id, bench.clock.ms) == (0, Spend(10, 14))


def a_day_begins_with_nothing(bench: Bench) -> None:
    caller = bench.account(1_000_000)
    jobs = [bench.accept(caller) for _ in range(3)]
    bench.open_jobs.leave(jobs[0], Spend(5, 7), bench.clock.ms)
    bench.open_jobs.lift(caller.account_id, bench.clock.ms)
    assert bench.open_jobs.of(caller.account_id, bench.clock.ms) == (2, Spend(5, 7, lifted=True))
    tomorrow_ms = bench.clock.ms + 24 * 3_600_000
    bench.open_jobs.leave(jobs[1], Spend(1, 2), tomorrow_ms)
    bench.open_jobs.leave(jobs[2], Spend(10, 20), tomorrow_ms)
    assert bench.open_jobs.of(caller.account_id, tomorrow_ms) == (0, Spend(11, 22))


def a_job_closed_before_midnight_counts_once(bench: Bench) -> None:
    caller = bench.account(1_000_000)
    job = bench.accept(caller)
    bench.open_jobs.leave(job, Spend(5, 7), bench.clock.ms)
    bench.open_jobs.leave(job, Spend(5, 7), bench.clock.ms + 24 * 3_600_000)
    assert bench.open_jobs.of(caller.account_id, bench.clock.ms) == (0, Spend(5, 7))


def jobs_that_ended_unnoticed_are_looked_for_now_and_then(bench: Bench) -> None:
    caller = bench.account(1_000_000)
    ended, running = bench.accept(caller), bench.accept(caller)
    unwritten = replace(running, id=bench.ids.new("job", bench.clock.ms))
    bench.open_jobs.enter(unwritten, 3, bench.clock.ms)
    bench.ledger.release(ended, JobFailure("canceled", "x"), Closer.CANCEL, bench.clock.ms)
    now_ms = bench.clock.ms + 61_000
    assert [job.id for job in bench.open_jobs.ended(running, now_ms)] == [ended.id]
    assert bench.open_jobs.of(caller.account_id, now_ms)[0] == 2
    assert not bench.open_jobs.ended(running, now_ms + 5_000)
    assert bench.open_jobs.ended(running, now_ms + 5_001)
    unknown = replace(running, account_id="acc_unknown")
    assert not bench.open_jobs.ended(unknown, now_ms)
    assert bench.table.get("LIMITS#acc_unknown#0", "OPEN_JOBS") is None


def a_day_begun_meanwhile_is_not_begun_again(bench: Bench) -> None:
    caller = bench.account(1_000_000)
    jobs = [bench.accept(caller) for _ in range(2)]

    def happen() -> None:
        bench.open_jobs.leave(jobs[1], Spend(5, 7), bench.clock.ms)

    slow = DynamoDbOpenJobs(over(bench.table, Meanwhile(client_of(bench.table), happen)))
    slow.leave(jobs[0], Spend(1, 2), bench.clock.ms)
    assert bench.open_jobs.of(caller.account_id, bench.clock.ms) == (0, Spend(6, 9))


def a_subject_has_its_burst_and_no_more(bench: Bench) -> None:
    rates, limit = DynamoDbRates(bench.table), RateLimit(60, 20)
    for _ in range(2):
        rates.count("SOURCE#192.0.2.1", limit, NOW_MS, 10)
    with pytest.raises(RateLimited) as refused:
        rates.count("SOURCE#192.0.2.1", limit, NOW_MS, 10)
    assert refused.value.headers["Retry-After"] == "10"
    assert refused.value.details == {"limit": "source"}
    rates.count("SOURCE#192.0.2.2", limit, NOW_MS, 20)
    with pytest.raises(RateLimited):
        rates.count("SOURCE#192.0.2.1", limit, NOW_MS + 9_999, 10)
    rates.count("SOURCE#192.0.2.1", limit, NOW_MS + 10_000, 10)
    rates.count("SOURCE#192.0.2.1", limit, NOW_MS + 60_000, 20)
