"""Callbacks: a genuine one has the provider looked at now; nothing else a caller sends does anything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shoal.domain.errors import CallbackRefused, NotFound, Unavailable
from shoal.domain.job import Job
from shoal.domain.provider import Pending
from tests.fakes import FakeProvider, PollMessage, made
from tests.worlds.world import Customer, World


def receive(world: World, job: Job, provider: str = "simulator", mac: str = "", number: int = 1) -> Job:
    mac = mac or f"mac-of-{provider}"
    return world.receive_callback(
        provider, f"{job.account_id}.{job.id}.0.{number}", mac, {"webhook-id": "ref-1"}, b'{"ref":"ref-1"}'
    )


def test_a_callback_has_the_provider_looked_at_once_and_now(world: World, customer: Customer) -> None:
    job = world.asked(world.processing(customer), "ref-1")
    world.provider.callback = Pending("ref-1", 0)

    assert receive(world, job).id == job.id

    assert world.poll_queue.messages == [PollMessage.of(job, 0, once=True)]
    assert world.tokens.answers == {}


def test_the_provider_reads_its_own_callback(world: World, customer: Customer) -> None:
    world.provider.callback = Pending("ref-1", 0)

    receive(world, world.asked(world.processing(customer)))

    assert world.provider.callbacks == [({"webhook-id": "ref-1"}, b'{"ref":"ref-1"}', world.clock.ms)]


def test_a_callback_that_overtakes_the_answer_to_start_brings_the_reference(
    world: World, customer: Customer
) -> None:
    job = world.asked(world.processing(customer))
    world.provider.callback = Pending("ref-1", 0)

    receive(world, job)

    assert world.now(job).provider_refs == {0: "ref-1"}


def test_a_known_reference_is_not_replaced_by_a_callback(world: World, customer: Customer) -> None:
    job = world.asked(world.processing(customer), "ref-1")
    world.provider.callback = Pending("ref-2", 0)

    receive(world, job)

    assert world.now(job).provider_refs == {0: "ref-1"}


def test_a_callback_never_delivers_by_itself(world: World, customer: Customer) -> None:
    world.provider.callback = made(b"picture")

    receive(world, world.asked(world.processing(customer)))

    assert world.tokens.answers == {}
    assert world.staging.objects == {}
    assert len(world.poll_queue.messages) == 1


def test_a_repeated_callback_changes_nothing(world: World, customer: Customer) -> None:
    job = world.asked(world.processing(customer))
    world.provider.callback = Pending("ref-1", 0)
    receive(world, job)
    after_one = world.now(job)

    receive(world, job)

    assert world.now(job) == after_one
    assert len(after_one.callbacks) == 1
    assert len(world.poll_queue.messages) == 1


def test_a_callback_for_a_call_that_was_given_up_changes_nothing(world: World, customer: Customer) -> None:
    job = world.asked(world.processing(customer))
    job = world.jobs.note_call(job, 0, replace(job.calls[0], number=2, mark="run-2"))
    world.provider.callback = Pending("ref-of-the-first", 0)

    receive(world, job, number=1)

    assert world.now(job) == job
    assert world.poll_queue.messages == []


def test_a_callback_before_anybody_was_asked_changes_nothing(world: World, customer: Customer) -> None:
    job = world.processing(customer)
    world.provider.callback = Pending("ref-1", 0)

    receive(world, job)

    assert world.now(job) == job
    assert world.poll_queue.messages == []


def test_a_callback_whose_look_was_not_ordered_counts_again(world: World, customer: Customer) -> None:
    job = world.asked(world.processing(customer))
    world.provider.callback = Pending("ref-1", 0)
    world.network.fail("poll_queue.send", Unavailable())
    with pytest.raises(Unavailable):
        receive(world, job)
    world.network.heal()

    receive(world, job)

    assert len(world.poll_queue.messages) == 1


@pytest.mark.parametrize("ended", ["completed", "canceled"])
def test_a_callback_for_a_terminal_job_changes_nothing(world: World, customer: Customer, ended: str) -> None:
    world.provider.bills = False
    asked = world.asked(world.processing(customer))
    job = asked if ended == "canceled" else world.completed(customer)
    if ended == "canceled":
        world.cancel_job(customer.caller, job.id)
    before = world.now(job)
    world.provider.callback = Pending("ref-1", 0)

    assert receive(world, job) == before

    assert world.now(job) == before
    assert world.poll_queue.messages == []


def test_a_job_that_ends_while_its_callback_is_read_changes_nothing(world: World, customer: Customer) -> None:
    world.provider.bills = False
    job = world.asked(world.processing(customer))

    world.provider.callback = Pending("ref-1", 0)
    world.network.before("provider.parse_callback", lambda: world.cancel_job(customer.caller, job.id))

    receive(world, job)

    assert world.now(job).provider_refs == {}


def test_a_forged_address_is_refused(world: World, customer: Customer) -> None:
    job = world.asked(world.processing(customer))

    with pytest.raises(CallbackRefused):
        receive(world, job, mac="forged")
    assert world.provider.callbacks == []


def test_a_callback_the_provider_did_not_sign_is_refused(world: World, customer: Customer) -> None:
    job = world.asked(world.processing(customer))
    world.provider.callback = CallbackRefused("the signature does not hold")

    with pytest.raises(CallbackRefused):
        receive(world, job)
    assert world.poll_queue.messages == []
    assert world.now(job).provider_refs == {}


def test_a_callback_of_another_provider_is_none_of_this_calls(world: World, customer: Customer) -> None:
    job = world.asked(world.processing(customer))
    other = FakeProvider(world.network, callback=Pending("ref-1", 0))
    world.providers.providers["other"] = other

    receive(world, job, provider="other")

    assert world.now(job) == job
    assert world.poll_queue.messages == []


def test_a_callback_for_an_unknown_job_is_not_found(world: World, customer: Customer) -> None:
    with pytest.raises(NotFound):
        world.receive_callback("simulator", f"{customer.account_id}.job_x.0.1", "mac-of-simulator", {}, b"")
