"""What a job uses up, counted on the deployed stack: every call and log line of functions, every state."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from bench.prices import Used
from bench.recorder import Call, Recorder
from infra.local.cloud import LocalCloud
from infra.local.processes import LocalCloudError

CALL_S_MAX = 60.0
JOB_S_MAX = 240.0
PAUSE_S = 0.1
VCPU_MB = 1769
"""The memory at which a function has a whole processor (Lambda Developer Guide, "Configure memory")."""
LOG_EVENT_BYTES = 26
"""What CloudWatch Logs counts for an event beside its message."""
_REPORT = re.compile(r"^REPORT .*\tDuration: ([\d.]+) ms\t.*Memory Size: (\d+) MB", re.S)
PREFIX = "shoal-local-"


@dataclass(frozen=True)
class Customer:
    """An account of the bench, by its key."""

    cloud: LocalCloud
    key: str

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer's body. Raises `LocalCloudError` for anything but success."""
        answer = requests.request(
            method,
            f"{self.cloud.api_url}{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=CALL_S_MAX,
        )
        if not answer.ok:
            raise LocalCloudError(f"{method} {path}: {answer.status_code} {answer.text}")
        document: dict[str, Any] = answer.json()
        return document


@dataclass(frozen=True)
class Kind:
    """A kind of job: how it is submitted and polled, and which machine runs it."""

    name: str
    route: str
    body: Mapping[str, Any]
    job_id: Callable[[dict[str, Any]], str]
    poll: str
    machine: str


IMAGE = Kind(
    "image job",
    "/v1/generate",
    {"mode": "1k", "prompt": "A shark in neon waters"},
    lambda answer: str(answer["job_id"]),
    "/v1/jobs/{}",
    "generate",
)
VIDEO = Kind(
    "16 s video",
    "/api/v1/videos",
    {"idea": "Why sharks never sleep", "category": "science", "duration": 16, "aspect_ratio": "16:9"},
    lambda answer: str(answer["video"]["id"]),
    "/api/v1/videos/{}",
    "render-video",
)


def measure(cloud: LocalCloud, recorder: Recorder, customer: Customer, kind: Kind, *, jobs: int) -> Used:
    """Run so many jobs one after the other, after one that warms the functions up."""
    _run(cloud, customer, kind)
    _quiet(cloud)
    recorder.take()
    before_ms = int(time.time() * 1000)
    executions = [_run(cloud, customer, kind) for _ in range(jobs)]
    _quiet(cloud)
    calls = recorder.take()
    invocations, logged_bytes = _read_logs(cloud, before_ms)
    histories = [_history(cloud, arn) for arn in executions]
    return _usage(calls, invocations, logged_bytes, histories, jobs)


def _usage(
    calls: list[Call],
    invocations: list[tuple[float, int]],
    logged_bytes: int,
    histories: list[tuple[int, int]],
    jobs: int,
) -> Used:
    def total(service: str, *operations: str) -> float:
        return sum(
            call.entries
            for call in calls
            if call.service == service and (not operations or call.operation in operations)
        )

    events = total("events", "PutEvents") + sum(published for _, published in histories)
    counted = {
        "requests": 2.0 * jobs,
        "invocations": len(invocations),
        "lambda_ms": sum(ms for ms, _ in invocations),
        "gb_s": sum(ms / 1000 * mb / 1024 for ms, mb in invocations),
        "full_gb_s": sum(ms / 1000 * max(mb, VCPU_MB) / 1024 for ms, mb in invocations),
        "transitions": sum(states for states, _ in histories),
        "write_units": sum(call.write_units for call in calls),
        "read_units": sum(call.read_units for call in calls),
        "events": events,
        # A rule puts every event of a subscriber's kind into a queue, no matter who has put it on the bus.
        "messages": total("sqs", "SendMessage", "SendMessageBatch") + events,
        "s3_puts": total("s3", "PUT", "POST"),
        "s3_gets": total("s3", "GET", "HEAD"),
        "kms": total("kms"),
        "secrets": total("secretsmanager"),
        "log_bytes": logged_bytes,
    }
    return Used(**{name: count / jobs for name, count in counted.items()})


def _run(cloud: LocalCloud, customer: Customer, kind: Kind) -> str:
    """One job from its submit to one poll of its end. Returns its execution."""
    job_id = kind.job_id(customer.call("POST", kind.route, kind.body))
    machine: str = cloud.outputs["StateMachineArn"].replace(":stateMachine:", ":execution:")
    arn = f"{machine.removesuffix('generate')}{kind.machine}:{job_id}"
    states = cloud.client("stepfunctions")
    deadline = time.monotonic() + JOB_S_MAX
    while (status := states.describe_execution(executionArn=arn)["status"]) == "RUNNING":
        if time.monotonic() > deadline:
            raise LocalCloudError(f"{job_id} has not ended in {JOB_S_MAX:.0f} s")
        time.sleep(PAUSE_S)
    job = customer.call("GET", kind.poll.format(job_id))
    if status != "SUCCEEDED":
        raise LocalCloudError(f"{arn}: {status}: {job}")
    return arn


def _quiet(cloud: LocalCloud) -> None:
    """Wait until what the jobs have set going behind them has been done: their events are consumed."""
    sqs = cloud.client("sqs")
    wanted = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    deadline = time.monotonic() + JOB_S_MAX
    while any(
        int(count)
        for url in sqs.list_queues()["QueueUrls"]
        for count in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"].values()
    ):
        if time.monotonic() > deadline:
            raise LocalCloudError("the queues have not been emptied")
        time.sleep(PAUSE_S)


def _read_logs(cloud: LocalCloud, since_ms: int) -> tuple[list[tuple[float, int]], int]:
    """Milliseconds and memory of each invocation since then, and the bytes of all logs.

    Every invocation counts as long as the median one of its function: the machine has others to serve.
    """
    invocations, logged_bytes = [], 0
    for messages in _messages(cloud, since_ms):
        logged_bytes += sum(len(message.encode()) + LOG_EVENT_BYTES for message in messages)
        reports = [report for message in messages if (report := _REPORT.match(message))]
        if reports:
            usual_ms = statistics.median(float(report[1]) for report in reports)
            invocations += [(usual_ms, int(report[2])) for report in reports]
    return invocations, logged_bytes


def _messages(cloud: LocalCloud, since_ms: int) -> Iterator[list[str]]:
    """Those of each function."""
    logs = cloud.client("logs")
    for group in logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{PREFIX}")["logGroups"]:
        pages = logs.get_paginator("filter_log_events")
        pages_of = pages.paginate(logGroupName=group["logGroupName"], startTime=since_ms)
        yield [event["message"] for page in pages_of for event in page["events"]]


def _history(cloud: LocalCloud, arn: str) -> tuple[int, int]:
    """States an execution entered, those within a Map too, and events it put on the bus by its last state.

    The local cloud's history has no states within a Map, but every task that was scheduled.
    """
    pages = cloud.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=arn)
    events = [event for page in pages for event in page["events"]]
    entered = [event["stateEnteredEventDetails"] for event in events if "stateEnteredEventDetails" in event]
    published = sum(state["name"].startswith("Publish") for state in entered)
    types = [event["type"] for event in events]
    within_maps = types.count("TaskScheduled") - types.count("TaskStateEntered")
    return len(entered) + within_maps, published * EVENTS_OF_AN_END


EVENTS_OF_AN_END = 2
"""A closing state publishes the dialect's own event and the engine's, `job.completed`, in one call."""
