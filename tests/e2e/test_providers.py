"""Whole jobs through the deployed stack and each provider: submit, provider, S3, settled, told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import requests

from shoal.domain.api_key import KeyPrefix
from shoal.domain.job import Job, JobStatus
from shoal.domain.money import Asset
from shoal.media.clip import render_clip
from tests.fakes.providers.media import png
from tests.fakes.providers.server import FakeProvider, Fault, Told, instead, lost, telling
from tests.support.client import Json
from tests.support.deployed import Customer, eventually
from tests.support.tasks import TasksClient
from tests.support.upstreams import DEADLINE_S, Upstreams, upstreams
from tests.support.videos import VideosClient

GATEWAY = Told(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"})
TOLD = ["job.completed", "job.created", "job.processing", "task.completed", "wallet.captured"]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstreams]:
    with upstreams(tmp_path_factory.mktemp("upstreams")) as started:
        yield started


@dataclass(frozen=True)
class Asked:
    """A task that was submitted, and who submitted it."""

    stage: Upstreams
    customer: Customer
    id: str

    def wait(self) -> Json:
        return TasksClient(self.customer.client).wait(self.id)

    def job(self) -> Job:
        return self.stage.deployed.job(self.customer, self.id)

    def referred(self) -> Job:
        """The job once the provider has given its work a name."""
        return eventually(lambda: job if (job := self.job()).provider_refs else None)


def ask(stage: Upstreams, model: str, prompt: str = "a red fox") -> Asked:
    customer = stage.deployed.customer()
    return Asked(stage, customer, TasksClient(customer.client).submit(prompt, model=model))


def check_completed(asked: Asked, provider: str) -> Job:
    """The picture is there to be fetched, it was paid once, its events are out, and they say who made it."""
    task = asked.wait()
    assert (task["status"], task["error"]) == ("completed", None)
    job = asked.job()
    assert job.calls[0].provider == provider
    answer = requests.get(task["output"]["url"], timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
    assert "127.0.0.1" not in json.dumps(task), "no address of a provider's is handed on"
    wallet = asked.stage.deployed.wallet(asked.customer)
    assert (wallet.balance, wallet.held) == (10_000_000 - job.submission.unit_price, 0)
    # A job is completed a moment before anybody is told.
    told = partial(asked.stage.deployed.bus.types_of, asked.id)
    eventually(lambda: len(told()) >= len(TOLD))
    assert told() == TOLD
    return job


def begun(fake: FakeProvider) -> int:
    """How often the fake was asked to begin something."""
    return sum(asked.method == "POST" for asked in fake.requests)


def submits(stage: Upstreams, task_id: str) -> int:
    """How often Replicate was asked for a task: each submit carries the task's callback address."""
    return sum(task_id.encode() in asked.body for asked in stage.replicate.requests if asked.method == "POST")


@dataclass(frozen=True)
class Early:
    """Tasks that take their time whatever is done meanwhile: all are submitted before the first test."""

    unanswered: tuple[Asked, ...]
    polled: tuple[tuple[Asked, str], ...]


def without_answer(stage: Upstreams, fault: Fault) -> Asked:
    """A task whose submit reached Replicate without an answer that says so."""
    stage.replicate.will(fault)
    asked = ask(stage, "flux-schnell")
    eventually(lambda: submits(stage, asked.id))
    return asked


@pytest.fixture(scope="module")
def early(stage: Upstreams) -> Early:
    unanswered = tuple(without_answer(stage, fault) for fault in (lost(), instead(GATEWAY)))
    return Early(unanswered, ((ask(stage, "flux"), "fal"), (ask(stage, "flux-schnell"), "replicate")))


@pytest.mark.parametrize(
    ("model", "provider"), [("gpt-image", "openai"), ("nanobanana", "gemini"), ("stable-image", "stability")]
)
def test_a_picture_that_comes_at_once(stage: Upstreams, early: Early, model: str, provider: str) -> None:
    job = check_completed(ask(stage, model), provider)

    assert job.calls[0].number == 1


def test_pictures_that_are_polled_for(early: Early) -> None:
    for each, provider in early.polled:
        job = check_completed(each, provider)
        assert job.callbacks == frozenset()


