"""Reading: one job, pages of jobs, a wallet; never those of another account."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shoal.domain import families
from shoal.domain.api_key import KeyPrefix
from shoal.domain.errors import NotFound, ValidationFailed
from shoal.domain.job import JobStatus
from shoal.domain.money import Asset
from shoal.ports.jobs import JobFilter
from tests.worlds.world import Customer, World

ALL = JobFilter()


def pages(world: World, customer: Customer, which: JobFilter, limit: int) -> list[list[str]]:
    """The job ids of every page, following the cursors."""
    found, cursor = [], None
    while True:
        page = world.list_jobs(customer.caller, which, limit=limit, cursor=cursor)
        found.append([job.id for job in page.jobs])
        cursor = page.next_cursor
        if cursor is None:
            return found


def test_a_job_is_read_by_its_account_only(world: World, customer: Customer) -> None:
    job = world.queued(customer)

    assert world.read_job(customer.caller, job.id) == job
    with pytest.raises(NotFound):
        world.read_job(world.customer().caller, job.id)


def test_a_job_of_the_other_mode_does_not_exist(world: World, customer: Customer) -> None:
    """A test key may lie about where a live one may not: it neither sees nor stops what money pays for."""
    tester = replace(customer, caller=replace(customer.caller, test=True))
    paid, played = world.queued(customer), world.queued(tester)

    for caller, other in ((tester.caller, paid), (customer.caller, played)):
        with pytest.raises(NotFound):
            world.read_job(caller, other.id)
        with pytest.raises(NotFound):
            world.cancel_job(caller, other.id)
    assert world.read_job(tester.caller, played.id) == played
    assert {world.now(paid).status, world.now(played).status} == {JobStatus.QUEUED}


@pytest.mark.parametrize("job_id", ["", "job_x", "3a8f2c1d-7b4e-4f9a-b2d6-1c5e8f3a9b7d", "../wallet"])
def test_an_id_that_is_none_is_not_found(world: World, customer: Customer, job_id: str) -> None:
    with pytest.raises(NotFound):
        world.read_job(customer.caller, job_id)


def test_the_same_ulid_under_another_prefix_is_another_job(world: World, customer: Customer) -> None:
    job = world.queued(customer)

    with pytest.raises(NotFound):
        world.read_job(customer.caller, job.id.replace("job_", "gen_"))


def test_pages_go_from_the_newest_to_the_oldest(world: World, customer: Customer) -> None:
    made = []
    for _ in range(5):
        world.clock.pass_seconds(1)
        made.append(world.queued(customer).id)

    newest_first = made[::-1]
    assert pages(world, customer, ALL, 2) == [newest_first[:2], newest_first[2:4], newest_first[4:]]
    assert pages(world, customer, ALL, 5) == [newest_first]


def test_no_jobs_are_one_empty_page(world: World, customer: Customer) -> None:
    world.queued(world.customer())

    assert pages(world, customer, ALL, 20) == [[]]


def test_a_filter_keeps_what_was_asked_for(world: World, customer: Customer) -> None:
    queued, completed = world.queued(customer), world.completed(customer)

    def ids(which: JobFilter) -> list[str]:
        return pages(world, customer, which, 20)[0]

    assert ids(JobFilter(statuses=frozenset({JobStatus.QUEUED}))) == [queued.id]
    assert ids(JobFilter(statuses=frozenset({JobStatus.COMPLETED}))) == [completed.id]
    assert ids(JobFilter(families=frozenset({families.VIDEO}))) == []
    assert ids(JobFilter(to_ms=queued.created_at_ms)) == []
    assert len(ids(JobFilter(from_ms=queued.created_at_ms))) == 2


def test_a_cursor_nobody_gave_out_is_refused(world: World, customer: Customer) -> None:
    with pytest.raises(ValidationFailed):
        world.list_jobs(customer.caller, ALL, limit=20, cursor="x")


def test_a_wallet_is_the_callers_and_a_test_keys_is_play_money(world: World, customer: Customer) -> None:
    tester = world.customer(usd="1.00", prefix=KeyPrefix.TEST)

    assert world.read_wallet(customer.caller, Asset.USD).balance == 10_000_000
    assert world.read_wallet(tester.caller, Asset.USD).balance == 100_000_000
