"""Cancels that come when the work is done, or under way: what cannot be called off is paid for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from shoal.dialects import image, tasks, video
from shoal.domain.errors import JobAlreadyTerminal, JobClosed, Unavailable
from shoal.domain.job import START_GRACE_MS, Closer, Job, JobStatus
from shoal.domain.money import Asset
from shoal.domain.provider import Pending
from shoal.domain.routing import Phase, ProviderCall
from shoal.ports.jobs import ExecutionState, Look
from tests.fakes import made
from tests.support.factories import url_of
from tests.worlds.machine import Stage
from tests.worlds.world import STORED, Customer, World

UNIT = 10_000
"""What one output of the tasks costs, in micro-dollars."""


def shown(world: World, job: Job) -> dict[str, Any]:
    """The video as its caller reads it."""
    now, scenes = world.now(job), world.scenes.of(job)
    return dict(video.video_resource(now, scenes, url_of=url_of, now_ms=world.clock.ms)["video"])


def picture(world: World, job: Job) -> dict[str, Any]:
    """The job as an image's caller reads it."""
    now_ms = world.clock.ms
    return dict(image.job_resource(world.now(job), complete="complete", url_of=url_of, now_ms=now_ms))


def test_eight_pictures_canceled_once_their_providers_were_asked_are_paid_for(world: World) -> None:
    customer, stage = world.customer(usd="10.00"), Stage(world)
    jobs = [
        world.queued(customer, model="nanobanana", prompt="[billed][slow:30] A shark", num_outputs=outputs)
        for outputs in (2, 2, 2, 2, 2, 2, 2, 3)
    ]
    stage.run(until_ms=world.clock.ms + 5_000)

    for job in jobs:
        assert world.cancel_job(customer.caller, job.id).cost == job.price
    stage.run()

    ended = [tasks.task_resource(world.now(job), url_of=url_of, now_ms=world.clock.ms) for job in jobs]
    assert {task["status"] for task in ended} == {"canceled"}
    delivered = [url for task in ended if task["output"] for url in task["output"]["urls"]]
    assert len(delivered) == len(set(delivered)) == 17
    assert world.wallet(customer).balance == 10_000_000 - 17 * UNIT
    assert [task["cost"] for task in ended] == ["$0.0200"] * 7 + ["$0.0300"]
    assert world.audit_ledger() == []


def test_clips_of_two_videos_cannot_be_had_for_nothing(world: World) -> None:
    customer, stage = world.customer(credits=10), Stage(world)
    jobs = [world.video(customer, idea="[slow:30:scene=2] Sharks", duration=24) for _ in range(2)]
    stage.run(until_ms=world.clock.ms + 5_000)
    for job in jobs:
        scenes = shown(world, job)["scenes"]
        assert [scene["status"] for scene in scenes] == ["ready", "ready", "rendering"]
        assert {scene["clip_url"] for scene in scenes} == {None}
        assert [bool(scene["preview_url"]) for scene in scenes] == [True, True, False]
    events = [event.detail["data"] for event in world.bus.published if event.type == "video.scene_ready"]
    assert {data["clip_url"] for data in events} == {None}

    for job in jobs:
        world.cancel_job(customer.caller, job.id)
    stage.run()

    for job in jobs:
        ended = shown(world, job)
        assert (ended["status"], ended["error"]["code"]) == ("failed", "canceled")
        assert (ended["credits_charged"], ended["credits_refunded"]) == (3, 1)
        assert [bool(scene["clip_url"]) for scene in ended["scenes"]] == [True, True, False]
        assert {scene["preview_url"] for scene in ended["scenes"]} == {None}
        for scene in ended["scenes"][:2]:
            assert scene["clip_url"].removeprefix(url_of("")) in world.video_files.objects
    assert world.wallet(customer, Asset.CREDIT).balance == 10 - 4
    assert world.audit_ledger() == []


def test_a_picture_that_is_billed_completes_although_it_was_canceled(world: World) -> None:
    customer, stage = world.customer(usd="10.00"), Stage(world)
    job = world.queued(customer, prompt="[billed][slow:30] A shark")
    stage.run(until_ms=world.clock.ms + 5_000)

    world.cancel_job(customer.caller, job.id)

    told = picture(world, job)
    assert (told["status"], told["image_url"], told["cost"], told["error"]) == (
        "processing",
        None,
        "$0.02",
        None,
    )
    with pytest.raises(JobAlreadyTerminal):
        world.cancel_job(customer.caller, job.id)
    stage.run()
    told = picture(world, job)
    assert (told["status"], told["cost"], told["error"]) == ("complete", "$0.02", None)
    assert told["image_url"].removeprefix(url_of("")) in world.outputs.objects
    assert world.bus.types() == [
        "job.created",
        "job.processing",
        "image.completed",
        "job.completed",
        "wallet.captured",
    ]


