"""Jobs of several outputs: what comes is charged, the rest is released, and nothing at all is a failure."""

from __future__ import annotations

import json

import pytest

from shoal.domain.errors import (
    JobError,
    OutputInvalid,
    ProviderBusy,
    ProviderFailed,
    ProviderRejected,
    ProviderTimeout,
    Unavailable,
)
from shoal.domain.job import HoldState, Job, JobStatus
from shoal.domain.provider import Pending
from shoal.ports.jobs import Look
from tests.fakes import PollMessage
from tests.worlds.machine import Stage
from tests.worlds.world import Customer, World

FULL, PRICE = 10_000_000, 10_000
FAILED = {"error": "ProviderFailed", "cause": "No luck."}


def four(world: World, customer: Customer) -> Job:
    return world.processing(customer, model="nanobanana", num_outputs=4)


def staged(world: World, job: Job, index: int, data: bytes = b"picture") -> dict[str, str]:
    return {"key": world.staging.stage(job, index, data)}


def run(world: World, prompt: str, outputs: int = 4) -> Job:
    """The job as it is after its whole way through the state machine."""
    customer, stage = world.customer(), Stage(world)
    job = world.queued(customer, model="nanobanana", num_outputs=outputs, prompt=prompt)
    stage.run()
    assert world.audit_ledger() == []
    return world.now(job)


def balance(world: World, job: Job) -> int:
    wallet = world.tables.wallets[job.account_id, job.asset]
    assert wallet.held == 0
    return wallet.balance


@pytest.mark.parametrize("failing", range(4))
def test_of_four_outputs_those_that_come_are_charged_and_the_rest_is_released(
    world: World, failing: int
) -> None:
    job = run(world, "[fail]" * failing + " A shark")

    delivered = 4 - failing
    assert (job.status, len(job.outputs), job.cost) == (JobStatus.COMPLETED, delivered, PRICE * delivered)
    assert job.hold_state is HoldState.CAPTURED
    assert balance(world, job) == FULL - PRICE * delivered
    marks = {index: call.mark for index, call in job.calls.items()}
    keys = [f"images/{job.id}/{n}-{marks[n]}.png" for n in range(failing, 4)]
    assert [output.key for output in job.outputs] == keys


def test_four_failures_fail_the_job_in_the_words_of_the_first(world: World) -> None:
    job = run(world, "[fail][fail][fail][fail] A shark")

    assert (job.status, job.outputs, job.cost) == (JobStatus.FAILED, (), 0)
    assert job.failure is not None
    assert job.failure.code == "provider_failed"
    assert job.failure.message == "The provider failed to generate the image."
    assert balance(world, job) == FULL


@pytest.mark.parametrize(
    ("prompt", "code", "message"),
    [
        ("[nsfw]", "provider_rejected", "The prompt was refused by content moderation."),
        ("junk", "output_invalid", "The provider did not deliver a readable image."),
        ("[timeout]", "provider_timeout", "Provider request timed out after 180s."),
    ],
)
def test_a_batch_fails_for_the_same_reasons_as_a_single_output(
    world: World, prompt: str, code: str, message: str
) -> None:
    for outputs in (1, 3):
        job = run(world, prompt, outputs)

        assert job.failure is not None
        assert (job.status, job.failure.code, job.failure.message) == (JobStatus.FAILED, code, message)


@pytest.mark.parametrize("prompt", ["[poll]", "[callback]", "[slow:20]", "[busy:3]", "[poll][fail]"])
def test_outputs_that_take_their_time_all_come(world: World, prompt: str) -> None:
    job = run(world, f"{prompt} A shark", 3)

    assert len(job.outputs) == (2 if "[fail]" in prompt else 3)


def test_each_output_is_asked_for_by_itself(world: World, customer: Customer) -> None:
    job = world.queued(customer, model="nanobanana", num_outputs=3, seed=7)
    tokens = [world.tokens.issue() for _ in range(3)]
    world.provider.script = [
        Pending("ref-0", 3),
        ProviderBusy("later", retry_after_seconds=5),
        ProviderFailed("No."),
    ]

    outcomes = [world.call_provider(job.account_id, job.id, n, token)[1] for n, token in enumerate(tokens)]

    assert outcomes == ["pending", "pending", "ProviderFailed"]
    stored = world.now(job)
    assert (stored.task_tokens, stored.provider_refs) == (dict(enumerate(tokens)), {0: "ref-0"})
    assert world.poll_queue.messages == [
        PollMessage.of(job, 3, looks=1, index=0),
        PollMessage.of(job, 5, looks=1, index=1),
    ]
    assert set(world.tokens.answers) == {tokens[2]}
    asked = world.provider.started
    assert [request.idempotency_key for request in asked] == [f"{job.id}-{n}" for n in range(3)]
    assert [request.index for request in asked] == [0, 1, 2]
    assert len({request.callback_url for request in asked}) == 3


def test_the_opening_is_announced_once_for_all_outputs(world: World) -> None:
    run(world, "A shark")

    assert world.bus.types() == [
        "job.created",
        "job.processing",
        "task.completed",
        "job.completed",
        "wallet.captured",
    ]


