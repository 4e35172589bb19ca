"""How long outputs are kept: by the stage's rule or the request's own, and deleted when it is up."""

from __future__ import annotations

from typing import Any

import pytest

from shoal.dialects import image, tasks
from shoal.domain.errors import Unavailable
from shoal.domain.job import CLEAN_UP_AFTER_MS, Job, JobStatus
from tests.support.factories import url_of
from tests.worlds.machine import Stage
from tests.worlds.world import Customer, World

DAY_S = 24 * 3_600
TTL_S = 3_600


def kept(world: World, customer: Customer, **body: Any) -> Job:
    """A completed task whose outputs are in the bucket."""
    job = world.processing(customer, **({"model": "nanobanana", "num_outputs": 2} | body))
    delivered = [{"key": world.staging.stage(job, index, b"picture")} for index in range(job.output_count)]
    stored = world.store_output(job.account_id, job.id, delivered)
    return world.settle_wallet(job.account_id, job.id, stored)[0]


@pytest.mark.parametrize(
    ("retention_s", "ttl_s", "kept_s"),
    [
        (None, None, None),
        (DAY_S, None, DAY_S),
        (None, TTL_S, TTL_S),
        (DAY_S, TTL_S, TTL_S),
        (DAY_S, 2 * DAY_S, DAY_S),
    ],
)
def test_outputs_expire_by_the_shorter_of_both_rules_from_the_settlement_on(
    world: World, customer: Customer, retention_s: int | None, ttl_s: int | None, kept_s: int | None
) -> None:
    world.keep_outputs_for(retention_s)
    asked = {} if ttl_s is None else {"ttl_seconds": ttl_s}

    job = kept(world, customer, **asked)

    assert job.outputs_expire_at_ms == (None if kept_s is None else world.clock.ms + kept_s * 1000)
    assert world.now(job).outputs_expire_at_ms == job.outputs_expire_at_ms


def test_the_sweeper_deletes_what_a_request_wanted_deleted_and_looks_no_more(
    world: World, customer: Customer
) -> None:
    job, other = kept(world, customer, ttl_seconds=TTL_S), kept(world, customer)
    world.clock.pass_seconds(TTL_S - 1)
    assert world.sweep_jobs() == {}
    world.clock.pass_seconds(1)

    assert world.sweep_jobs() == {"deleted": 1}

    assert set(world.outputs.objects) == {output.key for output in other.outputs}
    assert world.now(job).deadline_at_ms is None
    assert world.bus.types() == []
    world.clock.pass_seconds(DAY_S)
    assert world.sweep_jobs() == {}


def test_what_the_stages_rule_deletes_is_not_the_sweepers_concern(world: World, customer: Customer) -> None:
    world.keep_outputs_for(DAY_S)
    job = kept(world, customer)
    world.clock.pass_seconds(2 * DAY_S)

    assert world.now(job).deadline_at_ms is None
    assert world.sweep_jobs() == {}


@pytest.mark.parametrize("failing", ["outputs.delete", "jobs.mark_files_deleted"])
@pytest.mark.parametrize("lost_reply", [False, True])
def test_a_deletion_that_failed_is_made_good_by_a_later_sweep(
    world: World, customer: Customer, failing: str, lost_reply: bool
) -> None:
    job = kept(world, customer, ttl_seconds=TTL_S)
    world.clock.pass_seconds(TTL_S)
    world.network.fail(failing, Unavailable(), lost_reply=lost_reply)
    assert world.sweep_jobs() == {"deferred": 1}
    world.network.heal()

    for _ in range(3):
        world.clock.pass_seconds(60)
        world.sweep_jobs()

    assert world.outputs.objects == {}
    assert world.now(job).deadline_at_ms is None
    assert all(len(world.bus.ids(name)) <= 1 for name in ("task.completed", "job.completed"))


def test_a_job_that_has_to_be_announced_is_announced_before_its_outputs_go(world: World) -> None:
    customer, stage = world.customer(), Stage(world)
    job = world.queued(customer, prompt="[slow:30] A shark", ttl_seconds=TTL_S)
    stage.run(until_ms=world.clock.ms + 20_000)
    world.network.fail("bus.publish", Unavailable())
    stage.run(until_ms=world.clock.ms + 10 * 60_000)
    assert world.now(job).status is JobStatus.COMPLETED
    assert set(world.bus.types()) == {"job.created", "job.processing"}
    world.network.heal()

    stage.run()

    assert world.now(job).deadline_at_ms is None
    assert world.outputs.objects == {}
    assert world.bus.types()[2:] == ["image.completed", "job.completed", "wallet.captured"]


def test_both_dialects_show_expired_outputs_as_such(world: World, customer: Customer) -> None:
    job = kept(world, customer, ttl_seconds=TTL_S)
    picture = kept(world, customer, model="shoal-image", num_outputs=1, ttl_seconds=TTL_S)
    for late_ms, expired in ((-1, False), (0, True), (DAY_S * 1000, True)):
        now_ms = world.clock.ms + TTL_S * 1000 + late_ms
        task = tasks.task_resource(job, url_of=url_of, now_ms=now_ms)
        shown = image.job_resource(picture, complete="complete", url_of=url_of, now_ms=now_ms)

        output = task["output"]
        assert output is not None
        assert output.get("expired", False) is expired
        assert (output["urls"] == []) is expired
        assert (shown["image_url"] is None) is expired
        assert ("expired" in (shown["error"] or "")) is expired
        assert (task["status"], shown["status"], shown["cost"]) == ("completed", "complete", "$0.02")


@pytest.mark.parametrize("ttl", [{}, {"ttl_seconds": 60}])
@pytest.mark.parametrize("end", ["failed", "canceled"])
def test_what_a_failed_or_canceled_job_had_stored_is_deleted(
    world: World, customer: Customer, end: str, ttl: dict[str, int]
) -> None:
    other, job = kept(world, customer), world.processing(customer, model="nanobanana", num_outputs=2, **ttl)
    delivered = [{"key": world.staging.stage(job, index, b"picture")} for index in range(2)]
    world.store_output(job.account_id, job.id, delivered[:1])
    if end == "failed":
        world.release_hold(job.account_id, job.id, "ProviderFailed", "No luck.")
    else:
        world.cancel_job(customer.caller, job.id)
    world.store_output(job.account_id, job.id, delivered)  # by a step that was still running

    world.clock.pass_seconds(CLEAN_UP_AFTER_MS // 1000)

    assert world.sweep_jobs() == {"deleted": 1}
    assert set(world.outputs.objects) == {output.key for output in other.outputs}
    assert world.now(job).outputs_expire_at_ms is None
    world.clock.pass_seconds(DAY_S)
    assert world.sweep_jobs() == {}
