"""`wallet.low_balance`: told once when a wallet runs low, whatever runs twice, and again after a top-up."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from shoal.domain.errors import Unavailable
from shoal.domain.events import Event
from shoal.domain.job import Job, JobStatus
from shoal.domain.money import Asset
from tests.fakes.beside import Begun
from tests.support.factories import DECISION
from tests.worlds.world import STORED, Customer, World

LOW = "wallet.low_balance"


def settle(world: World, job: Job) -> list[Event]:
    return world.settle_wallet(job.account_id, job.id, [STORED])[1]


def told(events: list[Event]) -> list[Event]:
    return [event for event in events if event.type == LOW]


@pytest.fixture
def poor(world: World) -> Customer:
    """Enough for one image above the threshold, not for two."""
    return world.customer(usd="1.03")


def test_the_job_that_leaves_too_little_tells_of_it_and_no_later_one(world: World, poor: Customer) -> None:
    jobs = [world.processing(poor) for _ in range(3)]
    assert told(settle(world, jobs[0])) != []
    assert [told(settle(world, job)) for job in jobs[1:]] == [[], []]


def test_money_that_is_only_held_counts_as_spent(world: World, poor: Customer) -> None:
    first = world.processing(poor)
    settled = settle(world, first)
    assert told(settled) == []
    assert [event.type for event in settled][-3:] == ["image.completed", "job.completed", "wallet.captured"]


def test_a_wallet_that_is_not_low_is_only_read(world: World) -> None:
    """The note is one more call for the event to wait for."""
    job = world.processing(world.customer(usd="2.00"))
    before = len(world.network.calls)
    settle(world, job)
    assert "ledger.note_low" not in world.network.calls[before:]


def test_the_hold_of_a_job_that_comes_after_the_look_is_seen_by_its_own_settling(
    world: World, poor: Customer
) -> None:
    first = world.processing(poor)
    later = list[Job]()
    world.network.others["ledger.capture"] = lambda: later.append(world.processing(poor))
    assert told(settle(world, first)) == []
    assert told(settle(world, later[0])) != []


@pytest.mark.parametrize("fails", ["", "ledger.capture"])
def test_nothing_that_was_begun_beside_a_capture_is_left_behind(world: World, fails: str) -> None:
    """A function that has answered stands still, with whatever it was about to do."""
    begun = Begun()
    job = world.processing(world.customer(usd="2.00"))
    world.settle_wallet = replace(world.settle_wallet, beside=begun)
    if fails:
        world.network.fail(fails, Unavailable())
    with suppress(Unavailable):
        settle(world, job)
    assert (begun.works, begun.left) == (3, 0)


def test_what_is_told(world: World) -> None:
    customer = world.customer(usd="1.01")
    job = world.processing(customer)
    (event,) = told(settle(world, job))
    assert event.detail["account_id"] == customer.account_id
    assert event.detail["data"] == {
        "asset": Asset.USD,
        "balance": "$0.99",
        "available": "$0.99",
        "threshold": "$1.00",
        "test": False,
    }


def test_a_step_that_is_repeated_tells_the_same_event(world: World) -> None:
    job = world.processing(world.customer(usd="1.01"))
    first = settle(world, job)
    world.clock.pass_seconds(5)
    assert settle(world, job) == first


@pytest.mark.parametrize("lost_reply", [False, True])
def test_a_crash_around_the_note_loses_nothing(world: World, *, lost_reply: bool) -> None:
    job = world.processing(world.customer(usd="1.01"))
    world.network.fail("ledger.note_low", Unavailable(), lost_reply=lost_reply)
    with pytest.raises(Unavailable):
        settle(world, job)
    world.network.heal()
    assert len(told(settle(world, job))) == 1


def test_a_top_up_lets_it_be_told_again(world: World) -> None:
    customer = world.customer(usd="1.01")
    assert told(settle(world, world.processing(customer)))
    world.manage.grant(customer.account_id, Asset.USD, 30_000, DECISION)
    assert told(settle(world, world.processing(customer))) == []
    assert told(settle(world, world.processing(customer)))


def test_an_announcement_without_the_workflow_tells_it_too(world: World) -> None:
    job = world.processing(world.customer(usd="1.01"))
    settle(world, job)
    world.close_job.announce(world.now(job))
    assert world.bus.types()[-1] == LOW


def test_a_free_trial_and_a_failure_tell_nothing(world: World) -> None:
    trial = world.customer(usd="0")
    assert told(settle(world, world.processing(trial))) == []
    failed = world.processing(world.customer(usd="0.50"))
    _, events = world.release_hold(failed.account_id, failed.id, "ProviderFailed", "no luck")
    assert world.now(failed).status is JobStatus.FAILED
    assert told(events) == []
