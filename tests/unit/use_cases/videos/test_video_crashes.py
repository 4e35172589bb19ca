"""Whatever breaks in a video: it is paid whole or not at all, told once, and leaves nothing behind.

A fault at any single call, and faults upon faults, are in `test_crashes.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from shoal.domain.errors import Unavailable
from shoal.domain.money import Asset
from shoal.domain.video import clip_key
from tests.worlds.machine import Stage
from tests.worlds.video_stories import CANCELED, COMPLETED, CREDITS, STORIES, Story, check
from tests.worlds.world import World


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of faults would be logged."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_when_nothing_breaks_everything_happens_once(story: Story) -> None:
    world, customer = story.tell([])

    job = check(world, customer)

    assert job is not None
    assert job.status is story.status
    assert len(world.workflow.started) == 1
    ids = [event.detail["id"] for event in world.bus.published]
    assert len(ids) == len(set(ids))
    if story.status is COMPLETED:
        assert len(world.bus.ids("video.scene_ready")) == story.seconds // 8
        assert len(world.writer.orders) == 1


SERVICES = [
    "bus.publish",
    "workflow.start",
    "jobs.advance",
    "jobs.begin",
    "scenes.write",
    "scenes.mark_ready",
    "staging.put",
    "video_files.put",
    "video_files.fetch",
    "video_files.delete_of",
]


@pytest.mark.parametrize("port", SERVICES)
@pytest.mark.parametrize("idea", ["Sharks", "[fail:scene=1] Sharks"], ids=["ready", "failing"])
def test_a_service_that_is_gone_for_minutes_only_delays_the_end(port: str, idea: str) -> None:
    world = World()
    customer, stage = world.customer(credits=CREDITS), Stage(world)
    world.network.fail(port, Unavailable())
    world.submit_video(customer, idea=idea)
    stage.run(until_ms=world.clock.ms + 20 * 60_000)
    world.network.heal()

    stage.run()

    assert check(world, customer)


def test_what_is_written_after_the_clean_up_is_found_by_the_next_one() -> None:
    world = World()
    customer, stage = world.customer(credits=CREDITS), Stage(world)
    job = world.video(customer, idea="[slow:30] Sharks")
    stage.run(until_ms=world.clock.ms + 5_000)
    world.cancel_job(customer.caller, job.id)
    world.staging.stage(job, 1, b"clip")
    world.video_files.objects[clip_key(job.id, 1)] = b"clip", "video/mp4"

    stage.run()

    check(world, customer)
    assert world.now(job).status is CANCELED


def test_a_clean_up_that_never_works_at_once_keeps_nobody_from_the_money_or_the_news() -> None:
    world = World()
    customer, stage = world.customer(credits=CREDITS), Stage(world)
    world.network.fail("video_files.delete_of", RuntimeError("AccessDenied"))
    job = world.video(customer, idea="[fail:scene=0] Sharks")
    stage.run(until_ms=world.clock.ms + 60_000)

    assert world.wallet(customer, Asset.CREDIT).available == CREDITS
    assert world.bus.ids("video.failed")
    assert world.now(job).announced
    world.network.heal()
    stage.run()
    check(world, customer)
    assert max(world.bus.ids("video.failed").values()) == 1, "a failed deletion is not announced again"
