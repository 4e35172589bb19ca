"""What an account may have open at once, and what of its work may come to nothing at the stage's cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from shoal.adapters.providers.kit.http import REFUSED_PARAMETERS
from shoal.domain.api_key import KeyPrefix
from shoal.domain.catalog import load_catalog
from shoal.domain.errors import (
    REFUSED_BY_MODERATION,
    ApiError,
    Forbidden,
    IdempotencyKeyReused,
    InsufficientBalance,
    RateLimited,
    Unavailable,
)
from shoal.domain.job import Job, Step
from shoal.domain.routing import Board, Phase, ProviderCall
from shoal.domain.spend import FREE_MICROS, Spend, spend_of
from tests.fakes.routing import FakeBoard
from tests.worlds.world import FAILURES_MULTIPLE, OPEN_JOBS_MAX, STORED, Customer, World

DAY_S = 24 * 3_600
ROUTE = "gemini/gemini-3.1-flash-image"
COST_MICROS = 39_000
SCRIPT_MICROS, SPEECH_MICROS = 2_400, 2_080
"""Of a scene, at the dearest provider of each."""
ENOUGH = FREE_MICROS // COST_MICROS + 1
"""So many pictures for nothing cost more than $1."""


def asked(world: World, customer: Customer, route: str = ROUTE, **body: object) -> Job:
    """A job whose outputs were asked of a provider."""
    job = world.processing(customer, model="nanobanana", **body)
    for index in range(job.output_count):
        call = ProviderCall(1, route, Phase.ASKED, mark=f"run-{index}")
        job = world.jobs.note_call(world.now(job), index, call)
    return job


def refuse(world: World, customer: Customer) -> None:
    job = asked(world, customer)
    world.release_hold(job.account_id, job.id, "ProviderRejected", REFUSED_BY_MODERATION)


def spend(world: World, customer: Customer) -> Spend:
    return world.open_jobs.of(customer.account_id, world.clock.ms)[1]


def refusal(submit: Callable[[], object]) -> tuple[type[ApiError], object]:
    with pytest.raises(ApiError) as refused:
        submit()
    return type(refused.value), refused.value.details


def test_an_account_that_lets_too_much_come_to_nothing_is_stopped(world: World, customer: Customer) -> None:
    for _ in range(ENOUGH):
        refuse(world, customer)
    before = world.entries(customer)

    assert refusal(partial(world.queued, customer)) == (Forbidden, {"limit": "failures"})
    assert world.entries(customer) == before
    assert world.queued(world.customer())


def test_the_first_dollar_is_free(world: World, customer: Customer) -> None:
    for _ in range(ENOUGH - 1):
        refuse(world, customer)

    assert spend(world, customer) == Spend((ENOUGH - 1) * COST_MICROS)
    assert world.queued(customer)


def test_who_pays_much_may_cancel_much(world: World, customer: Customer) -> None:
    for _ in range(FREE_MICROS // FAILURES_MULTIPLE // 20_000 + 10):
        world.completed(customer, mode="2k")
    for _ in range(ENOUGH):
        refuse(world, customer)

    assert world.queued(customer)


def test_the_next_day_begins_with_nothing(world: World, customer: Customer) -> None:
    for _ in range(ENOUGH):
        refuse(world, customer)
    world.clock.pass_seconds(DAY_S)

    assert spend(world, customer) == Spend()
    assert world.queued(customer)


def test_an_operator_lifts_the_brake_for_a_day(world: World, customer: Customer) -> None:
    for _ in range(ENOUGH):
        refuse(world, customer)
    world.open_jobs.lift(customer.account_id, world.clock.ms)

    refuse(world, customer)
    world.clock.pass_seconds(DAY_S)
    for _ in range(ENOUGH):
        refuse(world, customer)
    assert refusal(partial(world.queued, customer))[0] is Forbidden


def test_what_others_did_wrong_does_not_count(world: World, customer: Customer) -> None:
    for error in ("ProviderFailed", "ProviderTimeout", "OutputInvalid", "States.Timeout"):
        job = asked(world, customer)
        world.release_hold(job.account_id, job.id, error, "no luck")
    for why in (REFUSED_PARAMETERS, "This model edits one picture at a time."):
        job = asked(world, customer)
        assert world.release_hold(job.account_id, job.id, "ProviderRejected", why)[0].failure

    assert spend(world, customer) == Spend()


def test_work_that_was_asked_of_nobody_costs_nothing(world: World, customer: Customer) -> None:
    world.cancel_job(customer.caller, world.processing(customer, model="nanobanana").id)
    world.cancel_job(customer.caller, asked(world, customer, "simulator/").id)

    assert spend(world, customer) == Spend()


def test_play_money_does_not_count(world: World) -> None:
    player = world.customer(prefix=KeyPrefix.TEST)
    for _ in range(ENOUGH):
        refuse(world, player)

    assert spend(world, player) == Spend()
    assert world.queued(player)


def test_outputs_that_are_paid_for_did_not_come_to_nothing(world: World, customer: Customer) -> None:
    job = asked(world, customer, num_outputs=4)
    canceled = world.cancel_job(customer.caller, job.id)
    one = replace(canceled, captured=frozenset({0}), cost=job.price // 4)
    on_trial = replace(canceled, cost=0)

    assert spend_of(canceled, load_catalog()) == Spend(0, job.price)
    assert spend_of(one, load_catalog()) == Spend(3 * COST_MICROS, job.price // 4)
    assert spend_of(on_trial, load_catalog()) == Spend(4 * COST_MICROS)


def begun_video(world: World, customer: Customer, *steps: Step) -> Job:
    """A video of 15 scenes at a stage with keys, with its script asked for and these steps done."""
    world.submit_job = replace(world.submit_job, board=FakeBoard(Board(keyed=frozenset({"gemini", "fal"}))))
    job = world.video(customer, duration=120)
    for step in (None, *steps):
        job = world.jobs.advance(job.account_id, job.id, world.clock.ms, step)
    return job


@pytest.mark.parametrize(
    ("steps", "scene_micros"), [((), SCRIPT_MICROS), ((Step.SCRIPT,), SCRIPT_MICROS + SPEECH_MICROS)]
)
@pytest.mark.parametrize("code", [None, "ProviderRejected"])
def test_the_words_of_a_video_are_paid_to_providers_too(
    world: World, steps: tuple[Step, ...], scene_micros: int, code: str | None
) -> None:
    """Its clips were asked of nobody: all credits come back, its script and speech do not."""
    customer = world.customer(credits=15)
    job = begun_video(world, customer, *steps)
    if code:
        world.release_hold(job.account_id, job.id, code, REFUSED_BY_MODERATION)
    else:
        assert world.cancel_job(customer.caller, job.id).cost == 0

    assert spend(world, customer) == Spend(15 * scene_micros)


def test_words_that_cost_nothing_or_are_paid_for_do_not_count(world: World) -> None:
    customer = world.customer(credits=30)
    simulated = world.video(customer, duration=120)
    world.jobs.advance(simulated.account_id, simulated.id, world.clock.ms, Step.SCRIPT)
    world.cancel_job(customer.caller, simulated.id)
    queued = begun_video(world, customer)
    assert spend(world, customer) == Spend()

    paid = replace(
        world.cancel_job(customer.caller, queued.id), captured=frozenset(range(12)), cost=12, calls={}
    )
    assert spend_of(paid, load_catalog()).for_nothing == 3 * SCRIPT_MICROS


def test_what_a_provider_calls_off_for_nothing_costs_nothing(world: World, customer: Customer) -> None:
    job = asked(world, customer)
    free = {index: replace(call, free=True) for index, call in job.calls.items()}
    refused = world.release_hold(job.account_id, job.id, "ProviderRejected", REFUSED_BY_MODERATION)[0]

    assert spend_of(replace(refused, calls=free), load_catalog()) == Spend()


def test_what_the_catalog_does_not_know_costs_what_the_caller_would_have_paid(
    world: World, customer: Customer
) -> None:
    job = asked(world, customer, "fal/who-knows")
    world.release_hold(job.account_id, job.id, "ProviderRejected", REFUSED_BY_MODERATION)

    assert spend(world, customer) == Spend(job.price)


def test_a_step_that_runs_twice_counts_once(world: World, customer: Customer) -> None:
    job = asked(world, customer)
    for _ in range(3):
        world.release_hold(job.account_id, job.id, "ProviderRejected", REFUSED_BY_MODERATION)

    assert spend(world, customer) == Spend(COST_MICROS)


def test_a_replay_is_answered_whatever_came_to_nothing(world: World, customer: Customer) -> None:
    body = {"mode": "2k", "prompt": "A shark"}
    first = world.submit_body(customer, body, "order-1")
    for _ in range(ENOUGH):
        refuse(world, customer)

    again = world.submit_body(customer, body, "order-1")
    assert (again.job_id, again.replayed) == (first.job_id, True)
    assert refusal(partial(world.submit_body, customer, body, "order-2"))[0] is Forbidden


def test_open_jobs_of_an_account_are_capped(world: World, customer: Customer) -> None:
    jobs = [world.queued(customer, mode="1k") for _ in range(OPEN_JOBS_MAX)]
    before = world.entries(customer)

    assert refusal(partial(world.queued, customer)) == (RateLimited, {"limit": "open_jobs"})
    assert world.entries(customer) == before
    assert world.queued(world.customer())
    world.cancel_job(customer.caller, jobs[0].id)
    assert world.queued(customer)


def test_play_money_takes_no_place_of_real_money(world: World) -> None:
    player = world.customer(prefix=KeyPrefix.TEST)
    real = Customer(player.account_id, player.key, player.stored_key, replace(player.caller, test=False))
    for _ in range(OPEN_JOBS_MAX):
        world.queued(player)

    assert refusal(partial(world.queued, player))[0] is RateLimited
    assert world.queued(real)


def test_a_job_that_is_not_accepted_takes_no_place(world: World) -> None:
    poor = world.customer(usd="0")
    for _ in range(OPEN_JOBS_MAX + 1):
        with pytest.raises(InsufficientBalance):
            world.queued(poor, model="nanobanana")

    assert world.open_jobs.of(poor.account_id, world.clock.ms)[0] == 0


def test_who_closed_a_job_and_died_takes_no_place_for_ever(world: World, customer: Customer) -> None:
    jobs = [asked(world, customer) for _ in range(OPEN_JOBS_MAX)]
    world.network.fail("open_jobs.leave", Unavailable())
    world.release_hold(jobs[0].account_id, jobs[0].id, "ProviderRejected", REFUSED_BY_MODERATION)
    assert spend(world, customer) == Spend()

    world.network.heal()
    assert world.queued(customer)
    assert spend(world, customer) == Spend(COST_MICROS)


def test_a_capture_that_has_to_be_tried_again_counts_once(world: World, customer: Customer) -> None:
    """The job is counted out beside its capture, whatever comes of that at first."""
    job = asked(world, customer)
    world.network.fail("ledger.capture", Unavailable())
    for _ in range(2):
        with pytest.raises(Unavailable):
            world.settle_wallet(job.account_id, job.id, [STORED])
    world.network.heal()
    world.settle_wallet(job.account_id, job.id, [STORED])

    assert world.open_jobs.of(customer.account_id, world.clock.ms) == (0, Spend(0, job.price))


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("others", [0, OPEN_JOBS_MAX - 1])
def test_a_replay_takes_no_place(world: World, customer: Customer, late: bool, others: int) -> None:
    """Whether its record is found before the job is counted in, or after."""
    body = {"mode": "2k", "prompt": "A shark"}
    first = world.submit_body(customer, body, "order-1")
    for _ in range(others):
        world.queued(customer)
    if late:
        world.submit_job = replace(world.submit_job, beside=lambda work: work)

    again = world.submit_body(customer, body, "order-1")

    assert (again.job_id, again.replayed) == (first.job_id, True)
    assert world.open_jobs.of(customer.account_id, world.clock.ms)[0] == 1 + others
    assert len(world.workflow.started) == 1 + others


def test_a_key_that_was_used_for_something_else_takes_no_place(world: World, customer: Customer) -> None:
    world.submit_job = replace(world.submit_job, beside=lambda work: work)
    world.submit_body(customer, {"mode": "2k", "prompt": "A shark"}, "order-1")

    with pytest.raises(IdempotencyKeyReused):
        world.submit_body(customer, {"mode": "2k", "prompt": "A whale"}, "order-1")

    assert world.open_jobs.of(customer.account_id, world.clock.ms)[0] == 1