def test_a_canceled_picture_that_never_arrives_is_given_back_once(world: World, customer: Customer) -> None:
    job = world.asked(world.processing(customer))
    before = world.wallet(customer)
    canceled = world.cancel_job(customer.caller, job.id)
    assert (canceled.cost, world.workflow.stopped) == (20_000, [])
    world.clock.ms = job.waits_until_ms
    assert world.sweep_jobs() == {"left": 1}, "its execution hears that the time is over, and gives it back"
    assert world.tokens.answers[job.task_tokens[0]].error == "ProviderTimeout"
    world.workflow.executions[job.id] = ExecutionState.ENDED
    world.clock.ms += START_GRACE_MS

    assert world.sweep_jobs() == {"closed": 1}

    assert world.entries(customer)[2:] == ["capture", "undelivered"]
    assert world.wallet(customer).balance == before.balance
    told = picture(world, job)
    assert (told["status"], told["cost"], told["error"]) == ("failed", None, "Canceled by request.")
    assert world.workflow.stopped == [], "it ended by itself"
    assert world.sweep_jobs() == {}
    assert world.audit_ledger() == []


def test_an_execution_that_dies_while_it_is_awaited_is_followed_by_others(
    world: World, customer: Customer
) -> None:
    job = world.asked(world.processing(customer), "ref-1")
    world.cancel_job(customer.caller, job.id)
    world.workflow.executions[job.id] = ExecutionState.ENDED
    assert world.close_execution(job.account_id, job.id) == "started"
    world.workflow.executions[f"{job.id}-1"] = ExecutionState.ENDED
    assert world.close_execution(job.account_id, job.id) == "left", "the next one is the sweeper's"
    world.clock.ms += START_GRACE_MS

    assert world.sweep_jobs() == {"started": 1}

    assert world.now(job).restarts == 2
    assert world.workflow.executions[f"{job.id}-2"] is ExecutionState.RUNNING
    assert world.entries(customer)[2:] == ["capture"]


def test_what_was_captured_and_does_not_come_is_given_back_at_the_deadline_and_told_once(
    world: World, customer: Customer
) -> None:
    job = world.asked(world.processing(customer))
    world.cancel_job(customer.caller, job.id)
    world.workflow.executions[job.id] = ExecutionState.ENDED
    world.close_execution(job.account_id, job.id)
    world.workflow.executions[f"{job.id}-1"] = ExecutionState.ENDED
    world.clock.ms = job.waits_until_ms

    assert world.sweep_jobs() == {"closed": 1}
    world.clock.ms += START_GRACE_MS
    assert world.sweep_jobs() == {}

    assert world.entries(customer)[2:] == ["capture", "undelivered"]
    assert world.now(job).closed_by is Closer.SWEEP
    # No answer shows that its beginning was told, so it is told again, by the same ids.
    assert world.bus.types() == [
        "job.created",
        "job.processing",
        "image.failed",
        "job.failed",
        "wallet.captured",
        "wallet.refunded",
    ]
    assert world.audit_ledger() == []


def cancel_and_break(stage: Stage, customer: Customer, job: Job, port: str | None) -> None:
    """Cancel the job once its providers work; then a port fails for a while, or its execution is aborted."""
    world = stage.world
    stage.run(until_ms=world.clock.ms + 5_000)
    world.cancel_job(customer.caller, job.id)
    if port is None:
        stage.abort(job)
        return
    world.network.fail(port, Unavailable())
    stage.run(until_ms=world.clock.ms + 90_000)
    world.network.heal()


FAILURES = {"CallProvider": None, "StoreOutput": "outputs.put", "SettleWallet": "ledger.finish"}
"""States, and what fails in them until no retry is left; the first one's execution is aborted."""


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("port", FAILURES.values(), ids=FAILURES)
def test_a_canceled_job_is_finished_by_another_execution_wherever_the_first_one_failed(
    world: World, port: str | None, outputs: int
) -> None:
    customer, stage = world.customer(usd="10.00"), Stage(world)
    prompt = "[billed][slow:30] A shark"
    job = world.queued(customer, model="nanobanana", prompt=prompt, num_outputs=outputs)
    cancel_and_break(stage, customer, job, port)

    stage.run()

    ended = world.now(job)
    assert (len(ended.outputs), ended.cost, ended.status) == (outputs, job.price, JobStatus.CANCELED)
    assert ended.restarts >= 1
    assert world.entries(customer)[2:] == ["capture"]
    assert world.bus.types().count("task.failed") == 1
    assert world.audit_ledger() == []


