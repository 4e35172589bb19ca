"""Videos for the workflow's tests: functions that stand in for slow ones, and what must hold in the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from shoal.adapters.outputs.studio import film
from shoal.domain.job import HoldState, Job, JobStatus
from shoal.domain.money import Asset
from shoal.domain.video import clip_key, final_key, folder, narration_key, poster_key, preview_key
from tests.support.deployed import Customer, Deployed, eventually
from tests.workflow.machine import Json, Machine, Workshop, function_of, states_of
from tests.workflow.walks import walk

CREDITS = 20
READY = ["job.completed", "job.created", "job.processing", "video.created", "video.ready", "wallet.captured"]
FAILED = ["job.created", "job.failed", "job.processing", "video.created", "video.failed", "wallet.released"]
OPENED = ["job.created", "job.processing", "video.created"]
NO_CHARGE = "The video could not be generated. No charge was applied."

HAPPY = walk("WriteScript", "Narrate", "RenderScenes", "StitchVideo", "SettleWallet", "PublishReady")
FAILING = ("ReleaseHold", "PublishFailed")
UNWRITTEN = walk(*HAPPY[:1], *FAILING)
UNSPOKEN = walk(*HAPPY[:2], *FAILING)
UNRENDERED = walk(*HAPPY[:3], *FAILING)
UNSTITCHED = walk(*HAPPY[:4], *FAILING)
LEFT_IN = {
    state: walk(*HAPPY[: HAPPY.index(state) + 1], "LeftToTheSweeper")
    for state in ("WriteScript", "Narrate", "RenderScenes", "StitchVideo", "SettleWallet")
}
CLOSED_BEFORE = {
    state: walk(*HAPPY[: HAPPY.index(state) + 1], "AlreadyClosed")
    for state in ("WriteScript", "Narrate", "SettleWallet")
}
"""Where scenes are rendered and joined, ReleaseHold looks whether a cancel left something to give back."""
CLOSED_BEFORE_RELEASING = walk(*HAPPY[:3], "ReleaseHold", "AlreadyClosed")
UNRELEASED = walk(*HAPPY[:3], "ReleaseHold", "LeftToTheSweeper")
READY_UNHEARD = walk(*HAPPY, "AnnounceLater")
FAILED_UNHEARD = walk(*UNRENDERED, "AnnounceLater")
UNHEARD_AND_LOST = walk(*HAPPY, "AnnounceLater", "LeftToTheSweeper")

RENDERS = """
import json, boto3
class ProviderFailed(Exception): pass
def handler(event, context):
    if event["index"] in event["broken"]:
        raise ProviderFailed("no luck")
    key = f"{event['account_id']}/{event['job_id']}/{event['index']}"
    clip = {"Bucket": event["bucket"], "Key": event["clip"]}
    boto3.client("s3").copy_object(Bucket=event["bucket"], Key=key, CopySource=clip)
    boto3.client("stepfunctions").send_task_success(
        taskToken=event["task_token"], output=json.dumps({"output": {"key": key}}))
"""
"""Stands in for RenderScene: delivers a clip that was made before, and breaks down for some scenes."""

INSTANT = {
    "Narrate": "return {'narration': {'key': 'none', 'lines': []}}",
    "StoreClip": "return {'events': [{'DetailType': 'video.scene_ready', 'Detail': {'data': event}}]}",
    "StitchVideo": """return {'outputs': [{
        'key': f"videos/{event['job_id']}/final.mp4",
        'content_type': 'video/mp4', 'width_px': 720, 'height_px': 1280, 'size_bytes': 1}]}""",
}
"""What stands in for the steps that take seconds: they do nothing, at once."""

CANCELS_FIRST = """
import json, boto3, urllib.request
class JobClosed(Exception): pass
def handler(event, context):
    request = urllib.request.Request(
        "{api_url}/api/v1/videos/" + event["job_id"] + "/cancel", method="POST",
        headers={{"Authorization": "Bearer {key}"}})
    try:
        urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        assert error.code == 409, error.code
    answer = boto3.client("lambda").invoke(FunctionName="{function}", Payload=json.dumps(event))
    result = json.load(answer["Payload"])
    if "FunctionError" in answer:
        assert result["errorType"] == "JobClosed", result
        raise JobClosed(result["errorMessage"])
    return result
