"""StoreOutput: only a usable picture is put where callers may fetch it."""

from __future__ import annotations

import pytest

from shoal.domain.errors import OutputInvalid
from shoal.domain.job import Output
from tests.unit.factories import JOB
from tests.unit.world import Customer, World


def staged(world: World, customer: Customer, *data: bytes) -> list[dict[str, str]]:
    """What the provider delivered, as the state machine hands it on."""
    job = world.processing(customer)
    return [{"key": world.staging.put(job, index, item)} for index, item in enumerate(data)]


def test_a_picture_is_stored_under_its_job(world: World, customer: Customer) -> None:
    stored = world.store_output(JOB, staged(world, customer, b"picture"))

    key = f"images/{JOB}/0.png"
    assert stored == (Output(key, "image/png", 2048, 2048, size_bytes=7),)
    assert world.outputs.objects == {key: (b"picture", "image/png")}


def test_several_pictures_are_numbered(world: World, customer: Customer) -> None:
    stored = world.store_output(JOB, staged(world, customer, b"one", b"two"))

    assert [output.key for output in stored] == [f"images/{JOB}/0.png", f"images/{JOB}/1.png"]


def test_stored_again_it_is_the_same_object(world: World, customer: Customer) -> None:
    delivered = staged(world, customer, b"picture")

    assert world.store_output(JOB, delivered) == world.store_output(JOB, delivered)
    assert len(world.outputs.objects) == 1


def test_what_is_no_picture_is_not_stored(world: World, customer: Customer) -> None:
    with pytest.raises(OutputInvalid, match="readable"):
        world.store_output(JOB, staged(world, customer, b"junk"))
    assert world.outputs.objects == {}


def test_a_delivery_of_nothing_is_no_output(world: World) -> None:
    with pytest.raises(OutputInvalid, match="no image"):
        world.store_output(JOB, [])


def test_bytes_that_are_gone_are_no_output(world: World) -> None:
    with pytest.raises(OutputInvalid, match="gone"):
        world.store_output(JOB, [{"key": "nowhere"}])
