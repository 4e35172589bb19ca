"""Submit: one transaction holds the money and writes the job; the execution follows."""

from __future__ import annotations

from typing import Any

import pytest

from shoal.dialects import image
from shoal.domain.api_key import KeyPrefix
from shoal.domain.errors import (
    IdempotencyInFlight,
    IdempotencyKeyReused,
    InsufficientBalance,
    Unavailable,
    ValidationFailed,
)
from shoal.domain.idempotency import IdempotencyKey
from shoal.domain.job import HoldState, JobStatus
from shoal.domain.money import Asset
from shoal.domain.submission import Submission
from tests.support.factories import DECISION
from tests.worlds.world import DEADLINE_S, Customer, World

DAY_S = 24 * 3_600
BODY: dict[str, Any] = {"mode": "2k", "prompt": "A shark"}


def written(world: World) -> tuple[int, int, int]:
    """How many jobs, entries and idempotency records there are."""
    entries = sum(len(entries) for entries in world.tables.entries.values())
    return len(world.tables.jobs), entries, len(world.tables.records)


def test_a_submit_holds_the_price_and_starts_the_execution(world: World, customer: Customer) -> None:
    answered = world.submit(customer, mode="4k")

    job, wallet = world.job(customer, answered.job_id), world.wallet(customer)
    assert (answered.status, answered.replayed) == (202, False)
    assert answered.body == {"job_id": job.id, "status": "queued", "estimated_cost": "$0.03"}
    assert (wallet.balance, wallet.held) == (10_000_000, 30_000)
    assert world.entries(customer) == ["top_up", "hold"]
    assert world.workflow.started == [job]


def test_a_submitted_job_is_queued_and_due_for_the_sweeper(world: World, customer: Customer) -> None:
    job = world.queued(customer)

    assert (job.status, job.hold_state) == (JobStatus.QUEUED, HoldState.HELD)
    assert job.id.startswith("job_")
    assert job.key_id == customer.stored_key.id
    assert job.created_at_ms == world.clock.ms
    assert job.deadline_at_ms == world.clock.ms + 60_000
    assert job.provider_deadline_s == DEADLINE_S


def test_the_last_cent_can_be_spent(world: World) -> None:
    customer = world.customer(usd="0.02")

    job = world.queued(customer)

    assert not job.free_trial
    assert world.wallet(customer).available == 0


def test_a_price_above_what_is_available_takes_a_free_trial(world: World) -> None:
    customer = world.customer(usd="0.02")

    answered = world.submit(customer, mode="4k")

    assert world.job(customer, answered.job_id).free_trial
    assert answered.body["estimated_cost"] == "$0.00"
    wallet = world.wallet(customer)
    assert (wallet.balance, wallet.held, wallet.free_generations) == (20_000, 0, 2)


def test_a_free_trial_is_never_taken_while_money_would_do(world: World, customer: Customer) -> None:
    assert not any(world.queued(customer).free_trial for _ in range(5))
    assert world.wallet(customer).free_generations == 3


def test_money_held_by_other_jobs_does_not_pay_again(world: World) -> None:
    customer = world.customer(usd="0.03")

    paid, free = world.queued(customer), world.queued(customer)

    assert (paid.free_trial, free.free_trial) == (False, True)


def test_a_fourth_generation_without_money_is_refused_and_writes_nothing(world: World) -> None:
    customer = world.customer(usd="0")
    for _ in range(3):
        assert world.queued(customer).free_trial
    before = written(world)

    with pytest.raises(InsufficientBalance):
        world.submit(customer)

    assert written(world) == before
    assert len(world.workflow.started) == 3


def test_a_refused_submit_leaves_its_idempotency_key_unused(world: World) -> None:
    customer = world.customer(usd="0")
    for _ in range(3):
        world.submit(customer)
    with pytest.raises(InsufficientBalance):
        world.submit_body(customer, BODY, "order-1")

    world.manage.grant(customer.account_id, Asset.USD, 20_000, DECISION)

    assert not world.submit_body(customer, BODY, "order-1").replayed


def test_a_test_key_spends_play_money(world: World) -> None:
    customer = world.customer(usd="0", prefix=KeyPrefix.TEST)

    job = world.queued(customer)

    assert (job.asset, job.test) == (Asset.TEST_USD, True)
    assert world.wallet(customer, Asset.TEST_USD).held == 20_000
    assert world.wallet(customer, Asset.USD).held == 0


