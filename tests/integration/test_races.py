"""Many at once: threads over HTTP against the local cloud's DynamoDB, and against the whole stack."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar
from uuid import uuid4

import pytest

from shoal.domain.api_key import Caller, KeyPrefix, digest_of
from shoal.domain.errors import (
    IdempotencyInFlight,
    InsufficientBalance,
    JobAlreadyTerminal,
    JobCanceled,
    JobClosed,
    RateLimited,
)
from shoal.domain.job import Closer, HoldState, Job, JobStatus
from shoal.domain.money import Asset
from shoal.domain.rate_limit import RateLimit
from shoal.use_cases.jobs.submit_job import Answered
from tests.integration.bench import PRICE, Bench
from tests.support.deployed import Deployed
from tests.support.factories import DECISION

ROUNDS = 40
T = TypeVar("T")


def at_once(actions: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """What each action gives or raises when all start together."""
    ready = threading.Barrier(len(actions))

    def act(action: Callable[[], T]) -> T | Exception:
        ready.wait()
        try:
            return action()
        except Exception as error:  # noqa: BLE001 what the losers are told is for the test to judge
            return error

    with ThreadPoolExecutor(len(actions)) as threads:
        return list(threads.map(act, actions))


def assert_sound(bench: Bench, caller: Caller) -> None:
    """The wallet agrees with its ledger and its jobs, and nothing is below zero."""
    wallet, total = bench.wallet(caller), bench.ledger.entries_sum(caller.account_id, Asset.USD)
    assert (total.balance_delta, total.held_delta) == (wallet.balance, wallet.held)
    assert total.free_generations_delta == wallet.free_generations >= 0
    assert wallet.available >= 0
    assert bench.audit_ledger() == []


@pytest.mark.parametrize(("affordable", "trials"), [(5, 3), (0, 3), (32, 3)])
def test_a_wallet_affords_what_it_affords_however_many_ask(
    bench: Bench, affordable: int, trials: int
) -> None:
    caller = bench.account(affordable * PRICE + PRICE // 2)

    answers = at_once([lambda: bench.submit(caller)] * 32)

    accepted = [answer for answer in answers if isinstance(answer, Answered)]
    refused = [answer for answer in answers if isinstance(answer, InsufficientBalance)]
    assert len(accepted) == min(32, affordable + trials)
    assert len(accepted) + len(refused) == 32
    costs = Counter(answer.body["estimated_cost"] for answer in accepted)
    assert costs["$0.01"] == affordable
    assert bench.wallet(caller).held == affordable * PRICE
    assert len(bench.all_jobs(caller)) == len(bench.workflow.started) == len(accepted)
    assert_sound(bench, caller)


def test_the_api_accepts_what_a_wallet_affords(deployed: Deployed) -> None:
    customer = deployed.customer(usd="0.05")

    answers = at_once([lambda: customer.client.generate("[timeout] a shark")] * 16)

    accepted = [answer.json() for answer in answers if not isinstance(answer, Exception) and answer.ok]
    assert Counter(job["estimated_cost"] for job in accepted) == {"$0.01": 5, "$0.00": 3}
    assert Counter(getattr(answer, "status_code", repr(answer)) for answer in answers) == {202: 8, 402: 8}
    assert customer.client.wallet() == {
        "balance": "$0.05",
        "held": "$0.05",
        "available": "$0.00",
        "free_generations_left": 0,
    }
    for job in accepted:
        assert customer.client.cancel(job["job_id"]).status_code == 200
    assert customer.client.wallet()["available"] == "$0.05"
    assert customer.client.wallet()["free_generations_left"] == 3


def test_sixteen_with_one_idempotency_key_make_one_job(bench: Bench) -> None:
    caller, key = bench.account(100 * PRICE), str(uuid4())

    answers = at_once([lambda: bench.submit(caller, key)] * 16)

    answered = [answer for answer in answers if isinstance(answer, Answered)]
    in_flight = [answer for answer in answers if isinstance(answer, IdempotencyInFlight)]
    assert len(answered) + len(in_flight) == 16
    assert sum(not answer.replayed for answer in answered) == 1
    again = [bench.submit(caller, key) for _ in in_flight]
    assert {answer.replayed for answer in again} <= {True}
    assert len({(answer.job_id, str(answer.body)) for answer in answered + again}) == 1
    assert len(bench.all_jobs(caller)) == 1
    assert bench.wallet(caller).held == PRICE
    assert_sound(bench, caller)


def test_one_idempotency_key_on_the_last_money_is_never_told_there_is_none(bench: Bench) -> None:
    caller = bench.account(PRICE)
    with suppress(InsufficientBalance):
        while True:
            bench.submit(caller)
    bench.accounts.grant(caller.account_id, Asset.USD, PRICE, DECISION)

    answers = at_once([lambda: bench.submit(caller, "the last")] * 16)

    assert not [answer for answer in answers if isinstance(answer, InsufficientBalance)]
    assert len({answer.job_id for answer in answers if isinstance(answer, Answered)}) == 1


def test_however_a_job_ends_it_ends_once(bench: Bench) -> None:
    caller = bench.account(ROUNDS * PRICE)

    ends = Counter(end_at_once(bench, caller, first=number) for number in range(ROUNDS))

    spent = ends[JobStatus.COMPLETED] * PRICE
    assert (bench.wallet(caller).balance, bench.wallet(caller).held) == (ROUNDS * PRICE - spent, 0)
    assert_sound(bench, caller)


def end_at_once(bench: Bench, caller: Caller, first: int) -> JobStatus:
    """How a new job ends that is settled, failed, canceled and swept at once; `first` has a head start."""
    job = bench.begin(bench.accept(caller))
    ways: list[Callable[[], Job]] = [
        lambda: bench.settle(job),
        lambda: bench.fail(job),
        lambda: bench.cancel_job(caller, job.id),
        lambda: bench.close_job(job, JobCanceled("swept"), Closer.SWEEP),
    ]
    first %= len(ways)
    return assert_ended_once(bench, caller, job, at_once(ways[first:] + ways[:first]))


def assert_ended_once(bench: Bench, caller: Caller, job: Job, answers: list[Job | Exception]) -> JobStatus:
    """The losers were told so, and one entry resolves the hold. Returns the final status."""
    ended = bench.job(job)
    assert ended.status.terminal
    assert ended.hold_state is not HoldState.HELD
    for answer in answers:
        if isinstance(answer, Exception):
            assert isinstance(answer, JobClosed | JobAlreadyTerminal), repr(answer)
        else:
            assert (answer.status, answer.closed_by) == (ended.status, ended.closed_by)
    kinds = sorted(entry["kind"] for entry in bench.entries(caller) if entry["reference"] == job.ulid)
    resolved = "capture" if ended.status is JobStatus.COMPLETED else "release"
    assert kinds == sorted(["hold", resolved])
    return ended.status


def test_sweepers_at_once_close_each_job_once(bench: Bench) -> None:
    caller = bench.account(10 * PRICE)
    jobs = [bench.begin(bench.accept(caller)) for _ in range(10)]
    bench.clock.pass_seconds(3_600)

    sweeps = at_once([bench.sweep_jobs] * 4)

    done: Counter[str] = sum((sweep for sweep in sweeps if isinstance(sweep, Counter)), Counter())
    assert done == {"closed": len(jobs)}
    assert set(bench.bus.ids("job.failed").values()) == {1}
    assert len(bench.bus.ids("job.failed")) == len(jobs)
    assert_sound(bench, caller)


@pytest.mark.parametrize("limit", [RateLimit(), RateLimit(60, 1), RateLimit.of_rate(600, burst=7)])
def test_exactly_the_burst_is_admitted_at_one_moment(bench: Bench, limit: RateLimit) -> None:
    caller = bench.account(0)
    key = bench.accounts.create_key(caller.account_id, KeyPrefix.LIVE, limit, caller.scopes)
    digest = digest_of(key.secret) or ""

    def ask() -> list[Caller | Exception]:
        return at_once([lambda: bench.keys.admit(digest, bench.clock.now_ms())] * 32)

    assert admitted(ask()) == limit.burst
    assert admitted(ask()) == 0
    bench.clock.ms += 3 * limit.emission_ms
    assert admitted(ask()) == min(3, limit.burst)


def admitted(answers: list[Caller | Exception]) -> int:
    """How many passed; all others were told to wait."""
    refused = [answer for answer in answers if isinstance(answer, RateLimited)]
    passed = [answer for answer in answers if isinstance(answer, Caller)]
    assert len(passed) + len(refused) == len(answers), answers
    return len(passed)


def test_a_top_up_made_by_many_is_made_once(bench: Bench) -> None:
    caller = bench.account(0)

    made = at_once(
        [lambda: bench.accounts.grant(caller.account_id, Asset.USD, 7, DECISION, "invoice-1")] * 16
    )

    assert Counter(made) == {True: 1, False: 15}
    assert bench.wallet(caller).balance == 7
    assert_sound(bench, caller)
