"""What a job uses up, counted on the deployed stack: every call and log line of functions, every state."""

from __future__ import annotations

import json
import re
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import requests

from bench.prices import Used
from bench.processors import cpu_s
from bench.recorder import Call, Recorder, one_after_the_other
from infra.lambdas import registry
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
REQUESTS = 2
"""A submit, and one poll of its end."""
CALL_S = 0.016
"""How long a function waits for one call of AWS's: 255 ms for the 16 calls of an image, by a study of 0.1
(37 ms for the three of a submit, 100 for six, 96 for three of S3's and DynamoDB's, 22 for four)."""
ON_THE_WAY = ("submit-job", "call-provider", "store-output", "settle-wallet")
"""What a provider's image waits for before its event."""
ACCESS_LOG_VALUE_BYTES = 16
"""Of a field of the access log: a request's id, time and route are longer, most are short numbers."""


@dataclass(frozen=True)
class Customer:
    """An account of the bench, by its key."""

    cloud: LocalCloud
    key: str

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer's body. What sends one has an idempotency key. Raises `LocalCloudError`."""
        answer = requests.request(
            method,
            f"{self.cloud.api_url}{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.key}"}
            | ({} if body is None else {"Idempotency-Key": str(uuid4())}),
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
    before_ms, before_s = int(time.time() * 1000), cpu_s(recorder.address)
    executions, runs = list[str](), list[list[Call]]()
    for _ in range(jobs):
        executions.append(_run(cloud, customer, kind))
        runs.append(recorder.take())
    _quiet(cloud)
    calls, after_s = [call for run in [*runs, recorder.take()] for call in run], cpu_s(recorder.address)
    computed_s = sum(max(0.0, after_s[name] - before_s.get(name, 0.0)) for name in after_s)
    invocations, logged_bytes = _read_logs(cloud, before_ms)
    histories = [_history(cloud, arn) for arn in executions]
    used = _usage(calls, computed_s, invocations, logged_bytes, histories, jobs)
    return replace(used, serial_calls=_serial_calls(runs))


def _serial_calls(runs: list[list[Call]]) -> float:
    """Of the run in which each function waited for the fewest: on a busy machine what is begun at once may
    happen in turn, and what depends on another never happens at once. The machine publishes by itself.
    """
    return 1 + sum(
        min(one_after_the_other(call for call in run if call.function == PREFIX + name) for run in runs)
        for name in ON_THE_WAY
    )


def _usage(
    calls: list[Call],
    computed_s: float,
    invocations: list[tuple[float, int]],
    logged_bytes: int,
    histories: list[History],
    jobs: int,
) -> Used:
    def total(service: str, *operations: str) -> float:
        return sum(
            call.entries
            for call in calls
            if call.service == service and (not operations or call.operation in operations)
        )

    put = [call for call in calls if call.service == "events"]
    event_bytes = sum(call.event_bytes for call in put) / max(1, sum(call.entries for call in put))
    events = total("events", "PutEvents") + sum(history.published for history in histories)
    memory_mb = {
        PREFIX + function.verb.replace("_", "-"): function.memory_mb for function in registry.functions()
    }
    logged_bytes += sum(history.log_bytes for history in histories) + REQUESTS * jobs * _access_log_bytes()
    counted = {
        "requests": REQUESTS * jobs,
        "invocations": len(invocations),
        "lambda_ms": sum(ms for ms, _ in invocations),
        "computed_gb_s": computed_s * VCPU_MB / 1024,
        "waited_gb_s": sum(CALL_S * memory_mb[call.function] / 1024 for call in calls),
        "transitions": sum(history.states for history in histories),
        "write_units": sum(call.write_units for call in calls),
        "index_units": sum(call.index_units for call in calls),
        "read_units": sum(call.read_units for call in calls),
        "events": events,
        # A rule puts every event of a subscriber's kind into a queue, no matter who has put it on the bus.
        "messages": total("sqs", "SendMessage", "SendMessageBatch") + events,
        "s3_puts": total("s3", "PUT", "POST"),
        "s3_gets": total("s3", "GET", "HEAD"),
        "kms": total("kms"),
        "secrets": total("secretsmanager"),
        "log_bytes": logged_bytes,
        "event_bytes": events * event_bytes,
        # A request begins a trace, an execution does, and so does a function that a queue calls.
        "traces": (REQUESTS + 1) * jobs + events,
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


def _access_log_bytes() -> int:
    """Of a line that the API logs of a request."""
    from infra.constructs.api import ACCESS_LOG  # it loads the CDK

    line = json.dumps(dict.fromkeys(ACCESS_LOG, "x" * ACCESS_LOG_VALUE_BYTES))
    return len(line) + LOG_EVENT_BYTES


@dataclass(frozen=True)
class History:
    """States an execution entered, those within a Map too, and events it put on the bus by its last state.

    `log_bytes` are those of its log, which has its events without what went in and out.
    """

    states: int
    published: int
    log_bytes: int


def _history(cloud: LocalCloud, arn: str) -> History:
    """What an execution did.

    The local cloud's history has no states within a Map, but every task that was scheduled.
    """
    pages = cloud.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=arn)
    events = [event for page in pages for event in page["events"]]
    entered = [event["stateEnteredEventDetails"] for event in events if "stateEnteredEventDetails" in event]
    published = sum(state["name"].startswith("Publish") for state in entered)
    types = [event["type"] for event in events]
    within_maps = types.count("TaskScheduled") - types.count("TaskStateEntered")
    log_bytes = sum(len(json.dumps(_logged(event, arn)).encode()) + LOG_EVENT_BYTES for event in events)
    return History(len(entered) + within_maps, published * EVENTS_OF_AN_END, log_bytes)


def _logged(event: Mapping[str, Any], arn: str) -> dict[str, Any]:
    """An event as Step Functions logs it (its Developer Guide, "Using CloudWatch Logs")."""
    found = (each for name, each in event.items() if name.endswith("EventDetails"))
    details: Mapping[str, Any] = next(found, {})
    return {
        "id": str(event["id"]),
        "type": event["type"],
        "details": {name: value for name, value in details.items() if name not in DATA},
        "previous_event_id": str(event.get("previousEventId", 0)),
        "event_timestamp": str(round(event["timestamp"].timestamp() * 1000)),
        "execution_arn": arn,
        "redrive_count": "0",
    }


DATA = frozenset({"input", "output", "parameters", "cause"})
EVENTS_OF_AN_END = 2
"""A closing state publishes the dialect's own event and the engine's, `job.completed`, in one call."""
