"""render_video.asl.json run for real: clips come from a shelf, everything else is as it is deployed."""

from __future__ import annotations

from pathlib import Path

import pytest

from shoal.domain.job import Closer, JobFailure, JobStatus
from tests.support.deployed import Customer, eventually
from tests.support.videos import VideosClient
from tests.workflow.broken import DIES_ONCE, RAISES, closed_execution, deafen
from tests.workflow.machine import Json, cancel_unseen, function_of, states_of
from tests.workflow.videos import (
    CLOSED_BEFORE,
    CLOSED_BEFORE_RELEASING,
    FAILED,
    FAILED_UNHEARD,
    HAPPY,
    LEFT_IN,
    OPENED,
    READY,
    READY_UNHEARD,
    UNHEARD_AND_LOST,
    UNRELEASED,
    UNRENDERED,
    UNSPOKEN,
    UNSTITCHED,
    UNWRITTEN,
    Cutter,
)
from tests.workflow.walks import walked_from, ways_out_of

SCENES = 5
"""One more than are rendered at once."""


def test_a_video_of_n_scenes_takes_six_and_three_n_transitions(cutter: Cutter, filmmaker: Customer) -> None:
    machine = cutter.copy()
    job = cutter.deployed.accept_video(filmmaker, "Why sharks glow", SCENES)

    assert machine.run(job) == "SUCCEEDED"

    assert machine.path(job.id) == HAPPY
    assert machine.transitions(job.id) == 6 + 3 * SCENES
    ready = cutter.assert_ready(filmmaker, job.id)
    assert ready.closed_by is Closer.WORKFLOW
    assert cutter.events(job.id) == (READY, SCENES)
    assert VideosClient(filmmaker.client).video(job.id)["progress"] == 100


@pytest.mark.parametrize("index", range(SCENES))
def test_a_scene_that_fails_fails_the_video_and_refunds_all_of_it(
    cutter: Cutter, filmmaker: Customer, index: int
) -> None:
    machine = cutter.instant(broken=[index])
    job = cutter.deployed.accept_video(filmmaker, "Why sharks glow", SCENES)

    assert machine.run(job) == "SUCCEEDED"

    assert machine.path(job.id) == UNRENDERED
    cutter.clean(job)
    failed = cutter.assert_refunded(filmmaker, job.id, cleaned=True)
    assert failed.failure == JobFailure("provider_failed", "no luck", scene=index)
    types, told = cutter.events(job.id)
    assert types == FAILED
    assert told < SCENES
    scenes = VideosClient(filmmaker.client).video(job.id)["scenes"]
    assert [scene["status"] for scene in scenes].count("failed") == 1
    assert scenes[index]["status"] == "failed"


def test_scenes_that_have_not_started_when_one_fails_never_start(cutter: Cutter, filmmaker: Customer) -> None:
    machine = cutter.instant(broken=range(4))
    job = cutter.deployed.accept_video(filmmaker, "Why sharks glow", 15)

    assert machine.run(job) == "SUCCEEDED"

    assert machine.scenes_asked_for(job.id) <= 4
    cutter.assert_refunded(filmmaker, job.id)


@pytest.mark.parametrize("index", [0, 1])
def test_a_clip_that_is_no_good_fails_the_video(cutter: Cutter, filmmaker: Customer, index: int) -> None:
    breaks = f"if event['index'] == {index}: raise OutputInvalid('no clip')\n    return {{'events': []}}"
    source = f"class OutputInvalid(Exception): pass\ndef handler(event, context):\n    {breaks}"
    machine = cutter.with_function("StoreClip", source)
    job = cutter.deployed.accept_video(filmmaker, "Why sharks glow", 2)

    assert machine.run(job) == "SUCCEEDED"

    assert machine.path(job.id) == UNRENDERED
    cutter.clean(job)
    assert cutter.assert_refunded(filmmaker, job.id, cleaned=True).failure == JobFailure(
        "output_invalid", "no clip", index
    )


@pytest.mark.parametrize(
    ("state", "path"),
    [
        ("WriteScript", UNWRITTEN),
        ("Narrate", UNSPOKEN),
        ("RenderScene", UNRENDERED),
        ("StoreClip", UNRENDERED),
        ("StitchVideo", UNSTITCHED),
    ],
)
def test_what_is_refused_in_any_state_is_refunded_once(
    cutter: Cutter, filmmaker: Customer, state: str, path: tuple[str, ...]
) -> None:
    machine = cutter.with_function(state, RAISES.format(error="OutputInvalid"))
    job = cutter.deployed.accept_video(filmmaker, "Why sharks glow", 1)

    assert machine.run(job) == "SUCCEEDED"

    assert machine.path(job.id) == path
    failure = cutter.assert_refunded(filmmaker, job.id).failure
    assert failure is not None
    assert failure.code == "output_invalid"
    assert "video.failed" in cutter.events(job.id)[0]


