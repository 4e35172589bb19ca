"""The bus refuses events for longer than anybody tries again: each is told in the end, with its one id."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shoal.domain.errors import Unavailable
from shoal.domain.job import Job
from tests.worlds.machine import Stage
from tests.worlds.world import Customer, World

OUTAGE_MS = 60 * 60_000
"""Longer than a message of a failed execution is handed out again."""
TWO_SWEEPS_MS = 2 * 60_000 + 1
OPENING = {"job.created", "job.processing"}
ENDS = {
    "image.completed",
    "image.failed",
    "task.completed",
    "video.ready",
    "video.failed",
    "job.completed",
    "job.failed",
    "wallet.captured",
    "wallet.released",
}
ALL = OPENING | ENDS | {"video.created", "video.scene_ready"}

Submit = Callable[[World, Customer], Job]
JOBS: dict[str, tuple[Submit, set[str]]] = {
    "image": (
        lambda world, customer: world.queued(customer, prompt="A shark"),
        OPENING | {"image.completed", "job.completed", "wallet.captured"},
    ),
    "refused image": (
        lambda world, customer: world.queued(customer, prompt="[fail] A shark"),
        OPENING | {"image.failed", "job.failed", "wallet.released"},
    ),
    "task": (
        lambda world, customer: world.queued(customer, model="nanobanana", prompt="Mugs", num_outputs=2),
        OPENING | {"task.completed", "job.completed", "wallet.captured"},
    ),
    "video": (
        lambda world, customer: world.video(customer, idea="Sharks", duration=16),
        OPENING | {"video.created", "video.scene_ready", "video.ready", "job.completed", "wallet.captured"},
    ),
    "refused video": (
        lambda world, customer: world.video(customer, idea="[fail] Sharks", duration=16),
        OPENING | {"video.created", "video.failed", "job.failed", "wallet.released"},
    ),
}


def submitted(world: World, name: str) -> tuple[Stage, Job, set[str]]:
    """The stage, a job that is paid for, and the types of what is told of it."""
    submit, told = JOBS[name]
    return Stage(world), submit(world, world.customer(usd="10.00", credits=10)), told


def told_by(world: World) -> dict[str, int]:
    """How many ids each type of event has."""
    return {event_type: len(world.bus.ids(event_type)) for event_type in set(world.bus.types())}


@pytest.mark.parametrize("announcing_later", [True, False], ids=["", "nor can it be put off"])
@pytest.mark.parametrize("refused", [ENDS, {"job.completed", "job.failed"}], ids=["all", "in part"])
@pytest.mark.parametrize("name", JOBS)
def test_an_end_that_the_bus_refuses_is_told_within_two_sweeps(
    world: World, name: str, refused: set[str], announcing_later: bool
) -> None:
    stage, job, told = submitted(world, name)
    world.bus.refuse(refused)
    if not announcing_later:
        world.network.fail("machine.announce_later", Unavailable())
    stage.run(until_ms=world.clock.ms + OUTAGE_MS)
    assert world.now(job).status.terminal
    assert not refused & set(world.bus.types())
    world.bus.heal()
    world.network.heal()

    stage.run(until_ms=world.clock.ms + TWO_SWEEPS_MS)

    found = told_by(world)
    assert found.pop("video.scene_ready", 0) in (0, 2)
    assert found == dict.fromkeys(told - {"video.scene_ready"}, 1)


@pytest.mark.parametrize("refused", [ALL, OPENING, {"job.processing"}], ids=["all", "beginnings", "in part"])
@pytest.mark.parametrize(
    ("name", "ends"),
    [("image", "image.failed"), ("task", "task.failed"), ("video", "video.failed")],
)
def test_a_beginning_that_the_bus_refuses_is_told_with_its_end_within_two_sweeps(
    world: World, name: str, ends: str, refused: set[str]
) -> None:
    stage, job, _ = submitted(world, name)
    world.bus.refuse(refused)
    stage.run(until_ms=world.clock.ms + OUTAGE_MS)
    assert not refused & set(world.bus.types())
    world.bus.heal()

    stage.run(until_ms=world.clock.ms + TWO_SWEEPS_MS)

    beginning = OPENING | ({"video.created"} if name == "video" else set())
    assert told_by(world) == dict.fromkeys(beginning | {ends, "job.failed", "wallet.released"}, 1)
    assert world.now(job).cost == 0
    assert world.audit_ledger() == []


@pytest.mark.parametrize("refused", [ALL, {"job.failed"}], ids=["all", "in part"])
def test_a_cancel_that_the_bus_refuses_is_told_within_two_sweeps(world: World, refused: set[str]) -> None:
    customer, stage = world.customer(), Stage(world)
    job = world.queued(customer)
    world.bus.refuse(refused)
    world.cancel_job(customer.caller, job.id)
    stage.run(until_ms=world.clock.ms + OUTAGE_MS)
    world.bus.heal()

    stage.run(until_ms=world.clock.ms + TWO_SWEEPS_MS)

    assert told_by(world) == dict.fromkeys(
        ("job.created", "image.failed", "job.failed", "wallet.released"), 1
    )