"""
"""Stands in for the function of a state: its caller cancels the video just before."""


@dataclass(frozen=True)
class Cutter:
    """The deployed machine for videos, and copies of it that take a clip from the shelf."""

    workshop: Workshop
    functions: dict[str, str] = field(default_factory=dict)

    @property
    def deployed(self) -> Deployed:
        return self.workshop.deployed

    @property
    def machine(self) -> Machine:
        return self.workshop.video

    @cached_property
    def clip_key(self) -> str:
        """A clip in the staging bucket, filmed once for all tests."""
        clip = film(prompt="sharks", seed=1, width_px=720, height_px=1280, seconds=8)
        self._s3.put_object(Bucket=self._staging, Key="shelf/clip", Body=clip)
        return "shelf/clip"

    def copy(self, *, broken: Sequence[int] = (), real: Iterable[str] = INSTANT) -> Machine:
        """A copy that takes its clips from the shelf; of the steps that take seconds only some are `real`."""
        instead = {state: self.function(_handler(INSTANT[state])) for state in INSTANT.keys() - set(real)}
        renders = self.function(RENDERS)
        shelf = {"bucket": self._staging, "clip": self.clip_key, "broken": list(broken)}

        def tamper(definition: Json) -> None:
            states = states_of(definition)
            for state, function in instead.items():
                states[state]["Arguments"]["FunctionName"] = function
            arguments = states["RenderScene"]["Arguments"]
            arguments["FunctionName"] = renders
            arguments["Payload"] |= shelf

        return self.machine.copy(tamper)

    def instant(self, *, broken: Sequence[int] = ()) -> Machine:
        """A copy in which nothing takes long."""
        return self.copy(broken=broken, real=())

    def with_function(self, state: str, source: str, of: Machine | None = None, **more: Any) -> Machine:
        """An instant copy, or a copy of another, whose `state` calls a function made from `source`."""
        function = self.function(source)

        def tamper(definition: Json) -> None:
            states_of(definition)[state]["Arguments"]["FunctionName"] = function
            states_of(definition)[state].update(more)

        return (of or self.instant()).copy(tamper)

    def function(self, source: str) -> str:
        """A function made from the source, the same one for the same source: it stays warm."""
        if source not in self.functions:
            self.functions[source] = self.workshop.lab.function(source, timeout_seconds=60)
        return self.functions[source]

    def canceling(self, state: str, customer: Customer) -> Machine:
        """A copy in which the customer cancels just before the real function of `state` runs."""
        machine = self.copy(real={state})
        function = function_of(states_of(machine.definition())[state])
        source = CANCELS_FIRST.format(
            api_url=self.deployed.cloud.api_url, key=customer.key, function=function
        )
        return self.with_function(state, source, machine)

    def cleaned(self, job: Job) -> bool:
        """Whether nothing is left of a video; if something is, the sweeper cleans up as it did before.

        What the machine no longer waits for may still be storing a clip, for longer than a test would.
        """
        if left := self.files_of(job.id, job.account_id):
            self.clean(job)
        return not left

    def clean(self, job: Job) -> None:
        """Let the sweeper clean up once more, as it does after a while: a scene may have been on its way."""
        self.deployed.make_due(job)
        self.deployed.sweep()

    def files_of(self, job_id: str, account_id: str) -> set[str]:
        """Everything that is stored of a video, in both buckets."""
        found = self._keys(self._videos, folder(job_id))
        return found | self._keys(self._staging, f"{account_id}/{job_id}/")

    def assert_ready(self, customer: Customer, job_id: str) -> Job:
        """The whole price was paid once, and every file is there."""
        job, wallet = self._state(customer, job_id)
        assert (job.status, job.hold_state, job.cost) == (JobStatus.COMPLETED, HoldState.CAPTURED, job.price)
        assert (wallet.balance, wallet.held) == (CREDITS - job.price, 0)
        clips = {key(job_id, index) for index in range(job.output_count) for key in (clip_key, preview_key)}
        made = {final_key(job_id), narration_key(job_id), poster_key(job_id), *clips}
        assert self._keys(self._videos, folder(job_id)) == made
        return job

    def assert_refunded(self, customer: Customer, job_id: str, *, cleaned: bool = False) -> Job:
        """Everything came back once, and nothing is left in any bucket, or at last with `cleaned`."""
        job, wallet = self._state(customer, job_id)
        assert job.status.terminal
        assert (job.hold_state, job.cost) == (HoldState.RELEASED, 0)
        assert (wallet.balance, wallet.held) == (CREDITS, 0)
        if cleaned:
            eventually(lambda: self.cleaned(job))
        else:
            assert self.files_of(job_id, customer.account_id) == set()
        kinds = [entry["kind"] for entry in self._entries(customer)]
        assert sorted(kinds) == ["hold", "release", "top_up"]
        return job

    def events(self, job_id: str) -> tuple[list[str], int]:
        """The types of the video's events but those of its scenes, sorted; and how many scenes were told."""
        types = self.deployed.bus.types_of(job_id)
        scenes = types.count("video.scene_ready")
        return [event_type for event_type in types if event_type != "video.scene_ready"], scenes

    def _state(self, customer: Customer, job_id: str) -> tuple[Job, Any]:
        return self.deployed.job(customer, job_id), self.deployed.wallet(customer, Asset.CREDIT)

    def _entries(self, customer: Customer) -> list[Json]:
        pages = self.deployed.table.query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :entry)",
            values={":pk": f"WALLET#{customer.account_id}#credit", ":entry": "ENTRY#"},
        )
        return [item for items, _ in pages for item in items]

    def _keys(self, bucket: str, prefix: str) -> set[str]:
        found = self._s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        return {item["Key"] for item in found}

    @property
    def _s3(self) -> Any:
        return self.deployed.cloud.client("s3")

    @property
    def _staging(self) -> str:
        return self.deployed.cloud.outputs["StagingBucketName"]

    @property
    def _videos(self) -> str:
        return self.deployed.cloud.outputs["VideosBucketName"]


def _handler(body: str) -> str:
    return f"def handler(event, context):\n    {body}"