@pytest.mark.parametrize(
    ("state", "within"),
    [
        ("WriteScript", "WriteScript"),
        ("Narrate", "Narrate"),
        ("RenderScene", "RenderScenes"),
        ("StoreClip", "RenderScenes"),
        ("StitchVideo", "StitchVideo"),
        ("SettleWallet", "SettleWallet"),
    ],
)
def test_what_fails_in_any_state_is_done_by_the_next_execution(
    cutter: Cutter, filmmaker: Customer, state: str, within: str
) -> None:
    machine = cutter.with_function(state, RAISES.format(error="Unavailable"))
    job = cutter.deployed.accept_video(filmmaker, "Why sharks glow", 1)

    assert machine.run(job) == "FAILED"

    assert machine.path(job.id) == LEFT_IN[within]
    cutter.deployed.invoke("close-execution", closed_execution(job))
    assert cutter.machine.end(cutter.deployed.job(filmmaker, job.id).execution) == "SUCCEEDED"
    cutter.assert_ready(filmmaker, job.id)
    assert set(cutter.events(job.id)[0]) == set(READY)
    ours = [event["detail"] for event in cutter.deployed.bus.of(job.id) if "id" in event["detail"]]
    ids = {detail["id"] for detail in ours}  # a stand-in for StoreClip tells of its scenes without any
    assert len(ids) == len(READY) + 1, "a repeated event keeps its id"


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        ("ProviderRejected", "provider_rejected", "KeyError: 'arn:aws:dynamodb'"),
        ("ProviderFailed", "provider_failed", "KeyError: 'arn:aws:dynamodb'"),
        ("OutputInvalid", "output_invalid", "KeyError: 'arn:aws:dynamodb'"),
    ],
)
def test_a_script_writer_or_speaker_is_told_like_any_provider(
    cutter: Cutter, filmmaker: Customer, error: str, code: str, message: str
) -> None:
    machine = cutter.with_function("Narrate", RAISES.format(error=error))
    job = cutter.deployed.accept_video(filmmaker, "Why sharks glow", 1)

    assert machine.run(job) == "SUCCEEDED"

    assert cutter.assert_refunded(filmmaker, job.id).failure == JobFailure(code, message)


def test_workers_that_are_killed_once_in_every_state_cost_nobody_a_video(
    cutter: Cutter, filmmaker: Customer, tmp_path: Path
) -> None:
    machine = cutter.machine
    for state in ("WriteScript", "Narrate", "RenderScene", "StoreClip", "StitchVideo", "SettleWallet"):
        (tmp_path / state).mkdir()
        function = function_of(states_of(machine.definition())[state])
        source = DIES_ONCE.format(folder=tmp_path / state, works=False, function=function)
        machine = cutter.with_function(state, source, machine)
    job = cutter.deployed.accept_video(filmmaker, "Why sharks glow", 1)

    assert machine.run(job) == "SUCCEEDED"

    assert machine.path(job.id) == HAPPY
    assert [file.name for file in tmp_path.glob("*/*")] == [job.id] * 6
    cutter.assert_ready(filmmaker, job.id)


def test_a_video_that_got_nothing_by_its_deadline_blames_nobody_who_was_not_asked(
    cutter: Cutter, filmmaker: Customer
) -> None:
    source = "def handler(event, context): return {}"
    machine = cutter.with_function("RenderScene", source, TimeoutSeconds=1)
    job = cutter.deployed.accept_video(filmmaker, "Why sharks glow", 2)

    assert machine.run(job) == "FAILED"

    assert machine.path(job.id) == LEFT_IN["RenderScenes"]
    cutter.deployed.make_due(job)
    cutter.deployed.sweep()
    told = "No provider could be asked in time. No charge was applied."
    assert cutter.assert_refunded(filmmaker, job.id).failure == JobFailure("expired", told)


@pytest.mark.parametrize(
    "state", ["WriteScript", "Narrate", "RenderScene", "StoreClip", "StitchVideo", "SettleWallet"]
)
def test_a_cancel_in_any_state_gives_everything_back_once(
    cutter: Cutter, filmmaker: Customer, state: str
) -> None:
    machine = cutter.canceling(state, filmmaker)
    job = cutter.deployed.accept_video(filmmaker, "Why sharks glow", 2)

    ended = machine.run(job)

    assert ended in ("SUCCEEDED", "ABORTED")
    cutter.clean(job)
    canceled = cutter.assert_refunded(filmmaker, job.id, cleaned=True)
    assert (canceled.status, canceled.closed_by) == (JobStatus.CANCELED, Closer.CANCEL)
    types, _ = cutter.events(job.id)
    assert types.count("video.failed") == types.count("job.failed") == 1
    assert "video.ready" not in types