def test_a_poll_answers_the_token_of_its_own_output(world: World, customer: Customer) -> None:
    job = world.asked(four(world, customer), "ref-2", index=2)

    world.poll_provider(Look(job.account_id, job.id, 2), "receipt")

    assert set(world.tokens.answers) == {job.task_tokens[2]}
    assert [ref for ref, _ in world.provider.checked] == ["ref-2"]
    assert list(world.staging.objects) == [f"{job.account_id}/{job.id}/2"]


def test_a_callback_looks_at_its_own_output(world: World, customer: Customer) -> None:
    job = world.asked(four(world, customer), index=3)
    world.provider.callback = Pending("ref-3", 0)

    world.receive_callback("simulator", f"{job.account_id}.{job.id}.3.1", "mac-of-simulator", {}, b"")

    assert world.now(job).provider_refs == {3: "ref-3"}
    assert world.poll_queue.messages == [PollMessage.of(job, 0, once=True, index=3)]


def test_an_output_keeps_its_number_whatever_became_of_the_others(world: World, customer: Customer) -> None:
    job = four(world, customer)
    delivered = [FAILED, staged(world, job, 1), staged(world, job, 2, b"junk"), staged(world, job, 3)]

    stored = world.store_output(job.account_id, job.id, delivered)

    assert [output.key for output in stored] == [f"images/{job.id}/{n}.png" for n in (1, 3)]
    assert set(world.outputs.objects) == {output.key for output in stored}


LAMBDA_CAUSE = json.dumps({"errorMessage": "Refused.", "errorType": "ProviderRejected"})


@pytest.mark.parametrize(
    ("first", "error", "message"),
    [
        (FAILED, ProviderFailed, "No luck."),
        ({"error": "ProviderRejected", "cause": LAMBDA_CAUSE}, ProviderRejected, "Refused."),
        ({"error": "States.Timeout", "cause": ""}, ProviderTimeout, "timed out after 180s"),
        ({"error": "Runtime.ExitError", "cause": "arn:aws:lambda"}, JobError, "could not be generated"),
        ({"error": "JobClosed", "cause": "{}"}, JobError, "could not be generated"),
        ({"key": "nowhere"}, OutputInvalid, "gone"),
    ],
)
def test_when_nothing_usable_came_the_first_reason_is_the_jobs(
    world: World, customer: Customer, first: dict[str, str], error: type[JobError], message: str
) -> None:
    job = world.asked(four(world, customer))

    with pytest.raises(error, match=message):
        world.store_output(job.account_id, job.id, [first, {"error": "OutputInvalid", "cause": "x"}])
    assert world.outputs.objects == {}


def test_a_bucket_out_of_reach_is_no_failed_output(world: World, customer: Customer) -> None:
    job = four(world, customer)
    delivered = [staged(world, job, 0), FAILED]
    world.network.fail("outputs.put", Unavailable())

    with pytest.raises(Unavailable):
        world.store_output(job.account_id, job.id, delivered)


@pytest.mark.parametrize(
    ("retention_s", "ttl_s", "kept_s"),
    [
        (None, None, None),
        (None, 60, 60),
        (86_400, None, 86_400),
        (86_400, 60, 60),
        (86_400, 172_800, 86_400),
    ],
)
def test_caches_keep_an_output_no_longer_than_it_is_kept(
    world: World, customer: Customer, retention_s: int | None, ttl_s: int | None, kept_s: int | None
) -> None:
    world.keep_outputs_for(retention_s)
    job = world.processing(customer, model="nanobanana", **({"ttl_seconds": ttl_s} if ttl_s else {}))

    (stored,) = world.store_output(job.account_id, job.id, [staged(world, job, 0)])

    until_ms = world.clock.now_ms() + kept_s * 1000 if kept_s else None
    assert world.outputs.cached_until_ms == {stored.key: until_ms}


def test_a_batch_canceled_on_the_way_costs_nothing(world: World) -> None:
    customer, stage = world.customer(), Stage(world)
    job = world.queued(customer, model="nanobanana", num_outputs=4, prompt="[slow:30] A shark")
    stage.run(until_ms=world.clock.ms + 5_000)
    world.cancel_job(customer.caller, job.id)

    stage.run()

    assert world.now(job).status is JobStatus.CANCELED
    assert world.entries(customer) == ["top_up", "hold", "release"]
    assert world.wallet(customer).balance == FULL


def test_a_repeated_settlement_with_other_outputs_changes_nothing(world: World, customer: Customer) -> None:
    job = four(world, customer)
    stored = world.store_output(job.account_id, job.id, [staged(world, job, n) for n in range(4)])
    world.settle_wallet(job.account_id, job.id, stored[:3])

    world.settle_wallet(job.account_id, job.id, stored)

    assert (world.now(job).cost, len(world.now(job).outputs)) == (3 * PRICE, 3)
    assert world.wallet(customer).balance == FULL - 3 * PRICE
