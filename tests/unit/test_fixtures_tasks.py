"""What earlier versions' state machines and queues hand over is taken by today's functions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shoal.adapters.aws.stepfunctions import machine_of
from shoal.domain.job import Job, JobFailure, JobStatus, Output
from shoal.domain.provider import Pending
from shoal.domain.video import final_key
from tests.fakes.videos import CLIP
from tests.fixtures.files import Json, load, versions
from tests.support.events import batch
from tests.support.handlers import given
from tests.workflow.machine import execution_input
from tests.worlds.world import Customer, World

VERSIONS = versions()
TASK = {"model": "nanobanana", "prompt": "A shark"}
BODIES: dict[str, Json] = {
    "generate.job": {"mode": "1k", "prompt": "A shark"},
    "generate.gen": TASK,
    "generate_batch.gen": TASK | {"num_outputs": 3},
    "render_video.vid": {"duration": 16},
}
"""A request whose job takes the machine, and has the prefix in its id."""
MACHINES = ("generate", "generate_batch", "render_video")

FAILURES = {
    "generate.ReleaseHold.OutputInvalid": JobFailure(
        "output_invalid", "The provider's output ends before its end: the file is cut off."
    ),
    "generate.ReleaseHold.ProviderFailed": JobFailure(
        "provider_failed", "The provider failed to generate the image."
    ),
    "generate.ReleaseHold.ProviderRejected": JobFailure(
        "provider_rejected", "The prompt was refused by content moderation."
    ),
    "generate.ReleaseHold.States.Timeout": JobFailure(
        "provider_timeout", "Provider request timed out after 180s."
    ),
    "generate_batch.ReleaseHold.ProviderFailed": JobFailure(
        "provider_failed", "The provider failed to generate the image."
    ),
    "render_video.ReleaseHold.ProviderFailed": JobFailure(
        "provider_failed", "The provider failed to generate the clip.", scene=1
    ),
}
"""What becomes of an error that a machine has caught."""


class Revived:
    """A job with the ids of a recorded payload, in a world of fakes, and that world."""

    def __init__(self, world: World, patch: pytest.MonkeyPatch, machine: str, recorded: Json) -> None:
        self.world, self.recorded = world, recorded
        self.customer = self._with_recorded_ids(patch, machine)
        self.id: str = recorded["job_id"]

    def _with_recorded_ids(self, patch: pytest.MonkeyPatch, machine: str) -> Customer:
        world, recorded, new = self.world, self.recorded, self.world.ids.new
        prefix = recorded["job_id"].partition("_")[0]
        known = {"acc": recorded["account_id"], prefix: recorded["job_id"]}
        patch.setattr(world.ids, "new", lambda kind, at_ms: known.get(kind) or new(kind, at_ms))
        customer, body = world.customer(credits=20), BODIES[f"{machine}.{prefix}"]
        if machine == "render_video":
            world.submit_video(customer, **body)
        else:
            world.submit_body(customer, body, None)
        assert customer.account_id == recorded["account_id"]
        return customer

    @property
    def job(self) -> Job:
        return self.world.job(self.customer, self.id)

    def run(self, verb: str) -> Json:
        """What the state's function makes of the recorded payload, as Step Functions sees it."""
        handler = given(verb, getattr(self.world, verb))
        result: Json = json.loads(json.dumps(handler(self.recorded, None), allow_nan=False))
        return result

    def begin(self, *indexes: int) -> None:
        """The providers of these outputs are at work."""
        for index in indexes:
            token = self.world.tokens.issue()
            self.world.jobs.begin(self.customer.account_id, self.id, index, token, self.world.clock.ms)

    def script(self) -> None:
        """The video is written and spoken."""
        self.world.write_script(self.customer.account_id, self.id)
        self.world.narrate(self.customer.account_id, self.id)


