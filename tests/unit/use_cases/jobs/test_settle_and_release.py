"""SettleWallet and ReleaseHold: in whatever order and however often they run, a hold resolves once."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from shoal.domain.errors import JobClosed, NotFound, Unavailable
from shoal.domain.events import Event
from shoal.domain.failures import job_error
from shoal.domain.job import Closer, HoldState, Job, JobFailure, JobStatus
from shoal.domain.routing import Phase, ProviderCall
from tests.support.factories import a_job
from tests.worlds.world import STORED, Customer, World

FULL = 10_000_000


def settle(world: World, job: Job) -> list[Event]:
    return world.settle_wallet(job.account_id, job.id, [STORED])[1]


def release(world: World, job: Job, error: str = "ProviderFailed", cause: str = "No luck.") -> list[Event]:
    return world.release_hold(job.account_id, job.id, error, cause)[1]


def types(events: list[Event]) -> list[str]:
    return [event.type for event in events]


def test_settling_captures_the_hold_and_completes_the_job(world: World, customer: Customer) -> None:
    job = world.processing(customer)
    world.clock.pass_seconds(30)

    events = settle(world, job)

    done, wallet = world.now(job), world.wallet(customer)
    assert (done.status, done.hold_state, done.cost) == (JobStatus.COMPLETED, HoldState.CAPTURED, 20_000)
    assert (done.outputs, done.closed_by, done.deadline_at_ms) == ((STORED,), Closer.WORKFLOW, None)
    assert done.completed_at_ms == world.clock.ms
    assert (wallet.balance, wallet.held) == (FULL - 20_000, 0)
    assert types(events) == ["image.completed", "job.completed", "wallet.captured"], (
        "it began before its output came"
    )
    assert events[0].detail["data"]["image_url"] == f"https://cdn.test/{STORED.key}"


def test_releasing_gives_the_hold_back_and_fails_the_job(world: World, customer: Customer) -> None:
    job = world.processing(customer)

    events = release(world, job)

    done, wallet = world.now(job), world.wallet(customer)
    assert (done.status, done.hold_state, done.cost) == (JobStatus.FAILED, HoldState.RELEASED, 0)
    assert done.completed_at_ms is None
    assert (wallet.balance, wallet.held) == (FULL, 0)
    assert types(events) == ["job.created", "job.processing", "image.failed", "job.failed", "wallet.released"]
    assert events[2].detail["data"]["error"] == {"code": "provider_failed", "message": "No luck."}


@pytest.mark.parametrize("run", [settle, release])
def test_a_step_run_twice_moves_money_once_and_tells_the_same_events(
    world: World, customer: Customer, run: Callable[[World, Job], list[Event]]
) -> None:
    job = world.processing(customer)
    first = run(world, job)
    wallet, entries = world.wallet(customer), world.entries(customer)
    world.clock.pass_seconds(5)

    assert run(world, job) == first
    assert (world.wallet(customer), world.entries(customer)) == (wallet, entries)


@pytest.mark.parametrize(("run", "events"), [(settle, 3), (release, 5)])
def test_a_step_whose_reply_was_lost_is_safe_to_run_again(
    world: World, customer: Customer, run: Callable[[World, Job], list[Event]], events: int
) -> None:
    job = world.processing(customer)
    port = "ledger.capture" if run is settle else "ledger.release"
    world.network.fail(port, Unavailable(), lost_reply=True)
    with pytest.raises(Unavailable):
        run(world, job)
    world.network.heal()

    assert len(run(world, job)) == events
    assert len(world.entries(customer)) == 3
    assert world.wallet(customer).held == 0


def test_what_was_settled_stays_completed_when_a_release_follows(world: World, customer: Customer) -> None:
    job = world.processing(customer)
    settled = settle(world, job)

    assert release(world, job) == settled
    assert world.entries(customer) == ["top_up", "hold", "capture"]


def test_what_was_released_is_never_charged_and_the_late_output_is_noted(
    world: World, customer: Customer
) -> None:
    job = world.processing(customer)
    release(world, job)
    world.clock.pass_seconds(1)

    with pytest.raises(JobClosed):
        settle(world, job)

    assert world.entries(customer) == ["top_up", "hold", "release"]
    assert world.tables.late_outputs == {(job.account_id, job.ulid): world.clock.ms}


@pytest.mark.parametrize("run", [settle, release])
def test_a_canceled_job_is_announced_by_who_canceled_it(
    world: World, customer: Customer, run: Callable[[World, Job], list[Event]]
) -> None:
    job = world.processing(customer)
    world.cancel_job(customer.caller, job.id)
    before = world.wallet(customer), world.entries(customer), world.now(job).status

    with pytest.raises(JobClosed):
        run(world, job)

    assert (world.wallet(customer), world.entries(customer), world.now(job).status) == before


def test_a_cancel_that_comes_between_read_and_capture_wins(world: World, customer: Customer) -> None:
    job = world.processing(customer)
    world.network.before("ledger.capture", lambda: world.cancel_job(customer.caller, job.id))

    with pytest.raises(JobClosed):
        settle(world, job)
    assert world.entries(customer) == ["top_up", "hold", "release"]
    assert world.tables.late_outputs


def test_a_settlement_that_comes_between_read_and_release_wins(world: World, customer: Customer) -> None:
    job = world.processing(customer)
    world.network.before("ledger.release", lambda: settle(world, job))

    assert types(release(world, job))[-3:] == ["image.completed", "job.completed", "wallet.captured"]
    assert world.entries(customer) == ["top_up", "hold", "capture"]


def test_a_free_trial_is_spent_by_success(world: World) -> None:
    customer = world.customer(usd="0")

    settle(world, world.processing(customer))

    wallet = world.wallet(customer)
    assert (wallet.balance, wallet.held, wallet.free_generations) == (0, 0, 2)


def test_a_failed_free_trial_is_given_back(world: World) -> None:
    customer = world.customer(usd="0")

    release(world, world.processing(customer))

    assert world.wallet(customer).free_generations == 3


@pytest.mark.parametrize("run", [settle, release])
def test_a_job_nobody_knows_is_not_found(
    world: World, customer: Customer, run: Callable[[World, Job], list[Event]]
) -> None:
    job = world.processing(customer)
    world.tables.jobs.clear()

    with pytest.raises(NotFound):
        run(world, job)


ASKED = a_job(calls={0: ProviderCall(1, "simulator/", Phase.ASKED)})
LAMBDA_CAUSE = json.dumps(
    {
        "errorMessage": "The provider did not deliver a readable image.",
        "errorType": "OutputInvalid",
        "requestId": "5c0b0b0e-0000-4000-8000-000000000000",
        "stackTrace": ['  File "/var/task/shoal/handlers/workflow/task.py", line 21, in handler\n'],
    }
)


@pytest.mark.parametrize(
    ("error", "cause", "code", "message"),
    [
        ("States.Timeout", "", "provider_timeout", "Provider request timed out after 180s."),
        ("ProviderTimeout", "x", "provider_timeout", "Provider request timed out after 180s."),
        ("ProviderFailed", "No luck.", "provider_failed", "No luck."),
        ("ProviderRejected", "The prompt was refused.", "provider_rejected", "The prompt was refused."),
        ("OutputInvalid", "Not a picture.", "output_invalid", "Not a picture."),
        (
            "OutputInvalid",
            LAMBDA_CAUSE,
            "output_invalid",
            "The provider did not deliver a readable image.",
        ),
    ],
)
def test_a_caller_is_told_what_a_provider_did(error: str, cause: str, code: str, message: str) -> None:
    told = job_error(error, cause, ASKED)

    assert (told.code, str(told)) == (code, message)


@pytest.mark.parametrize("error", ["ProviderFailed", "OutputInvalid"])
@pytest.mark.parametrize("cause", ["[1, 2]", '{"errorType":"X"}', '"text"', "{", "null", "7"])
def test_a_cause_that_only_looks_like_a_lambdas_is_told_as_it_is(error: str, cause: str) -> None:
    assert str(job_error(error, cause, ASKED)) == cause


@pytest.mark.parametrize(
    "error",
    [
        "Runtime.ExitError",
        "Lambda.Unknown",
        "KeyError",
        "Unavailable",
        "StoreTimeout",
        "SettleTimeout",
        "Sandbox.Timedout",
        "States.TaskFailed",
        "States.QueryEvaluationError",
        "AccessDeniedException",
        "",
    ],
)
def test_a_caller_is_never_told_what_went_wrong_inside(error: str) -> None:
    told = job_error(error, "arn:aws:dynamodb:eu-west-1:123456789012:table/shoal", a_job())

    assert told.code == "internal_error"
    assert str(told) == "The image could not be generated. No charge was applied."


def test_the_deadline_of_the_job_is_the_one_that_is_told(world: World, customer: Customer) -> None:
    job = world.asked(world.processing(customer))

    release(world, job, "States.Timeout", "")

    told = "Provider request timed out after 180s."
    assert world.now(job).failure == JobFailure("provider_timeout", told)


@pytest.mark.parametrize("error", ["States.Timeout", "ProviderTimeout"])
def test_a_provider_that_was_not_asked_is_not_blamed(world: World, customer: Customer, error: str) -> None:
    job = world.processing(customer)

    release(world, job, error, "")

    ended = world.now(job)
    told = "No provider could be asked in time. No charge was applied."
    assert (ended.status, ended.failure) == (JobStatus.EXPIRED, JobFailure("expired", told))
