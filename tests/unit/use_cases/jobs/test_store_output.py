"""StoreOutput: only a usable picture is put where callers may fetch it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from shoal.domain.errors import OutputInvalid, Unavailable
from shoal.domain.job import Job, Output
from tests.fakes.beside import Begun
from tests.fakes.videos import CLIP
from tests.worlds.world import Customer, World


@pytest.fixture
def job(world: World, customer: Customer) -> Job:
    """A task of two outputs whose provider has been asked."""
    return world.processing(customer, model="nanobanana", num_outputs=2)


def staged(world: World, job: Job, *data: bytes) -> list[dict[str, str]]:
    """What the provider delivered, as the state machine hands it on."""
    return [{"key": world.staging.stage(job, index, item)} for index, item in enumerate(data)]


def store(world: World, job: Job, delivered: list[dict[str, str]]) -> tuple[Output, ...]:
    return world.store_output(job.account_id, job.id, delivered)


def test_a_picture_is_stored_under_its_job(world: World, job: Job) -> None:
    stored = store(world, job, staged(world, job, b"picture"))

    key = f"images/{job.id}/0.png"
    assert stored == (Output(key, "image/png", 2048, 2048, size_bytes=7),)
    assert world.outputs.objects == {key: (b"picture", "image/png")}


def test_an_address_holds_what_the_jobs_id_does_not_tell(world: World, job: Job) -> None:
    world.asked(job)

    (stored,) = store(world, job, staged(world, job, b"picture"))

    assert stored.key == f"images/{job.id}/0-{world.now(job).calls[0].mark}.png"
    assert store(world, job, staged(world, job, b"picture")) == (stored,)


def test_several_pictures_are_numbered(world: World, job: Job) -> None:
    stored = store(world, job, staged(world, job, b"one", b"two"))

    assert [output.key for output in stored] == [f"images/{job.id}/0.png", f"images/{job.id}/1.png"]


def test_stored_again_it_is_the_same_object(world: World, job: Job) -> None:
    delivered = staged(world, job, b"picture")

    assert store(world, job, delivered) == store(world, job, delivered)
    assert len(world.outputs.objects) == 1


def test_what_is_no_picture_is_not_stored(world: World, job: Job) -> None:
    with pytest.raises(OutputInvalid, match="readable"):
        store(world, job, staged(world, job, b"junk"))
    assert world.outputs.objects == {}


@pytest.mark.parametrize("fails", ["", "jobs.get"])
def test_the_read_that_was_begun_beside_is_not_left_behind(world: World, job: Job, fails: str) -> None:
    begun = Begun()
    world.store_output = replace(world.store_output, beside=begun)
    key = world.staging.stage(job, 0, b"picture")
    if fails:
        world.network.fail(fails, Unavailable())
    with suppress(Unavailable):
        world.store_output(job.account_id, job.id, [{"key": key}])
    assert (begun.works, begun.left) == (1, 0)


def test_a_delivery_of_nothing_is_no_output(world: World, job: Job) -> None:
    with pytest.raises(OutputInvalid, match="no image"):
        store(world, job, [])


def test_bytes_that_are_gone_are_no_output(world: World, job: Job) -> None:
    with pytest.raises(OutputInvalid, match="gone"):
        store(world, job, [{"key": "nowhere"}])


def test_the_clip_of_a_task_is_stored_as_one(world: World) -> None:
    job = world.processing(world.customer(credits=1), model="clip")
    key = world.staging.stage(job, 0, CLIP)

    (stored,) = world.store_output(job.account_id, job.id, [{"key": key}])

    assert (stored.key, stored.content_type) == (f"images/{job.id}/0.mp4", "video/mp4")
    with pytest.raises(OutputInvalid, match="clip"):
        world.store_output(job.account_id, job.id, [{"key": world.staging.stage(job, 0, b"picture")}])


def test_an_item_that_names_neither_output_nor_error_is_a_fault_of_ours(
    world: World, customer: Customer
) -> None:
    job = world.queued(customer)

    with pytest.raises(KeyError):
        world.store_output(job.account_id, job.id, [{"unknown": "field"}])
