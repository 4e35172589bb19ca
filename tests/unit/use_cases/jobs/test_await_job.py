"""Waiting for a job: one read a second, never past what was asked, and never past 25 seconds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.dialects.fields import parse_wait_s
from shoal.domain.errors import NotFound
from shoal.domain.job import Job, JobStatus
from shoal.use_cases.jobs.await_job import AwaitJob
from tests.fakes import FakeClock
from tests.worlds.world import STORED, Customer, World


class Waiter:
    """Waits on the clock of the `World`; a read and whatever else may take time too."""

    def __init__(self, world: World, *, settle: Job | None = None, after_s: float = 0) -> None:
        self.world, self.settle = world, settle
        self.settle_at_ms = world.clock.ms + after_s * 1000
        self.naps: list[float] = []
        self.woke_ms: list[int] = []

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.world.clock.pass_seconds(seconds)
        self.woke_ms.append(self.world.clock.ms)
        if self.settle and self.world.clock.ms >= self.settle_at_ms:
            job, self.settle = self.settle, None
            self.world.settle_wallet(job.account_id, job.id, [STORED])

    def wait(self, job: Job, wait_s: int) -> Job:
        self.world.network.calls.clear()
        return AwaitJob(self.world.jobs, self.world.clock, self.sleep)(job.account_id, job.id, wait_s)

    @property
    def reads(self) -> int:
        return self.world.network.calls.count("jobs.get")


@pytest.mark.parametrize("asked_s", [1, 2, 7, 25])
def test_a_job_that_does_not_end_is_read_once_a_second_until_the_time_is_up(
    world: World, customer: Customer, asked_s: int
) -> None:
    job, waiter, began_ms = world.processing(customer), Waiter(world), world.clock.ms

    assert waiter.wait(job, asked_s).status is JobStatus.PROCESSING

    assert world.clock.ms - began_ms == asked_s * 1000
    assert waiter.naps == [1.0] * asked_s
    assert waiter.reads == asked_s + 1


@pytest.mark.parametrize("asked_s", [26, 60, 9_999])
def test_nobody_waits_longer_than_25_seconds(world: World, customer: Customer, asked_s: int) -> None:
    job, waiter, began_ms = world.processing(customer), Waiter(world), world.clock.ms

    waiter.wait(job, asked_s)

    assert world.clock.ms - began_ms == 25_000


def test_a_job_that_ends_meanwhile_is_seen_within_a_second(world: World, customer: Customer) -> None:
    job = world.processing(customer)
    waiter, began_ms = Waiter(world, settle=job, after_s=3.5), world.clock.ms

    assert waiter.wait(job, 20).status is JobStatus.COMPLETED

    assert 3_500 <= world.clock.ms - began_ms <= 4_500


def test_a_job_that_has_ended_is_read_once_and_not_waited_for(world: World, customer: Customer) -> None:
    waiter = Waiter(world)

    assert waiter.wait(world.completed(customer), 25).status is JobStatus.COMPLETED

    assert (waiter.reads, waiter.naps) == (1, [])


@given(st.integers(0, 30), st.lists(st.integers(0, 1_700), max_size=40))
def test_however_slow_the_reads_are_no_nap_is_negative_or_longer_than_a_second(
    asked_s: int, reads_ms: list[int]
) -> None:
    world = World()
    customer = world.customer()
    job, waiter, slow = world.processing(customer), Waiter(world), iter(reads_ms)
    now_ms = world.clock.now_ms

    def later() -> int:
        """The time goes on between any two looks at the clock."""
        world.clock.ms += next(slow, 0)
        return now_ms()

    world.clock.now_ms = later  # type: ignore[method-assign]
    waiter.wait(job, asked_s)

    assert all(0 < nap <= 1 for nap in waiter.naps)
    until_ms = FakeClock().ms + (reads_ms or [0])[0] + min(asked_s, 25) * 1000
    assert all(woke_ms <= until_ms for woke_ms in waiter.woke_ms)
    assert waiter.reads <= 26


def test_a_job_of_somebody_else_is_not_found(world: World, customer: Customer) -> None:
    job = world.processing(customer)

    with pytest.raises(NotFound):
        world.await_job(world.customer().account_id, job.id, 5)


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("wait=10", 10),
        ("WAIT=10", 10),
        (" wait = 10 ", 10),
        ('wait="10"', 10),
        ("respond-async, wait=7", 7),
        ("respond-async; wait=7", 7),
        ("wait=7, handling=lenient", 7),
        ("wait=0", 0),
        ("wait=9999", 9_999),
    ],
)
def test_a_preference_to_wait_is_read(prefer: str, seconds: int) -> None:
    assert parse_wait_s(prefer) == seconds


@pytest.mark.parametrize(
    "prefer",
    [
        None,
        "",
        "wait",
        "wait=",
        "wait=-1",
        "wait=1.5",
        "wait=x",
        "await=5",
        "wait=12345",
        "wait=٣",
        "wait=5x",
    ],
)
def test_an_unusable_preference_is_ignored(prefer: str | None) -> None:
    assert parse_wait_s(prefer) == 0


@given(st.text(max_size=40))
def test_no_preference_breaks_a_request(prefer: str) -> None:
    assert 0 <= parse_wait_s(prefer) <= 9_999
