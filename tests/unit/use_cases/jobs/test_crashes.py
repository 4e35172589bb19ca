"""Whatever breaks, wherever: each hold resolves once, each end is announced, and with the same event ids."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.domain.errors import Unavailable
from shoal.domain.families import IMAGE
from tests.fakes import Fault
from tests.support.faults import ANY_FAULT, FAULTS, different_calls
from tests.worlds import image_stories, video_stories
from tests.worlds.image_stories import COMPLETED, STORIES, Story, check
from tests.worlds.machine import Stage
from tests.worlds.world import World

IMAGE_ENDS_WITHIN_MS = 240_000
"""What its documents promise, and the time between two sweeps."""

UNSHOWN = STORIES["one failing and one never answering"]
"""Nothing that is stored shows that the first provider answered: its beginning is told again at its end."""
BEGINNING = {"job.created", "job.processing"}

Told = image_stories.Story | video_stories.Story
ALL: dict[str, Told] = {
    **{f"image, {name}": story for name, story in image_stories.STORIES.items()},
    **{f"video, {name}": story for name, story in video_stories.STORIES.items()},
}


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
    assert len(job.outputs) == (story.delivered if story.status is COMPLETED else story.kept)
    family, outcome = (
        ("task" if story.outputs else "image"),
        "completed" if story.status is COMPLETED else "failed",
    )
    assert set(world.bus.types()) >= {f"{family}.{outcome}"}
    told = Counter((event.type, event.detail["id"]) for event in world.bus.published)
    assert len(told) == len(set(world.bus.types())), "what is told again has the same id"
    repeated = {event_type for (event_type, _), times in told.items() if times > 1}
    assert repeated == (BEGINNING if story is UNSHOWN else set())
    assert len(world.workflow.started) == 1


@pytest.mark.parametrize("story", ALL.values(), ids=ALL)
@pytest.mark.parametrize(("error", "lost_reply"), FAULTS.values(), ids=FAULTS)
def test_a_fault_at_any_single_call_is_repaired(
    story: Told, error: type[BaseException], lost_reply: bool
) -> None:
    for index in different_calls(story.tell([])[0].network.calls):
        world, customer = story.tell([Fault(error(), index=index, lost_reply=lost_reply)])

        story.check(world, customer)

        assert len(world.network.calls) > index
        for job in world.tables.jobs.values():
            if job.family is IMAGE:
                assert (job.closed_at_ms or 0) - job.created_at_ms <= IMAGE_ENDS_WITHIN_MS
        assert max(world.bus.ids("job.completed").values(), default=0) <= 2


@settings(max_examples=450)
@given(st.sampled_from(list(ALL.values())), st.lists(ANY_FAULT, min_size=2, max_size=6))
def test_faults_upon_faults_are_repaired_too(story: Told, faults: list[Fault]) -> None:
    story.check(*story.tell(faults))


@pytest.mark.parametrize("port", ["bus.publish", "workflow.start", "jobs.begin", "staging.put"])
def test_a_service_that_is_gone_for_minutes_only_delays_the_end(port: str) -> None:
    world = World()
    customer, stage = world.customer(), Stage(world)
    world.network.fail(port, Unavailable())
    world.submit(customer)
    stage.run(until_ms=world.clock.ms + 10 * 60_000)
    world.network.heal()

    stage.run()

    check(world, customer)
