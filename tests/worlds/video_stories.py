"""Stories of videos: what is asked, what breaks meanwhile, and all that must hold in the end."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.errors import ShoalError
from shoal.domain.job import HoldState, Job, JobStatus
from shoal.domain.money import Asset
from shoal.domain.video import clip_key, final_key, narration_key, poster_key, preview_key
from tests.fakes import Fault
from tests.support.executions import Crash
from tests.worlds.image_stories import check_entries
from tests.worlds.machine import Stage
from tests.worlds.world import Customer, World

CREDITS = 20


@dataclass(frozen=True)
class Story:
    """An idea, how its video ends when nothing breaks, and when the caller cancels it."""

    idea: str
    status: JobStatus
    seconds: int = 16
    cancel_after_s: float | None = None
    subtitles: str = "track"

    def tell(self, faults: list[Fault]) -> tuple[World, Customer]:
        """Play it to its end with these faults in it."""
        world = World()
        customer, stage = world.customer(credits=CREDITS), Stage(world)
        world.network.calls.clear()
        world.network.faults = faults
        try:
            answered = world.submit_video(
                customer, idea=self.idea, duration=self.seconds, subtitles=self.subtitles
            )
            if self.cancel_after_s is not None:
                stage.run(until_ms=world.clock.ms + round(self.cancel_after_s * 1000))
                world.cancel_job(customer.caller, answered.job_id)
        except (ShoalError, Crash):
            pass  # the caller got no answer; what was begun goes on
        stage.run()
        world.network.heal()
        return world, customer

    def check(self, world: World, customer: Customer) -> None:
        """All that must hold in the end, whatever broke."""
        check(world, customer)


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
    "canceled when two of three are made": Story(
        "[slow:30:scene=1] Sharks", CANCELED, seconds=24, cancel_after_s=5
    ),
    "canceled when it is billed": Story(
        "[billed][slow:30:scene=0][slow:60:scene=1] Sharks", CANCELED, cancel_after_s=5
    ),
    "one billed, one called off": Story(
        "[billed:scene=0][slow:30:scene=0][slow:60:scene=1] Sharks", CANCELED, cancel_after_s=5
    ),
    "billed and never answering": Story(
        "[billed][slow:30:scene=0][timeout:scene=1] Sharks", CANCELED, cancel_after_s=5
    ),
    "billed of seven, some not begun": Story(
        "[billed][slow:30] Sharks", CANCELED, seconds=56, cancel_after_s=5
    ),
}


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
    check_entries(world.entries(customer, Asset.CREDIT), job)
    assert job.cost == (job.price if completed else len(job.captured))
    assert wallet.balance == CREDITS - job.cost
    check_files(world, job)
    check_events(world, job)
    return job


def check_files(world: World, job: Job) -> None:
    """A ready video has all its files; one that failed has left nothing anywhere but what is paid for."""
    clips = [clip_key(job.id, index) for index in range(job.output_count)]
    previews = [preview_key(job.id, index) for index in range(job.output_count)]
    made = {final_key(job.id), narration_key(job.id), poster_key(job.id), *clips, *previews}
    if job.status is COMPLETED:
        assert set(world.video_files.objects) == made
        assert [output.key for output in job.outputs] == [final_key(job.id)]
        assert {scene.ready for scene in world.scenes.of(job)} == {True}
    else:
        assert world.video_files.keys_of(job) == {clips[index] for index in job.captured}
        assert all(scene.ready for scene in world.scenes.of(job) if scene.index in job.captured)


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
