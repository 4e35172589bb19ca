"""Each step of a video by itself: what it does, that it does it once, and what stops it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shoal.domain.api_key import KeyPrefix
from shoal.domain.breaker import Breaker, Outcome
from shoal.domain.errors import (
    JobClosed,
    OutcomeUnknown,
    OutputInvalid,
    ProviderBusy,
    ProviderFailed,
    ProviderRejected,
    ProviderUnusable,
    ShoalError,
    Unavailable,
)
from shoal.domain.job import LOOK_AGAIN_MS, STEP_GRACE_MS, HoldState, Job, JobStatus, Step
from shoal.domain.money import Asset
from shoal.domain.provider import Pending
from shoal.domain.routing import WITHIN, Route
from shoal.domain.video import clip_key, final_key, narration_key, poster_key, preview_key
from shoal.ports.jobs import Look
from tests.fakes import made
from tests.fakes.videos import CLIP, CONFORMED
from tests.worlds.world import CLIP_DEADLINE_S, Customer, World

HOSTED = Route(provider="hosted", model="m")


def scripted(world: World, customer: Customer, **body: Any) -> Job:
    """A video whose scenes are written."""
    job = world.video(customer, **body)
    return world.write_script(job.account_id, job.id)


def rendered(world: World, customer: Customer, index: int = 0, clip: bytes = CLIP, **body: Any) -> Job:
    """A video of which one clip was delivered and not looked at yet."""
    job = scripted(world, customer, **body)
    world.staging.stage(job, index, clip)
    return job


def store(world: World, job: Job, index: int = 0) -> Any:
    return world.store_clip(job.account_id, job.id, index, {"key": f"{job.account_id}/{job.id}/{index}"})


def narrated(world: World, job: Job) -> dict[str, Any]:
    """What Narrate left, as the state machine hands it on."""
    return dict(json.loads(json.dumps(world.narrate(job.account_id, job.id))))


def closed(world: World, customer: Customer, job: Job) -> None:
    """Somebody cancels the video meanwhile."""
    world.cancel_job(customer.caller, job.id)


def test_the_script_makes_scenes_of_the_idea_and_opens_the_video(world: World, filmmaker: Customer) -> None:
    job = scripted(world, filmmaker, category="science", style="paper", language="de", seed=7)

    assert [scene.index for scene in world.scenes.of(job)] == [0, 1]
    assert world.writer.orders == [
        {"idea": "Why sharks glow", "category": "science", "style": "paper", "seed": 7}
    ]
    assert (job.status, set(job.steps)) == (JobStatus.PROCESSING, {Step.SCRIPT})
    assert world.bus.types() == ["job.created", "video.created", "job.processing"]


def test_without_a_seed_each_video_has_its_own_and_keeps_it(world: World, filmmaker: Customer) -> None:
    for _ in range(2):
        scripted(world, filmmaker)

    seeds = {order["seed"] for order in world.writer.orders}
    assert len(seeds) == 2


def test_a_script_written_twice_is_the_first_one(world: World, filmmaker: Customer) -> None:
    job = scripted(world, filmmaker)
    first = world.scenes.of(job)

    world.write_script(job.account_id, job.id)

    assert world.scenes.of(job) == first
    assert len(world.writer.orders) == 1


def test_of_two_writers_at_once_one_script_is_kept_whole(world: World, filmmaker: Customer) -> None:
    job = world.video(filmmaker)
    world.network.before("scenes.write", lambda: world.write_script(job.account_id, job.id))

    world.write_script(job.account_id, job.id)

    assert len(world.writer.orders) == 2
    assert {scene.prompt.partition(",")[0] for scene in world.scenes.of(job)} == {"Take 2"}


@pytest.mark.parametrize("prefix", [KeyPrefix.TEST, KeyPrefix.LIVE])
def test_a_test_key_never_reaches_a_hosted_writer_or_speaker(
    world: World, filmmaker: Customer, prefix: KeyPrefix
) -> None:
    customer = world.customer(prefix=prefix, credits=20)
    job = world.video(customer)
    world.tables.put(replace(job, provider="simulator" if prefix is KeyPrefix.TEST else "hosted"))

    replace(world.write_script, routes=lambda _: (HOSTED, WITHIN))(job.account_id, job.id)
    replace(world.narrate, routes=lambda _: (HOSTED, WITHIN))(job.account_id, job.id)

    expected = "embedded" if prefix is KeyPrefix.TEST else "hosted"
    assert (world.writers.asked, world.speakers.asked) == ([expected], [expected])


@pytest.mark.parametrize(
    "error", [ProviderBusy("429"), ProviderFailed("no"), ProviderUnusable("bad key"), OutcomeUnknown("lost")]
)
def test_a_hosted_writer_that_cannot_write_is_followed_by_the_next(
    world: World, filmmaker: Customer, error: ShoalError
) -> None:
    job = hosted(world, filmmaker)
    world.writer.failures = [error]

    replace(world.write_script, routes=lambda _: (HOSTED, WITHIN))(job.account_id, job.id)

    assert world.writers.asked == ["hosted", "embedded"]
    assert world.meter.exchanges == [("hosted/m", type(error).__name__), ("embedded/", "done")]
    assert [name for name, _ in world.breakers.noted] == ["hosted/m"]


def test_the_words_of_each_scene_cost_what_its_writer_and_speaker_take(
    world: World, filmmaker: Customer
) -> None:
    job = hosted(world, filmmaker)
    paid = HOSTED.model_copy(update={"cost_micros": 100})

    replace(world.write_script, routes=lambda _: (paid,))(job.account_id, job.id)
    replace(world.narrate, routes=lambda _: (paid,))(job.account_id, job.id)

    assert world.meter.deliveries == [("hosted/m", 200)] * 2


def test_a_story_that_a_writer_refuses_is_written_by_nobody(world: World, filmmaker: Customer) -> None:
    job = hosted(world, filmmaker)
    world.writer.failures = [ProviderRejected("Refused.")]

    with pytest.raises(ProviderRejected):
        replace(world.write_script, routes=lambda _: (HOSTED, WITHIN))(job.account_id, job.id)
    assert world.writers.asked == ["hosted"]
    assert world.breakers.noted[-1][1] is Outcome.SUCCESS, "a probe that is refused closes its breaker"


@pytest.mark.parametrize(
    ("error", "raised"), [(ProviderFailed("no"), ProviderFailed), (ProviderUnusable("key"), Unavailable)]
)
def test_without_another_writer_the_state_fails_or_is_tried_again(
    world: World, filmmaker: Customer, error: ShoalError, raised: type[ShoalError]
) -> None:
    job = hosted(world, filmmaker)
    world.writer.failures = [error]

    with pytest.raises(raised):
        replace(world.write_script, routes=lambda _: (HOSTED,))(job.account_id, job.id)


def test_a_writer_whose_breaker_is_open_is_passed_over(world: World, filmmaker: Customer) -> None:
    job = hosted(world, filmmaker)
    world.breakers.breakers[HOSTED.name] = Breaker(open_until_ms=world.clock.ms + 1)

    replace(world.write_script, routes=lambda _: (HOSTED, WITHIN))(job.account_id, job.id)

    assert world.writers.asked == ["embedded"]


def hosted(world: World, filmmaker: Customer) -> Job:
    """A video that may leave the stage."""
    return world.tables.put(replace(world.video(filmmaker), provider="hosted"))


@pytest.mark.parametrize(("voiceless", "speaks"), [(set[str](), "embedded"), ({"embedded"}, "simulator")])
def test_play_money_is_narrated_by_the_stage_itself_with_or_without_a_voice(
    world: World, voiceless: set[str], speaks: str
) -> None:
    job = world.video(world.customer(prefix=KeyPrefix.TEST, credits=20))
    world.speakers.missing |= voiceless

    replace(world.narrate, routes=lambda _: (HOSTED, WITHIN))(job.account_id, job.id)

    assert world.speakers.asked == [speaks]


def test_real_money_never_buys_the_tones_of_the_simulator(world: World, filmmaker: Customer) -> None:
    job = hosted(world, filmmaker)
    world.speakers.missing |= {"hosted", "embedded"}

    with pytest.raises(Unavailable):
        replace(world.narrate, routes=lambda _: (HOSTED, WITHIN))(job.account_id, job.id)
    assert world.speakers.asked == []


def test_the_narration_speaks_every_line_and_is_kept_twice(world: World, filmmaker: Customer) -> None:
    job = scripted(world, filmmaker, voice="maya", language="de")

    left = narrated(world, job)

    assert world.speaker.spoken == [
        ("Line 0, take 1.", "maya", "de"),
        ("Line 1, take 1.", "maya", "de"),
    ]
    assert world.staging.objects[left["key"]] == b"Line 0, take 1.|Line 1, take 1."
    assert world.video_files.objects[narration_key(job.id)][1] == "audio/mpeg"
    assert [line["text"] for line in left["lines"]] == ["Line 0, take 1.", "Line 1, take 1."]
    assert world.now(job).steps == {Step.SCRIPT, Step.NARRATION}


def test_a_scene_is_asked_for_by_its_own_prompt_with_the_ideas_markers(
    world: World, filmmaker: Customer
) -> None:
    job = scripted(world, filmmaker, idea="[poll] Sharks", aspect_ratio="16:9", seed=3)

    world.render_scene(job.account_id, job.id, 1, world.tokens.issue())

    (request,) = world.provider.started
    assert (request.brief.prompt, request.idea, request.index) == ("Take 1, scene 1", "[poll] Sharks", 1)
    assert (request.brief.width_px, request.brief.height_px, request.seconds) == (1280, 720, 8)
    assert (request.brief.model, request.brief.seed, request.idempotency_key) == ("clip", 3, f"{job.id}-1")


def test_a_scene_may_be_delivered_later_by_poll_or_callback(world: World, filmmaker: Customer) -> None:
    job = scripted(world, filmmaker)
    world.provider.script = [Pending("ref", 5), made(CLIP)]
    token = world.tokens.issue()

    assert world.render_scene(job.account_id, job.id, 1, token)[1] == "pending"
    assert world.poll_provider(Look(job.account_id, job.id, 1), "receipt") == "done"

    assert world.tokens.answers[token].output == {"output": {"key": f"{job.account_id}/{job.id}/1"}}


def test_a_provider_that_fails_fails_the_scenes_task(world: World, filmmaker: Customer) -> None:
    job = scripted(world, filmmaker)
    world.provider.script = [ProviderFailed("no luck")]
    token = world.tokens.issue()

    world.render_scene(job.account_id, job.id, 0, token)

    assert (world.tokens.answers[token].error, world.tokens.answers[token].cause) == (
        "ProviderFailed",
        "no luck",
    )


def test_each_step_gives_the_next_one_its_time(world: World, filmmaker: Customer) -> None:
    job = rendered(world, filmmaker)
    steps: list[tuple[int, Callable[[], object]]] = [
        (CLIP_DEADLINE_S * 1000 + STEP_GRACE_MS, lambda: world.narrate(job.account_id, job.id)),
        (LOOK_AGAIN_MS, lambda: world.render_scene(job.account_id, job.id, 0, world.tokens.issue())),
        (CLIP_DEADLINE_S * 1000 + STEP_GRACE_MS, lambda: store(world, job)),
    ]
    for time_ms, step in steps:
        world.clock.pass_seconds(100)
        step()
        assert world.now(job).deadline_at_ms == world.clock.ms + time_ms


def test_a_clip_that_fits_is_kept_as_it_came_and_told(world: World, filmmaker: Customer) -> None:
    job = rendered(world, filmmaker, index=1)

    event = store(world, job, 1)

    assert world.video_files.objects == {
        clip_key(job.id, 1): (CLIP, "video/mp4"),
        preview_key(job.id, 1): (b"preview of clip", "image/jpeg"),
    }
    assert world.network.calls.count("video_files.put") == 1, "the clip's bytes went from bucket to bucket"
    assert [scene.ready for scene in world.scenes.of(job)] == [False, True]
    assert (event.type, event.detail["data"]["index"]) == ("video.scene_ready", 1)
    world.clock.pass_seconds(5)
    assert store(world, job, 1) == event


def test_a_clip_that_does_not_fit_is_made_to(world: World, filmmaker: Customer) -> None:
    job = rendered(world, filmmaker, clip=b"another codec")

    store(world, job)

    assert world.video_files.objects[clip_key(job.id, 0)] == (CONFORMED, "video/mp4")


def test_burned_subtitles_are_the_scenes_line(world: World, filmmaker: Customer) -> None:
    job = rendered(world, filmmaker, subtitles="burned")

    store(world, job)

    assert world.video_files.objects[clip_key(job.id, 0)][0] == CONFORMED + b"Line 0, take 1."


@pytest.mark.parametrize("clip", [b"", b"junk", CLIP[:2]], ids=["empty", "junk", "truncated"])
def test_a_broken_clip_is_refused_and_not_kept(world: World, filmmaker: Customer, clip: bytes) -> None:
    job = rendered(world, filmmaker, clip=clip)

    with pytest.raises(OutputInvalid, match="readable clip"):
        store(world, job)

    assert world.video_files.objects == {}
    assert not world.scenes.of(job)[0].ready


def test_a_clip_that_is_gone_is_refused(world: World, filmmaker: Customer) -> None:
    with pytest.raises(OutputInvalid, match="gone"):
        store(world, scripted(world, filmmaker))


@pytest.mark.parametrize(
    ("subtitles", "shown"), [("none", b""), ("burned", b""), ("track", b"Line 0, take 1. / Line 1, take 1.")]
)
def test_the_video_is_clips_and_narration_with_a_track_if_wished(
    world: World, filmmaker: Customer, subtitles: str, shown: bytes
) -> None:
    job = rendered(world, filmmaker, subtitles=subtitles)
    left = narrated(world, job)
    world.staging.stage(job, 1, CLIP)
    for index in range(2):
        store(world, job, index)

    output = world.stitch_video(job.account_id, job.id, left)

    assert (output.key, output.content_type) == (final_key(job.id), "video/mp4")
    assert (output.width_px, output.height_px) == (720, 1280)
    final, _ = world.video_files.objects[final_key(job.id)]
    assert final.endswith(b"+Line 0, take 1.|Line 1, take 1.+" + shown)
    assert output.size_bytes == len(final)
    assert world.video_files.objects[poster_key(job.id)][1] == "image/jpeg"
    assert Step.STITCH in world.now(job).steps
    files = dict(world.video_files.objects)
    assert world.stitch_video(job.account_id, job.id, left) == output
    assert world.video_files.objects == files


def test_settling_takes_the_whole_price_and_counts_every_clip(world: World, filmmaker: Customer) -> None:
    job = rendered(world, filmmaker)
    left = narrated(world, job)
    world.staging.stage(job, 1, CLIP)
    for index in range(2):
        store(world, job, index)
    output = world.stitch_video(job.account_id, job.id, left)

    settled, events = world.settle_wallet(job.account_id, job.id, [output])

    assert (settled.cost, settled.hold_state) == (2, HoldState.CAPTURED)
    assert [event.type for event in events] == ["video.ready", "job.completed", "wallet.captured"]
    (used,) = world.summarize_usage(filmmaker.caller, None, None)
    assert (used.model, used.units, used.cost, used.requests) == ("video", 2, 2, 1)
    assert world.wallet(filmmaker, Asset.CREDIT).balance == 18


@pytest.mark.parametrize(
    "step",
    [
        lambda world, job: world.write_script(job.account_id, job.id),
        lambda world, job: world.narrate(job.account_id, job.id),
        lambda world, job: world.render_scene(job.account_id, job.id, 0, world.tokens.issue()),
        store,
        lambda world, job: world.stitch_video(job.account_id, job.id, {"key": "k", "lines": []}),
    ],
    ids=["WriteScript", "Narrate", "RenderScene", "StoreClip", "StitchVideo"],
)
def test_no_step_does_anything_for_a_video_that_is_closed(
    world: World, filmmaker: Customer, step: Any
) -> None:
    job = rendered(world, filmmaker)
    closed(world, filmmaker, job)
    spoken, started = list(world.speaker.spoken), list(world.provider.started)

    with pytest.raises(JobClosed):
        step(world, job)

    assert world.video_files.keys_of(job) == set()
    assert (world.speaker.spoken, world.provider.started) == (spoken, started)


def test_a_release_cleans_up_at_once_and_once_more_later(world: World, filmmaker: Customer) -> None:
    job = rendered(world, filmmaker)
    narrated(world, job)
    assert world.video_files.keys_of(job)

    world.release_hold(job.account_id, job.id, "ProviderFailed", "no luck")

    assert world.video_files.keys_of(job) == set()
    world.staging.stage(job, 1, CLIP)
    assert world.sweep_jobs() == {}
    world.clock.pass_seconds(15 * 60)
    assert world.sweep_jobs() == {"deleted": 1}
    assert world.video_files.keys_of(job) == set()
    world.clock.pass_seconds(3600)
    assert world.sweep_jobs() == {}


def test_a_cancel_cleans_up_at_once_and_once_more_later(world: World, filmmaker: Customer) -> None:
    job = rendered(world, filmmaker)

    closed(world, filmmaker, job)

    assert world.video_files.keys_of(job) == set()
    world.clock.pass_seconds(15 * 60)
    assert world.sweep_jobs() == {"deleted": 1}


def test_a_deletion_that_fails_is_repeated_but_not_announced_again(world: World, filmmaker: Customer) -> None:
    job = rendered(world, filmmaker)
    closed(world, filmmaker, job)
    world.clock.pass_seconds(15 * 60)
    world.network.fail("video_files.delete_of", Unavailable())
    assert world.sweep_jobs() == {"deferred": 1}
    world.network.heal()
    world.clock.pass_seconds(60)

    assert world.sweep_jobs() == {"deleted": 1}
    assert max(world.bus.ids("video.failed").values()) == 1


def test_a_ready_video_is_kept(world: World, filmmaker: Customer) -> None:
    job = rendered(world, filmmaker)
    narrated(world, job)
    store(world, job)
    world.settle_wallet(job.account_id, job.id, [])
    world.clock.pass_seconds(24 * 3600)

    assert world.sweep_jobs() == {}
    assert clip_key(job.id, 0) in world.video_files.objects


def test_a_ready_video_goes_when_its_request_said_so(world: World, filmmaker: Customer) -> None:
    job = rendered(world, filmmaker, ttl_seconds=3600)
    narrated(world, job)
    store(world, job)
    world.settle_wallet(job.account_id, job.id, [])
    world.clock.pass_seconds(3600)

    assert world.sweep_jobs() == {"deleted": 1}
    assert world.video_files.keys_of(job) == set()


def told(error: str, cause: str, scene: int | None = None) -> str:
    """A scene's failure as SceneFailed tells it."""
    return json.dumps({"scene": scene, "cause": cause}) if scene is not None else cause