def shape(value: Any) -> Any:
    """The names of all fields, whatever stands in them."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value).__name__


def told_of_jobs(result: Json) -> list[str]:
    """The types of what the machine publishes of jobs, those that came before again where that is uncertain.

    What is told of wallets came after 0.1.
    """
    types: list[str] = [each["DetailType"] for each in result["events"]]
    return [each for each in types if not each.startswith("wallet.")]


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def revived(world: World, patch: pytest.MonkeyPatch, version: str, name: str) -> Revived:
    return Revived(world, patch, name.partition(".")[0], load(version, "tasks")[name])


def test_every_recorded_payload_is_taken_by_a_test_of_this_file(version: str) -> None:
    of_outputs = {
        f"{machine}.{state}"
        for machine in ("generate", "generate_batch")
        for state in ("CallProvider", "StoreOutput", "SettleWallet")
    }
    of_videos = {
        f"render_video.{state}"
        for state in ("WriteScript", "Narrate", "RenderScene", "StoreClip", "StitchVideo", "SettleWallet")
    }
    assert set(load(version, "tasks")) == of_outputs | of_videos | set(FAILURES)


@pytest.mark.parametrize("machine", ["generate", "generate_batch"])
def test_a_provider_is_called_and_answers_as_before(
    world: World, monkeypatch: pytest.MonkeyPatch, version: str, machine: str
) -> None:
    job = revived(world, monkeypatch, version, f"{machine}.CallProvider")
    token = job.recorded["task_token"]
    world.tokens.waiting.add(token)

    result = job.run("call_provider")

    assert shape(result) == shape(load(version, "results")[f"{machine}.CallProvider"])
    answered, recorded = world.tokens.answers[token].output, load(version, "answers")[machine]
    assert shape(answered) == shape(recorded)
    index = job.recorded["index"]
    assert answered == {"output": {"key": f"{job.customer.account_id}/{job.id}/{index}"}}


@pytest.mark.parametrize("machine", ["generate", "generate_batch"])
def test_delivered_outputs_are_stored(
    world: World, monkeypatch: pytest.MonkeyPatch, version: str, machine: str
) -> None:
    job = revived(world, monkeypatch, version, f"{machine}.StoreOutput")
    delivered = [index for index, each in enumerate(job.recorded["outputs"]) if "key" in each]
    job.begin(*delivered)
    for index in delivered:
        assert world.staging.stage(job.job, index, b"picture") == job.recorded["outputs"][index]["key"]

    result = job.run("store_output")

    assert shape(result) == shape(load(version, "results")[f"{machine}.StoreOutput"])
    assert delivered == {"generate": [0], "generate_batch": [1, 2]}[machine]
    assert [each["key"].rpartition("/")[2][0] for each in result["outputs"]] == [str(n) for n in delivered]


@pytest.mark.parametrize(
    ("machine", "cost"), [("generate", 10_000), ("generate_batch", 20_000), ("render_video", 2)]
)
def test_stored_outputs_are_settled(
    world: World, monkeypatch: pytest.MonkeyPatch, version: str, machine: str, cost: int
) -> None:
    job = revived(world, monkeypatch, version, f"{machine}.SettleWallet")
    job.begin(0)

    result = job.run("settle_wallet")

    assert (job.job.status, job.job.cost) == (JobStatus.COMPLETED, cost)
    assert [output.told() for output in job.job.outputs] == job.recorded["outputs"]
    recorded = load(version, "results")[f"{machine}.SettleWallet"]["events"]
    assert told_of_jobs(result)[-len(recorded) :] == [each["DetailType"] for each in recorded]


@pytest.mark.parametrize(("name", "failure"), FAILURES.items())
def test_a_caught_error_fails_the_job_with_its_reason(
    world: World, monkeypatch: pytest.MonkeyPatch, version: str, name: str, failure: JobFailure
) -> None:
    job = revived(world, monkeypatch, version, name)
    job.begin(0)
    world.asked(job.job)

    result = job.run("release_hold")

    assert (job.job.status, job.job.failure) == (JobStatus.FAILED, failure)
    assert world.wallet(job.customer).held == 0
    recorded = load(version, "results")[".".join(name.split(".")[:2])]["events"]
    assert told_of_jobs(result)[-len(recorded) :] == [each["DetailType"] for each in recorded]


def test_a_video_is_written_and_spoken(world: World, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    written = revived(world, monkeypatch, version, "render_video.WriteScript")
    assert shape(written.run("write_script")) == {"scenes": "int"}
    assert len(world.scenes.of(written.job)) == 2

    again = World()
    spoken = revived(again, monkeypatch, version, "render_video.Narrate")
    again.write_script(spoken.customer.account_id, spoken.id)
    narration, recorded = spoken.run("narrate"), load(version, "results")["render_video.Narrate"]
    assert narration["narration"].keys() == recorded["narration"].keys()
    assert narration["narration"]["key"].rpartition("/")[2] == recorded["narration"]["key"].rpartition("/")[2]


def test_a_scene_is_rendered_and_its_clip_stored(
    world: World, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    job = revived(world, monkeypatch, version, "render_video.RenderScene")
    job.script()
    world.tokens.waiting.add(job.recorded["task_token"])
    assert shape(job.run("render_scene")) == shape(load(version, "results")["render_video.RenderScene"])
    assert shape(world.tokens.answers[job.recorded["task_token"]].output) == shape(
        load(version, "answers")["render_video"]
    )

    again = World()
    stored = revived(again, monkeypatch, version, "render_video.StoreClip")
    stored.script()
    index = stored.recorded["index"]
    assert again.staging.stage(stored.job, index, CLIP) == stored.recorded["output"]["key"]
    (event,) = stored.run("store_clip")["events"]
    assert (event["DetailType"], event["Detail"]["data"]["index"]) == ("video.scene_ready", index)
    assert again.scenes.of(stored.job)[index].ready


def test_clips_and_recorded_narration_become_one_file(
    world: World, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    job = revived(world, monkeypatch, version, "render_video.StitchVideo")
    job.script()
    for index in range(2):
        key = world.staging.stage(job.job, index, CLIP)
        world.store_clip(job.customer.account_id, job.id, index, {"key": key})
    world.staging.put_input(job.recorded["narration"]["key"], b"narration")

    (output,) = job.run("stitch_video")["outputs"]

    assert Output(**output).key == final_key(job.id)
    assert shape([output]) == shape(load(version, "results")["render_video.StitchVideo"]["outputs"])


def test_executions_are_started_with_what_they_were_started_with(
    world: World, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    for machine, recorded in load(version, "executions").items():
        job = Revived(World(), monkeypatch, machine, recorded).job
        assert machine_of(job).replace("-", "_") == machine
        assert execution_input(job).keys() - {"simulated"} == recorded.keys(), "which came after 0.1"
        assert (recorded["account_id"], recorded["job_id"]) == (job.account_id, job.id)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_recorded_status_change_starts_another_execution(
    world: World, monkeypatch: pytest.MonkeyPatch, version: str, machine: str
) -> None:
    message = load(version, "messages")[f"close_execution.{machine}.aborted"]
    job = Revived(world, monkeypatch, machine, json.loads(message["detail"]["input"]))
    job.begin(0)

    close_execution = given("close_execution", world.close_execution)
    answer = close_execution(batch("sqs_closed_executions", [message]), None)

    assert answer == {"batchItemFailures": []}
    assert [started.execution for started in world.workflow.started] == [job.id, f"{job.id}-1"]


@pytest.mark.parametrize(("kind", "messages"), [("again", 1), ("once", 0)])
def test_a_recorded_order_to_poll_asks_the_provider(
    world: World, monkeypatch: pytest.MonkeyPatch, version: str, kind: str, messages: int
) -> None:
    message = load(version, "messages")[f"poll_provider.{kind}"]
    machine = dict(zip(("job", "gen", "vid"), MACHINES, strict=True))[message["job_id"][:3]]
    job = Revived(world, monkeypatch, machine, message)
    if machine == "render_video":
        job.script()
    job.begin(message["index"])
    world.asked(job.job, "ref-1", message["index"])
    world.provider.script = [Pending("ref-1", 2)]

    poll_provider = given("poll_provider", world.poll_provider)
    answer = poll_provider(batch("sqs_poll_queue", [message]), None)

    assert answer == {"batchItemFailures": []}
    assert world.network.calls.count("provider.check") == 1
    assert len(world.poll_queue.messages) == messages
