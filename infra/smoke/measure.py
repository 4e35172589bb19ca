"""What a walk tells of a stage, by the names under which the simulation assumes it.

From the histories of executions: how long a state takes, what lies between two, and how long tokens are. From
the functions' logs: cold starts. From CloudWatch, which the local cloud does not feed: the table's own
latencies and units. What was not seen is not in the result, and the simulation goes on assuming it.
"""

from __future__ import annotations

import re
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

PERCENTILE = 0.99
METRICS_SECONDS_MAX = 240
PAUSE_SECONDS = 10
MINUTE_S = 60
LATENCIES = {"GetItem": "READ", "UpdateItem": "WRITE", "Query": "QUERY"}
"""Operations of the table by what the simulation calls their latency."""
OPERATIONS = (*LATENCIES, "TransactWriteItems")
INIT = re.compile(r"Init Duration: ([\d.]+) ms")
SCHEDULED, LEFT = "TaskScheduled", "TaskStateExited"

Json = dict[str, Any]
Event = Mapping[str, Any]


def latency(samples_ms: Sequence[float]) -> Json:
    """Median and 99th percentile, which of few samples is the slowest."""
    ordered = sorted(samples_ms)
    slowest = ordered[min(int(len(ordered) * PERCENTILE), len(ordered) - 1)]
    return {
        "median_ms": round(statistics.median(ordered), 1),
        "p99_ms": round(slowest, 1),
        "samples": len(ordered),
    }


def of_executions(states: Any, arns: Iterable[str]) -> Json:
    """`states` is the client of Step Functions. Executions that are gone, or never were, tell nothing."""
    taken: dict[str, list[float]] = defaultdict(list)
    between: list[float] = []
    for arn in arns:
        try:
            pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
            events = {event["id"]: event for page in pages for event in page["events"]}
        except states.exceptions.ExecutionDoesNotExist:
            continue
        for event in events.values():
            if event["type"] == LEFT and (scheduled := _before(event, SCHEDULED, events)):
                taken[event["stateExitedEventDetails"]["name"]].append(_ms(scheduled, event))
            # Of several branches at once, none is followed back into another.
            if event["type"] == SCHEDULED and (left := _before(event, LEFT, events)):
                between.append(_ms(left, event))
    found: Json = {}
    if taken["StoreOutput"]:
        found["STORE_OUTPUT"] = latency(taken["StoreOutput"])
    if calls := taken["CallProvider"]:
        found["PROVIDER_S"] = {"low_s": min(calls) / 1000, "high_s": max(calls) / 1000, "samples": len(calls)}
    if between:
        found["STATE_ENTERED"] = latency(between)
    return found


def of_tokens(tokens: Iterable[str]) -> Json:
    """Of the tasks that waited for an answer."""
    lengths = list(map(len, tokens))
    return {"TASK_TOKEN": {"characters": max(lengths), "samples": len(lengths)}} if lengths else {}


def _before(event: Event, type_: str, events: Mapping[int, Event]) -> Event | None:
    """The last event of that type that led to this one."""
    found = events.get(_led_by(event))
    while found is not None and found["type"] != type_:
        found = events.get(_led_by(found))
    return found


def _led_by(event: Event) -> int:
    """The local cloud does not say, and has no branches in its histories: there it is the one before."""
    return int(event.get("previousEventId", event["id"] - 1))


def cold_starts(logs: Any, prefix: str, since_ms: int) -> Json:
    """By function: how many environments were made, and what that took."""
    found: Json = {}
    groups = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=f"/aws/lambda/{prefix}-")
    for group in (group["logGroupName"] for page in groups for group in page["logGroups"]):
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=since_ms, filterPattern='"Init Duration"'
        )
        lines = (event["message"] for page in pages for event in page["events"])
        if times := [float(match.group(1)) for line in lines if (match := INIT.search(line))]:
            found[group.rpartition("/")[2]] = latency(times)
    return found


def of_table(cloudwatch: Any, table: str, since: datetime, *, wait: bool) -> tuple[Json, Json]:
    """Latencies as DynamoDB took them, without the way to it, and units consumed: they come minutes late."""
    deadline = time.monotonic() + (METRICS_SECONDS_MAX if wait else 0)
    while True:
        found = _table_metrics(cloudwatch, table, since)
        if found[1] or time.monotonic() >= deadline:
            return found
        time.sleep(PAUSE_SECONDS)


def _table_metrics(cloudwatch: Any, table: str, since: datetime) -> tuple[Json, Json]:
    def statistics_of(metric: str, asked: Json, **dimensions: str) -> Any:
        named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
        return cloudwatch.get_metric_statistics(
            Namespace="AWS/DynamoDB",
            MetricName=metric,
            Dimensions=[{"Name": "TableName", "Value": table}, *named],
            StartTime=since - timedelta(minutes=1),
            EndTime=datetime.now(UTC) + timedelta(minutes=1),
            Period=MINUTE_S,
            **asked,
        )["Datapoints"]

    measured: Json = {}
    for operation in OPERATIONS:
        asked = {"ExtendedStatistics": ["p50", "p99"]}
        points = [
            point["ExtendedStatistics"]
            for point in statistics_of("SuccessfulRequestLatency", asked, Operation=operation)
            if "ExtendedStatistics" in point
        ]
        if points:
            measured[LATENCIES.get(operation, operation)] = {
                "median_ms": round(statistics.median(point["p50"] for point in points), 1),
                "p99_ms": round(max(point["p99"] for point in points), 1),
                "samples": len(points),
            }
    sums = {
        metric: sum(point["Sum"] for point in statistics_of(metric, {"Statistics": ["Sum"]}))
        for metric in ("ConsumedWriteCapacityUnits", "ConsumedReadCapacityUnits")
    }
    return measured, {metric: units for metric, units in sums.items() if units}


def report(
    *,
    client: Callable[..., Any],
    stage: str,
    kind: str,
    table: str,
    arns: Sequence[str],
    tokens: Sequence[str],
    began: datetime,
) -> Json:
    """What `make simulate ARGS="--measured FILE"` reads, and beside it what a person does."""
    of_the_table, units = of_table(client("cloudwatch"), table, began, wait=kind != "local")
    return {
        "stage": stage,
        "kind": kind,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "assumptions": of_executions(client("stepfunctions"), arns)
        | of_tokens(tokens)
        | {name: each for name, each in of_the_table.items() if name in LATENCIES.values()},
        "transaction": of_the_table.get("TransactWriteItems"),
        "units": units,
        "cold_starts": cold_starts(client("logs"), f"shoal-{stage}", int(began.timestamp() * 1000)),
    }


def _ms(began: Event, ended: Event) -> float:
    taken: timedelta = ended["timestamp"] - began["timestamp"]
    return taken.total_seconds() * 1000