@pytest.mark.parametrize(
    ("error", "cause", "code", "message", "scene"),
    [
        ("ProviderFailed", told("", "no luck", 1), "provider_failed", "no luck", 1),
        (
            "ProviderTimeout",
            told("", "", 0),
            "provider_timeout",
            f"Provider request timed out after {CLIP_DEADLINE_S}s.",
            0,
        ),
        (
            "OutputInvalid",
            told("", json.dumps({"errorMessage": "No clip.", "stackTrace": []}), 2),
            "output_invalid",
            "No clip.",
            2,
        ),
        ("KeyError", told("", "'secret'", 1), "internal_error", None, 1),
        ("StitchTimeout", "", "internal_error", None, None),
        ("ProviderRejected", json.dumps({"errorMessage": "Refused."}), "provider_rejected", "Refused.", None),
        ("ProviderFailed", "7", "provider_failed", "7", None),
    ],
)
def test_a_failure_is_told_in_public_words_with_its_scene(
    world: World,
    filmmaker: Customer,
    error: str,
    cause: str,
    code: str,
    message: str | None,
    scene: int | None,
) -> None:
    job = world.asked(scripted(world, filmmaker))

    world.release_hold(job.account_id, job.id, error, cause)

    failure = world.now(job).failure
    assert failure is not None
    assert (failure.code, failure.scene) == (code, scene)
    assert failure.message == (message or "The video could not be generated. No charge was applied.")