@pytest.mark.parametrize("port", [None, "video_files.put"], ids=["RenderScene", "StoreClip"])
def test_clips_of_a_canceled_video_are_stored_by_another_execution(world: World, port: str | None) -> None:
    customer, stage = world.customer(credits=10), Stage(world)
    job = world.video(customer, idea="[billed][slow:30:scene=2] Sharks", duration=24)
    cancel_and_break(stage, customer, job, port)

    stage.run()

    ended = shown(world, job)
    assert (ended["status"], ended["error"]["code"]) == ("failed", "canceled")
    assert [bool(scene["clip_url"]) for scene in ended["scenes"]] == [True, True, True]
    assert world.now(job).restarts >= 1
    assert world.wallet(customer, Asset.CREDIT).balance == 10 - 3
    assert world.audit_ledger() == []


def test_an_output_asked_for_between_look_and_write_is_seen(world: World, customer: Customer) -> None:
    job = world.processing(customer)
    world.network.before("ledger.cancel", lambda: world.asked(job))

    canceled = world.cancel_job(customer.caller, job.id)

    assert (set(canceled.captured), canceled.cost) == ({0}, 20_000)


def test_a_job_that_changes_with_every_look_is_not_canceled_blindly(world: World, customer: Customer) -> None:
    job = world.processing(customer, model="nanobanana", num_outputs=4)
    marks = iter(range(100))

    def ask_again() -> None:
        now = world.now(job)
        call = world.asked(job).calls[0] if not now.calls else now.calls[0]
        world.jobs.note_call(world.now(job), 0, type(call)(1, call.route, call.phase, mark=f"{next(marks)}"))
        world.network.before("ledger.cancel", ask_again)

    world.network.before("ledger.cancel", ask_again)

    with pytest.raises(Unavailable):
        world.cancel_job(customer.caller, job.id)
    assert world.now(job).status is JobStatus.PROCESSING
    assert world.entries(customer) == ["top_up", "hold"]


def test_what_is_made_is_billed_though_its_provider_calls_off_for_nothing(
    world: World, customer: Customer
) -> None:
    world.provider.bills = False
    job = world.queued(customer)
    world.provider.script = [Pending("ref-1", 1), made(b"picture")]
    world.call_provider(job.account_id, job.id, 0, world.tokens.issue())
    assert world.now(job).billed == set()

    world.poll_provider(Look(job.account_id, job.id, 0), "receipt")

    assert world.now(job).billed == {0}
    assert world.cancel_job(customer.caller, job.id).cost == 20_000
    (settled, _) = world.settle_wallet(job.account_id, job.id, [STORED])
    assert (settled.status, settled.cost) == (JobStatus.COMPLETED, 20_000)


@pytest.mark.parametrize(
    ("delivered", "kept", "returned"),
    [((0, 1, 2), (0, 2), 0), ((2,), (2,), 1), ((1, 3), (), 2), ((2, 0), (2, 0), 0)],
)
def test_of_several_pictures_those_that_are_paid_for_are_delivered(
    world: World, customer: Customer, delivered: Sequence[int], kept: Sequence[int], returned: int
) -> None:
    job = world.processing(customer, model="nanobanana", num_outputs=4)
    before = world.wallet(customer).balance
    for index in (0, 2):
        world.jobs.note_call(
            world.now(job), index, ProviderCall(1, "first/one", Phase.ASKED, mark=f"{index}")
        )
    assert world.cancel_job(customer.caller, job.id).captured == {0, 2}
    stored = {n: replace(STORED, key=f"images/{job.id}/{n}-secret{n}.png") for n in range(4)}

    with suppress(JobClosed):  # nothing of it is there in the end
        world.settle_wallet(job.account_id, job.id, [stored[index] for index in delivered])

    settled = world.now(job)
    assert (set(settled.captured), settled.cost) == ({*kept}, len(kept) * UNIT)
    assert settled.outputs == tuple(stored[index] for index in kept)
    assert world.wallet(customer).balance == before - len(kept) * UNIT
    assert world.entries(customer).count("undelivered") == bool(returned)
    assert world.audit_ledger() == []
