"""Whatever a provider returns stays within what was ordered: real files, through the whole state machine."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest

from shoal.adapters.outputs.studio import film
from shoal.adapters.providers.simulator.simulator import Simulator
from shoal.dialects import tasks
from shoal.domain.brief import Kind
from shoal.domain.catalog import load_catalog
from shoal.domain.events import ending_events
from shoal.domain.job import Job, JobStatus, Output
from shoal.domain.models import media_types as media
from shoal.domain.models.tariff import MILLI, Rate, Terms, Unit
from shoal.domain.provider import Done, ProviderOutput
from shoal.media.drawing import draw
from shoal.media.editing import edit
from shoal.media.inspection.inspect import inspect
from shoal.media.simulated.make import make
from tests.fakes import made
from tests.support.factories import url_of
from tests.worlds.machine import Stage
from tests.worlds.routing_world import Routing
from tests.worlds.world import World

SECONDS, A_SECOND = 3, 10_000
BY_SECOND = Terms((Rate(Unit.SECOND, A_SECOND),), most={Unit.SECOND: SECONDS * MILLI})
FLAT = Terms.flat(20_000)


def run(world: World, prompt: str, kind: Kind, terms: Terms = FLAT, **brief: Any) -> Job:
    """A job of one output as it is after its whole way."""
    customer, stage = world.customer(), Stage(world)
    world.store_output = replace(world.store_output, inspect=inspect)
    nobody: Any = None
    world.use_provider(
        Simulator(
            clock=world.clock, draw=draw, edit=edit, film=film, make=make, call_back=nobody, verify=nobody
        )
    )
    asked = tasks.parse_submission({"model": "nanobanana", "prompt": prompt}, load_catalog())
    ordered = replace(asked.brief, kind=kind, width_px=64, height_px=48, **brief)
    submission = replace(asked, terms=terms, brief=ordered)
    answered = world.submit_job(customer.caller, lambda: submission, None, tasks.acceptance)
    stage.run()
    assert world.audit_ledger() == []
    job = world.job(customer, answered.job_id)
    assert world.tables.wallets[job.account_id, job.asset].held == 0
    return job


@pytest.mark.parametrize("kind", [Kind.AUDIO, Kind.CLIP])
@pytest.mark.parametrize(
    ("marker", "seconds"),
    [("", 3), ("[longer:5]", 8), ("[shorter:2]", 1), ("[more]", 3), ("[slow:2][longer:1]", 4)],
)
def test_seconds_are_charged_as_measured_and_never_above_what_was_held(
    world: World, kind: Kind, marker: str, seconds: int
) -> None:
    job = run(world, f"A shark {marker}", kind, BY_SECOND, seconds=SECONDS)

    (output,) = job.outputs
    assert (job.status, output.duration_ms) == (JobStatus.COMPLETED, seconds * 1000)
    assert job.cost == min(seconds, SECONDS) * A_SECOND


@pytest.mark.parametrize(
    ("kind", "content_type", "extension"),
    [
        (Kind.PICTURE, media.PNG, "png"),
        (Kind.CLIP, media.MP4, "mp4"),
        (Kind.AUDIO, media.MP3, "mp3"),
        (Kind.MODEL3D, media.GLB, "glb"),
        (Kind.JSON, media.JSON, "json"),
        (Kind.TEXT, media.TEXT, "txt"),
    ],
)
def test_each_kind_is_stored_under_its_own_type(
    world: World, kind: Kind, content_type: str, extension: str
) -> None:
    job = run(world, "A shark", kind, seconds=1 if kind in (Kind.CLIP, Kind.AUDIO) else None)

    (output,) = job.outputs
    data, stored_type = world.outputs.objects[output.key]
    assert output.key.startswith(f"images/{job.id}/0")
    assert output.key.endswith(f".{extension}")
    assert (output.content_type, stored_type, output.size_bytes) == (content_type, content_type, len(data))
    assert job.cost == 20_000


def test_the_model_says_which_types_it_has(world: World) -> None:
    job = run(world, "A shark", Kind.PICTURE, media_types=(media.WEBP, media.PNG))
    other = run(world, "A shark [type:jpg]", Kind.PICTURE, media_types=(media.WEBP, media.PNG))

    assert job.outputs[0].content_type == media.WEBP
    assert (other.status, other.cost) == (JobStatus.FAILED, 0)


@pytest.mark.parametrize(
    ("kind", "marker"),
    [
        (Kind.AUDIO, "[type:png]"),
        (Kind.AUDIO, "[type:mp4]"),
        (Kind.AUDIO, "[truncated]"),
        (Kind.AUDIO, "[empty]"),
        (Kind.PICTURE, "[type:mp3]"),
        (Kind.PICTURE, "[type:glb]"),
        (Kind.MODEL3D, "[type:zip]"),
        (Kind.MODEL3D, "[truncated]"),
        (Kind.JSON, "[truncated]"),
        (Kind.JSON, "[type:txt]"),
        (Kind.TEXT, "[type:png]"),
        (Kind.TEXT, "[empty]"),
    ],
)
def test_another_type_or_a_part_or_nothing_costs_nothing(world: World, kind: Kind, marker: str) -> None:
    job = run(world, f"A shark {marker}", kind, BY_SECOND, seconds=1)

    assert job.failure is not None
    assert (job.status, job.failure.code, job.cost) == (JobStatus.FAILED, "output_invalid", 0)
    assert (job.outputs, world.outputs.objects) == ((), {})


def test_what_comes_beside_an_output_is_kept_told_and_not_charged(world: World) -> None:
    job = run(world, "A shark [more]", Kind.MODEL3D)

    (output,) = job.outputs
    (extra,) = output.extras
    assert (extra.content_type, extra.width_px, job.cost) == (media.PNG, 256, 20_000)
    assert set(world.outputs.objects) == set(output.keys) == {output.key, extra.key}
    assert extra.index == output.index == 0
    files = ending_events(job, url_of)[0].detail["data"]["files"]
    assert [file.get("extra", False) for file in files] == [False, True]
    assert Output.of(output.told()) == output


def test_an_extra_that_may_not_be_shown_is_left_out(world: World) -> None:
    job = world.processing(world.customer(), model="nanobanana")
    for number, page in enumerate((b"<svg onload='alert(1)'/>", b"{}"), 1):
        world.staging.put(job, 0, io.BytesIO(page), extra=number)
    picture = draw(prompt="", seed=1, width_px=64, height_px=48)
    world.staging.put(job, 0, io.BytesIO(picture), extras=2)
    world.store_output = replace(world.store_output, inspect=inspect)
    delivered = [{"key": f"{job.account_id}/{job.id}/0"}]

    (stored,) = world.store_output(job.account_id, job.id, delivered)

    assert [extra.content_type for extra in stored.extras] == [media.JSON]
    assert world.store_output(job.account_id, job.id, delivered) == (stored,)


def test_more_files_than_anybody_needs_are_not_staged_and_one_that_is_gone_is_not_waited_for() -> None:
    routing = Routing()
    beside = tuple(ProviderOutput(url=f"https://files.example.com/{number}.png") for number in range(9))
    output = replace(made(b"picture").output, extras=beside)
    routing.upstreams["first"].script = [Done(output)]

    assert routing.run_all() == "done"

    assert len(routing.fetcher.fetched) == 4