def test_a_repeated_key_gets_the_first_answer_and_no_second_job(world: World, customer: Customer) -> None:
    first = world.submit_body(customer, BODY, "order-1")
    before = written(world)
    world.clock.pass_seconds(DAY_S - 1)

    again = world.submit_body(customer, dict(reversed(BODY.items())), "order-1")

    assert (again.status, again.body, again.job_id) == (first.status, first.body, first.job_id)
    assert again.replayed
    assert written(world) == before
    assert len(world.workflow.started) == 1


def test_a_replay_tells_the_first_answer_even_when_the_money_is_gone(world: World) -> None:
    customer = world.customer(usd="0.02")
    first = world.submit_body(customer, BODY, "order-1")

    assert world.submit_body(customer, BODY, "order-1").body == first.body
    assert world.wallet(customer).free_generations == 3


def test_a_replay_depends_on_nothing_of_today(world: World, customer: Customer) -> None:
    """The price rose, the model left the catalog, every route is down, and moderation would refuse."""
    body = BODY | {"max_cost": "0.02"}
    first = world.submit_body(customer, body, "order-1")

    def key(text: str) -> IdempotencyKey:
        return IdempotencyKey.of(customer.account_id, "POST /v1/generate", text, body)

    def read() -> Submission:
        raise ValidationFailed("There is no such mode.")

    again = world.submit_job(customer.caller, read, key("order-1"), image.acceptance)

    assert (again.body, again.replayed) == (first.body, True)
    with pytest.raises(ValidationFailed):
        world.submit_job(customer.caller, read, key("order-2"), image.acceptance)


def test_a_retry_that_spells_its_body_in_another_way_is_the_same(world: World, customer: Customer) -> None:
    first = world.submit_body(customer, BODY | {"seed": 8}, "k")

    again = world.submit_body(customer, BODY | {"seed": 8.0, "webhook_url": None}, '"k"')

    assert (again.job_id, again.replayed) == (first.job_id, True)


def test_another_body_under_the_same_key_is_refused(world: World, customer: Customer) -> None:
    world.submit_body(customer, BODY, "order-1")
    before = written(world)

    with pytest.raises(IdempotencyKeyReused):
        world.submit_body(customer, BODY | {"mode": "4k"}, "order-1")

    assert written(world) == before


def test_a_key_counts_for_its_account_only(world: World, customer: Customer) -> None:
    other = world.customer()

    world.submit_body(customer, BODY, "order-1")

    assert not world.submit_body(other, BODY, "order-1").replayed


def test_a_key_is_forgotten_after_a_day(world: World, customer: Customer) -> None:
    first = world.submit_body(customer, BODY, "order-1")
    world.clock.pass_seconds(DAY_S + 1)

    again = world.submit_body(customer, BODY | {"mode": "4k"}, "order-1")

    assert not again.replayed
    assert again.job_id != first.job_id


def test_a_key_still_in_flight_is_refused_for_now(world: World, customer: Customer) -> None:
    world.ledger.in_flight.add("order-1")

    with pytest.raises(IdempotencyInFlight) as refused:
        world.submit_body(customer, BODY, "order-1")

    assert refused.value.headers["Retry-After"] == "1"
    assert written(world) == (0, 4, 0)


@pytest.mark.parametrize("failure", [Unavailable(), RuntimeError("ExecutionLimitExceeded")])
@pytest.mark.parametrize("lost_reply", [False, True])
def test_a_job_whose_execution_does_not_start_is_accepted_all_the_same(
    world: World, customer: Customer, failure: Exception, lost_reply: bool
) -> None:
    world.network.fail("workflow.start", failure, lost_reply=lost_reply)

    answered = world.submit(customer)

    assert answered.status == 202
    assert world.job(customer, answered.job_id).hold_state is HoldState.HELD


def test_a_ledger_out_of_reach_is_no_acceptance(world: World, customer: Customer) -> None:
    world.network.fail("ledger.submit", Unavailable())

    with pytest.raises(Unavailable):
        world.submit(customer)

    assert written(world) == (0, 4, 0)
    assert world.workflow.started == []
