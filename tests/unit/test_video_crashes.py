"""Whatever breaks in a video: it is paid whole or not at all, told once, and leaves nothing behind."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.domain.errors import ShoalError, Unavailable
from shoal.domain.job import HoldState, Job, JobStatus
from shoal.domain.money import Asset
from shoal.domain.video import clip_key, final_key, narration_key, poster_key
from tests.fakes import Fault
from tests.unit.executions import Crash
from tests.unit.faults import ANY_FAULT, FAULTS, different_calls
from tests.unit.machine import Stage
from tests.unit.world import Customer, World

CREDITS = 20


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of faults would be logged."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@dataclass(frozen=True)
class Story:
    """An idea, how its video ends when nothing breaks, and when the caller cancels it."""

    idea: str
    status: JobStatus
    seconds: int = 16
    cancel_after_s: float | None = None
    subtitles: str = "track"


COMPLETED, FAILED, CANCELED = JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED
STORIES = {
    "at once": Story("Sharks", COMPLETED),
    "one scene with burned subtitles": Story("Sharks", COMPLETED, seconds=8, subtitles="burned"),
    "by poll": Story("[poll] Sharks", COMPLETED),
    "by callback": Story("[callback] Sharks", COMPLETED),
    "one scene busy at first": Story("[busy:9:scene=1] Sharks", COMPLETED),
    "the first scene failing": Story("[fail:scene=0] Sharks", FAILED),
    "the last scene failing late": Story("[slow:5:scene=1][truncated:scene=1] Sharks", FAILED),
    "an empty clip": Story("[empty:scene=0] Sharks", FAILED),
    "one scene never answering": Story("[timeout:scene=1] Sharks", FAILED),
    "canceled at once": Story("[slow:30] Sharks", CANCELED, cancel_after_s=0),
    "canceled while scenes are rendered": Story("[slow:30:scene=1] Sharks", CANCELED, cancel_after_s=5),
    "canceled too late": Story("Sharks", COMPLETED, cancel_after_s=20),
}


def tell(story: Story, faults: list[Fault]) -> tuple[World, Customer]:
    """Play a story to its end with these faults in it."""
    world = World()
    customer, stage = world.customer(credits=CREDITS), Stage(world)
    world.network.calls.clear()
    world.network.faults = faults
    try:
        answered = world.submit_video(
            customer, idea=story.idea, duration=story.seconds, subtitles=story.subtitles
        )
        if story.cancel_after_s is not None:
            stage.run(until_ms=world.clock.ms + round(story.cancel_after_s * 1000))
            world.cancel_job(customer.caller, answered.job_id)
    except (ShoalError, Crash):
        pass  # the caller got no answer; what was begun goes on
    stage.run()
    world.network.heal()
    return world, customer


def check(world: World, customer: Customer) -> Job | None:
    """All that must hold in the end; the job, if one was written."""
    assert world.audit_ledger() == []
    wallet = world.wallet(customer, Asset.CREDIT)
    assert wallet.held == 0
    job = next(iter(world.tables.jobs.values()), None)
    if job is None:
        assert world.entries(customer, Asset.CREDIT) == ["top_up"]
        assert world.bus.published == []
        return None
    completed = job.status is COMPLETED
    assert job.status.terminal
    assert job.hold_state is not HoldState.HELD
    assert job.deadline_at_ms is None
    assert world.entries(customer, Asset.CREDIT) == ["top_up", "hold", "capture" if completed else "release"]
    assert job.cost == (job.price if completed else 0)
    assert wallet.balance == CREDITS - job.cost
    check_files(world, job)
    check_events(world, job)
    return job


def check_files(world: World, job: Job) -> None:
    """A ready video has all its files; one that failed has left nothing, in no bucket."""
    clips = [clip_key(job.id, index) for index in range(job.output_count)]
    made = {final_key(job.id), narration_key(job.id), poster_key(job.id), *clips}
    if job.status is COMPLETED:
        assert set(world.video_files.objects) == made
        assert [output.key for output in job.outputs] == [final_key(job.id)]
        assert {scene.ready for scene in world.scenes.of(job)} == {True}
    else:
        assert world.video_files.keys_of(job) == set()


def check_events(world: World, job: Job) -> None:
    """One end is announced, at least once and always with the same id; nothing that did not happen."""
    happened, not_happened = ("ready", "completed"), ("failed", "failed")
    if job.status is not COMPLETED:
        happened, not_happened = not_happened, happened
    for family, outcome, opposite in zip(("video", "job"), happened, not_happened, strict=True):
        (times,) = world.bus.ids(f"{family}.{outcome}").values()
        assert times >= 1
        assert not world.bus.ids(f"{family}.{opposite}")
    for opening in ("job.created", "video.created", "job.processing"):
        assert len(world.bus.ids(opening)) <= 1
    assert len(world.bus.ids("video.scene_ready")) <= job.output_count


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_when_nothing_breaks_everything_happens_once(story: Story) -> None:
    world, customer = tell(story, [])

    job = check(world, customer)

    assert job is not None
    assert job.status is story.status
    assert len(world.workflow.started) == 1
    ids = [event.detail["id"] for event in world.bus.published]
    assert len(ids) == len(set(ids))
    if story.status is COMPLETED:
        assert len(world.bus.ids("video.scene_ready")) == story.seconds // 8
        assert len(world.writer.orders) == 1


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
@pytest.mark.parametrize(("error", "lost_reply"), FAULTS.values(), ids=FAULTS)
def test_a_fault_at_any_single_call_is_mended(
    story: Story, error: type[BaseException], lost_reply: bool
) -> None:
    for index in different_calls(tell(story, [])[0].network.calls):
        world, customer = tell(story, [Fault(error(), index=index, lost_reply=lost_reply)])

        check(world, customer)

        assert len(world.network.calls) > index
        assert max(world.bus.ids("job.completed").values(), default=0) <= 2


@settings(max_examples=150)
@given(st.sampled_from(list(STORIES.values())), st.lists(ANY_FAULT, min_size=2, max_size=6))
def test_faults_upon_faults_are_mended_too(story: Story, faults: list[Fault]) -> None:
    check(*tell(story, faults))


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
    world.staging.put(job, 1, b"clip")
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
    assert max(world.bus.ids("video.failed").values()) == 1, "what could not be deleted is not announced anew"