def test_a_cancel_while_a_provider_is_waited_for_stops_the_execution(
    cutter: Cutter, filmmaker: Customer
) -> None:
    videos = VideosClient(filmmaker.client)
    video_id = videos.submit("[timeout] Why sharks glow", 2)
    eventually(lambda: len(cutter.deployed.job(filmmaker, video_id).provider_refs) == 2)

    assert videos.cancel(video_id).status_code == 200

    assert cutter.machine.end(video_id) == "ABORTED"
    cutter.assert_refunded(filmmaker, video_id)
    assert videos.cancel(video_id).status_code == 409
    assert cutter.events(video_id) == (FAILED, 0)


@pytest.mark.parametrize("state", CLOSED_BEFORE)
def test_a_video_closed_elsewhere_is_left_alone(cutter: Cutter, filmmaker: Customer, state: str) -> None:
    """The cancel's sender died before it announced or stopped anything: the workflow finds out by itself."""
    machine = cutter.with_function(state, RAISES.format(error="JobClosed"))
    job = cutter.deployed.accept_video(filmmaker, "Why sharks glow", 1)

    assert machine.run(job) == "SUCCEEDED"

    assert machine.path(job.id) == CLOSED_BEFORE[state]
    assert not {"video.ready", "video.failed"} & set(cutter.events(job.id)[0])


def test_a_failure_after_a_cancel_changes_nothing(cutter: Cutter, filmmaker: Customer) -> None:
    job = cutter.deployed.accept_video(filmmaker, "Why sharks glow [timeout]", 1)
    cutter.machine.start(job)
    begun = eventually(lambda: job_ if (job_ := cutter.deployed.job(filmmaker, job.id)).task_tokens else None)
    canceled = cancel_unseen(cutter.deployed, begun)

    cutter.workshop.refuse(begun, "ProviderFailed", "too late")

    assert cutter.machine.end(job.id) == "SUCCEEDED"
    assert cutter.machine.path(job.id) == CLOSED_BEFORE_RELEASING
    assert cutter.deployed.job(filmmaker, job.id).failure == canceled.failure
    assert cutter.events(job.id) == (OPENED, 0)


def test_a_hold_the_workflow_cannot_release_is_left_to_the_sweeper(
    cutter: Cutter, filmmaker: Customer
) -> None:
    source = RAISES.format(error="KeyError")
    machine = cutter.with_function("ReleaseHold", source, of=cutter.instant(broken=[0]))
    job = cutter.deployed.accept_video(filmmaker, "Why sharks glow", 1)

    assert machine.run(job) == "FAILED"

    assert machine.path(job.id) == UNRELEASED
    cutter.deployed.make_due(job)
    cutter.deployed.sweep()
    cutter.assert_refunded(filmmaker, job.id)
    assert cutter.events(job.id)[0] == FAILED


@pytest.mark.parametrize(
    ("state", "broken", "path", "types"),
    [
        ("PublishReady", [], READY_UNHEARD, READY),
        ("PublishFailed", [0], FAILED_UNHEARD, FAILED),
    ],
    ids=["ready", "failed"],
)
def test_an_end_the_bus_refuses_is_announced_later(
    cutter: Cutter,
    filmmaker: Customer,
    state: str,
    broken: list[int],
    path: tuple[str, ...],
    types: list[str],
) -> None:
    machine = cutter.instant(broken=broken).copy(deafen(state))
    job = cutter.deployed.accept_video(filmmaker, "Why sharks glow", 1)

    assert machine.run(job) == "SUCCEEDED"

    assert machine.path(job.id) == path
    assert cutter.events(job.id)[0] == OPENED
    for _ in range(2):
        cutter.deployed.sweep()
        assert cutter.events(job.id)[0] == types, "announced once"


def test_a_scene_the_bus_refuses_to_tell_of_does_not_fail_the_video(
    cutter: Cutter, filmmaker: Customer
) -> None:
    def tamper(definition: Json) -> None:
        scene = definition["States"]["RenderScenes"]["ItemProcessor"]
        deafen("PublishSceneReady")(scene)

    machine = cutter.instant().copy(tamper)
    job = cutter.deployed.accept_video(filmmaker, "Why sharks glow", 1)

    assert machine.run(job) == "SUCCEEDED"

    assert cutter.deployed.job(filmmaker, job.id).status is JobStatus.COMPLETED
    assert cutter.events(job.id) == (READY, 0)


def test_an_execution_that_can_neither_announce_nor_ask_for_it_fails(
    cutter: Cutter, filmmaker: Customer
) -> None:
    def tamper(definition: Json) -> None:
        deafen("PublishReady")(definition)
        definition["States"]["AnnounceLater"]["Arguments"]["TableName"] = "no-such-table"

    machine = cutter.instant().copy(tamper)
    job = cutter.deployed.accept_video(filmmaker, "Why sharks glow", 1)

    assert machine.run(job) == "FAILED"

    assert machine.path(job.id) == UNHEARD_AND_LOST


def test_every_transition_is_walked_by_a_test() -> None:
    assert walked_from("WriteScript") == ways_out_of("render_video")