@contextmanager
def unserved(stage: Upstreams, function: str) -> Iterator[None]:
    """The queue before a function is not read from, as if what is in it took all that may run at once."""
    functions = stage.deployed.cloud.client("lambda")
    named = f"shoal-local-{function}"
    (source,) = functions.list_event_source_mappings(FunctionName=named)["EventSourceMappings"]

    def read(*, enabled: bool) -> None:
        functions.update_event_source_mapping(UUID=source["UUID"], Enabled=enabled)

    read(enabled=False)
    try:
        yield
    finally:
        read(enabled=True)


def test_a_live_picture_is_polled_for_while_play_money_waits_for_its_own_polls(stage: Upstreams) -> None:
    customer = stage.deployed.customer()
    live = TasksClient(customer.client)
    play = TasksClient(stage.deployed.key_of(customer.account_id, prefix=KeyPrefix.TEST)[1])
    with unserved(stage, "poll-simulated"):
        played = [play.submit("[poll] foxes", num_outputs=4) for _ in range(3)]
        eventually(lambda: {play.task(each)["status"] for each in played} == {"processing"})

        assert live.wait(live.submit("a fox", model="flux"))["status"] == "completed"

        assert {play.task(each)["status"] for each in played} == {"processing"}
    assert {play.wait(each)["status"] for each in played} == {"completed"}


def completed_by_callback(stage: Upstreams, model: str, provider: str) -> bool:
    """Whether the callback was accepted: while a function starts, the poll after 10 s may be the first."""
    return len(check_completed(ask(stage, model), provider).callbacks) == 1


def test_pictures_that_are_called_back_for(stage: Upstreams) -> None:
    stage.fal._calls_back = stage.replicate._calls_back = True
    try:
        for model, provider in (("flux", "fal"), ("flux-schnell", "replicate")):
            eventually(partial(completed_by_callback, stage, model, provider), seconds_max=120)
    finally:
        stage.fal._calls_back = stage.replicate._calls_back = False


def test_a_job_survives_that_its_first_provider_is_down(stage: Upstreams) -> None:
    down = instead(
        telling({"id": "1", "name": "internal_error", "errors": ["down"]}, 503, {"Retry-After": "1"})
    )
    stage.stability.will(*[down] * 3)

    job = check_completed(ask(stage, "stable-image"), "bedrock")

    assert job.calls[0].number == 2


def passed_over(stage: Upstreams) -> bool:
    """Whether a job is given to the second provider without asking the first: functions look every 10 s."""
    asked = ask(stage, "stable-image")
    asked.wait()
    call = asked.job().calls[0]
    return (call.number, call.provider) == (1, "bedrock")


def test_a_key_that_was_revoked_costs_the_caller_nothing(stage: Upstreams) -> None:
    refused = telling({"id": "1", "name": "unauthorized", "errors": ["bad key"]}, 401)
    stage.stability.will(instead(refused))

    check_completed(ask(stage, "stable-image"), "bedrock")

    route = eventually(
        lambda: found if (found := stage.status("stability/core"))["breaker"] == "open" else None
    )
    assert "401" in route["reason"]
    assert stage.stability.key not in str(route)
    eventually(lambda: passed_over(stage))
    stage.shoal("providers", "set-key", "stability", stdin=stage.stability.key)
    assert stage.status("stability/core")["breaker"] == "closed"


def test_a_prompt_the_provider_refuses_fails_plainly_and_asks_nobody_else(stage: Upstreams) -> None:
    before = begun(stage.openai)

    asked = ask(stage, "gpt-image", "forbidden things")
    task = asked.wait()

    assert task["status"] == "failed"
    assert task["error"] == {
        "code": "provider_rejected",
        "message": "The request was refused by content moderation.",
    }
    assert begun(stage.openai) == before + 1
    assert stage.deployed.wallet(asked.customer).balance == 10_000_000
    assert stage.status("openai/gpt-image-2")["breaker"] == "closed"


def test_a_submit_whose_reply_was_lost_is_not_sent_again(stage: Upstreams, early: Early) -> None:
    for asked in early.unanswered:
        task = asked.wait()

        assert (task["status"], task["error"]["message"]) == (
            "failed",
            f"Provider request timed out after {DEADLINE_S}s.",
        )
        assert submits(stage, asked.id) == 1
        assert stage.deployed.wallet(asked.customer).held == 0


