"""What is charged by what was measured: held at the most it can come to, captured at what it came to."""

from __future__ import annotations

import json

import pytest

from shoal.domain.api_key import Caller
from shoal.domain.job import Job, Output
from shoal.domain.models.tariff import MILLI, Rate, Terms, Unit
from shoal.domain.routing import Phase, ProviderCall
from shoal.use_cases.money.summarize_usage import SummarizeUsage
from tests.integration.bench import Bench

MONEY = 10_000_000
CLIPS = Terms(
    (Rate(Unit.SECOND, 62_000), Rate(Unit.INPUT_IMAGE, 1_000)),
    most={Unit.SECOND: 5_000},
    request={Unit.INPUT_IMAGE: MILLI},
)
"""Five seconds an output, made from one picture."""
ASKED = ProviderCall(1, "fal/clips", Phase.ASKED)


@pytest.fixture
def caller(bench: Bench) -> Caller:
    return bench.account(MONEY)


def clips(job: Job, *milliseconds: int) -> list[Output]:
    return [
        Output(f"images/{job.id}/{n}.mp4", "video/mp4", 1280, 720, 99, duration_ms=each)
        for n, each in enumerate(milliseconds)
    ]


def settle(bench: Bench, job: Job, *milliseconds: int) -> Job:
    return bench.settle_wallet(job.account_id, job.id, clips(job, *milliseconds))[0]


def entry(bench: Bench, caller: Caller, kind: str) -> tuple[int, list[list[object]]]:
    """What the only entry of a kind took or gave back, and what it says that is made of."""
    (found,) = [each for each in bench.entries(caller) if each["kind"] == kind]
    return int(found["balance_delta"]), json.loads(found.get("charges", "[]"))


def units(bench: Bench, caller: Caller) -> tuple[int, int, dict[Unit, int]]:
    (used,) = SummarizeUsage(bench.usage)(caller, None, None)
    return used.units, used.cost, dict(used.by_unit)


@pytest.mark.parametrize(
    ("delivered", "seconds", "cost"),
    [
        ((5_000, 5_000), 10_000, 621_000),
        ((4_950, 30_000), 10_000, 621_000),
        ((4_000, 2_500), 6_500, 404_000),
        ((4_000,), 4_000, 249_000),
    ],
)
def test_a_job_is_charged_for_what_was_measured_and_its_entry_says_how(
    bench: Bench, caller: Caller, delivered: tuple[int, ...], seconds: int, cost: int
) -> None:
    job = bench.accept_task(caller, 2, terms=CLIPS)
    assert bench.wallet(caller).held == 621_000

    settled = settle(bench, job, *delivered)

    assert (settled.cost, settled.submission.terms) == (cost, CLIPS)
    assert settle(bench, job, *delivered).cost == cost
    assert (bench.wallet(caller).available, bench.wallet(caller).held) == (MONEY - cost, 0)
    assert entry(bench, caller, "capture") == (
        -cost, [["second", seconds, 62_000], ["input_image", MILLI, 1_000]]
    )  # fmt: skip
    assert units(bench, caller) == (
        len(delivered), cost, {Unit.SECOND: seconds, Unit.INPUT_IMAGE: MILLI}
    )  # fmt: skip
    assert bench.audit_ledger() == []


def test_a_cancel_captures_the_most_and_gives_back_what_came_to_less(bench: Bench, caller: Caller) -> None:
    job = bench.accept_task(caller, 2, terms=CLIPS)
    for index in range(2):
        job = bench.jobs.note_call(bench.begin(job, index), index, ASKED)

    canceled = bench.cancel_job(caller, job.id)
    assert (canceled.cost, canceled.awaiting) == (621_000, True)
    assert bench.audit_ledger() == []

    done = settle(bench, job, 5_000, 2_000)

    assert (done.cost, done.undelivered) == (435_000, 186_000)
    assert settle(bench, job, 5_000, 2_000).cost == 435_000
    assert entry(bench, caller, "undelivered") == (186_000, [])
    assert bench.wallet(caller).available == MONEY - 435_000
    assert units(bench, caller) == (2, 435_000, {Unit.SECOND: 7_000, Unit.INPUT_IMAGE: MILLI})
    assert bench.audit_ledger() == []


def test_a_canceled_job_of_which_nothing_arrives_costs_nothing(bench: Bench, caller: Caller) -> None:
    job = bench.accept_task(caller, 2, terms=CLIPS)
    bench.jobs.note_call(bench.begin(job), 0, ASKED)
    bench.cancel_job(caller, job.id)

    bench.fail(job)

    assert bench.wallet(caller).available == MONEY
    assert SummarizeUsage(bench.usage)(caller, None, None) == []
    assert bench.audit_ledger() == []