def test_a_callback_resolves_a_submit_whose_reply_was_lost(stage: Upstreams) -> None:
    stage.replicate._calls_back = True
    stage.replicate.will(lost())
    try:
        asked = ask(stage, "flux-schnell")
        check_completed(asked, "replicate")
    finally:
        stage.replicate._calls_back = False
    assert submits(stage, asked.id) == 1


def test_a_forged_a_late_and_a_repeated_callback_change_nothing(stage: Upstreams) -> None:
    stage.fal.states = ("IN_QUEUE",)
    asked = ask(stage, "flux")
    job = asked.referred()
    request_id, address = list(stage.fal.submitted.items())[-1]
    genuine, body = stage.fal.callback(request_id)
    old, _ = stage.fal.callback(request_id, at_s=int(genuine["x-fal-webhook-timestamp"]) - 301)

    def call(headers: dict[str, str], url: str = address, data: bytes = body) -> int:
        sent = headers | {"Content-Type": "application/json"}
        return requests.post(url, data=data, headers=sent, timeout=20).status_code

    forged = genuine | {"x-fal-webhook-signature": "00" * 64}
    astray = address[:-1] + ("1" if address.endswith("0") else "0")
    refused = [call(forged), call(old), call(genuine, data=body + b" "), call(genuine, astray)]
    assert refused == [404] * 4
    assert asked.job() == job
    assert [call(genuine), call(genuine)] == [204, 204]
    accepted = asked.job()
    assert (len(accepted.callbacks), accepted.calls, accepted.provider_refs) == (
        1,
        job.calls,
        job.provider_refs,
    )
    stage.fal.states = ("COMPLETED",)
    check_completed(asked, "fal")
    done = asked.job()
    assert call(genuine) == 204
    assert asked.job() == done
    assert done.status is JobStatus.COMPLETED


def test_a_video_whose_every_part_is_a_providers(stage: Upstreams, tmp_path: Path) -> None:
    """Script by OpenAI, speech by Polly, the clip by Luma on Bedrock, which writes it into our own bucket."""
    clip = tmp_path / "clip.mp4"
    render_clip(png(1080, 1920), clip, width_px=720, height_px=1280, seed=1)
    s3 = stage.deployed.cloud.client("s3")

    def store(address: str, _stub: bytes) -> None:
        bucket, _, key = address.removeprefix("s3://").partition("/")
        s3.put_object(Bucket=bucket, Key=key, Body=clip.read_bytes())

    stage.bedrock._store, stage.bedrock.checks_until_done = store, 1
    spoken = len(stage.polly.requests)
    customer = stage.deployed.customer(credits=20)
    videos = VideosClient(customer.client)

    video_id = videos.submit("Why sharks glow")
    video = videos.wait(video_id)

    assert (video["status"], video["error"]) == ("ready", None)
    assert requests.get(video["final_video_url"], timeout=10).status_code == 200
    job = stage.deployed.job(customer, video_id)
    assert job.calls[0].route == "bedrock-video/luma.ray-v2:0"
    assert "/v1/responses" in {asked.path for asked in stage.openai.requests}
    assert len(stage.polly.requests) > spoken
    assert stage.deployed.wallet(customer, Asset.CREDIT).balance == 19


def test_an_operator_tests_every_provider(stage: Upstreams) -> None:
    result = stage.shoal("providers", "test", "--all")

    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["Provider", "Result", "Took", "Said"]
    shown = {line.split()[0]: line.split()[1] for line in lines[2:] if line.strip()}
    assert shown == dict.fromkeys(
        ["openai", "gemini", "stability", "replicate", "fal", "bedrock", "polly"], "ok"
    )


def test_an_operator_sees_how_routes_do(stage: Upstreams) -> None:
    check_completed(ask(stage, "stable-image"), "stability")

    def counted() -> Json | None:
        route = stage.status("stability/core")
        return route if route["outputs"] else None

    route = eventually(counted)
    assert route["ready"]
    assert route["calls"] >= 1
    assert route["cost_micros"] > 0
