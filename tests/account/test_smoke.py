"""The walk over a stage, on the local one: what it proves, what it measures, and that nothing stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber

from infra.local.cloud import LocalCloud
from infra.smoke.__main__ import place_of, smoke
from infra.smoke.measure import latency, of_executions, of_table, of_tokens
from shoal.adapters.dynamodb.items import ACCOUNTS
from tests.simulation import assumptions


def test_a_customer_walks_over_the_local_stage(at_local_stage: LocalCloud) -> None:
    cloud = at_local_stage
    said: list[str] = []

    measured = smoke(place_of("local"), said.append, pictures=1)

    steps = ["health", "image", "webhook", "event", "pictures", "task", "cancel", "refund", "video"]
    assert [line.split()[1].rstrip(":") for line in said if line.startswith("✓")][:-1] == steps
    account_id = said[0].split()[1].rstrip(";")
    assert measured["assumptions"].keys() >= {"STORE_OUTPUT", "PROVIDER_S", "STATE_ENTERED", "TASK_TOKEN"}
    assert measured["api"]["submit"]["samples"] == 5
    left = cloud.client("dynamodb").scan(
        TableName=cloud.outputs["TableName"],
        FilterExpression="contains(pk, :id) OR (pk = :all AND contains(sk, :ulid))",
        ExpressionAttributeValues={
            ":id": {"S": account_id},
            ":all": {"S": ACCOUNTS},
            ":ulid": {"S": account_id.partition("_")[2]},
        },
    )["Items"]
    assert [item["pk"]["S"] for item in left if "expires_at" not in item] == []
    stacks = cloud.client("cloudformation").list_stacks()["StackSummaries"]
    assert {s["StackStatus"] for s in stacks if s["StackName"] == "shoal-local-smoke"} <= {"DELETE_COMPLETE"}


NAMES = ("STORE_OUTPUT", "STATE_ENTERED", "PROVIDER_S", "TASK_TOKEN")


@pytest.fixture
def restored() -> Iterator[None]:
    """The simulation's own assumptions afterwards."""
    own = {name: getattr(assumptions, name) for name in NAMES}
    yield
    vars(assumptions).update(own)


def measurement(file: Path, measured: dict[str, object]) -> Path:
    file.write_text(json.dumps({"stage": "dev", "assumptions": measured}))
    return file


@pytest.mark.usefixtures("restored")
def test_the_simulation_assumes_what_was_measured(tmp_path: Path) -> None:
    measured = {
        "STORE_OUTPUT": latency([100.0, 120.0, 300.0]),
        "STATE_ENTERED": latency([0.0]),
        "PROVIDER_S": {"low_s": 2.5, "high_s": 9.0, "samples": 3},
        **of_tokens(["x" * 640, "x" * 712]),
    }
    said = assumptions.take(measurement(tmp_path / "dev.json", measured))
    assert len(said) == len(NAMES)
    assert assumptions.Latency(120.0, 300.0) == assumptions.STORE_OUTPUT
    assert assumptions.STATE_ENTERED.median_ms == assumptions.LATENCY_MS_MIN, "a latency of nothing is none"
    assert assumptions.PROVIDER_S == (2.5, 9.0)
    assert len(assumptions.TASK_TOKEN) == 712


def test_what_the_simulation_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="assumes no MOON"):
        assumptions.take(measurement(tmp_path / "dev.json", {"MOON": {"samples": 1}}))


def event(id_: int, before: int, type_: str, ms: int, name: str = "") -> dict[str, object]:
    details = {"stateExitedEventDetails": {"name": name}} if name else {}
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    return {"id": id_, "previousEventId": before, "type": type_, "timestamp": moment, **details}


def test_branches_that_run_side_by_side_are_told_apart() -> None:
    """Two outputs at once, as Step Functions writes their history: interleaved, each with what led to it."""
    history = [
        event(1, 0, "ExecutionStarted", 0),
        event(2, 1, "TaskScheduled", 10),
        event(3, 1, "TaskScheduled", 20),
        event(4, 3, "TaskStateExited", 4_020, "CallProvider"),
        event(5, 2, "TaskStateExited", 6_010, "CallProvider"),
        event(6, 4, "TaskScheduled", 4_060),
        event(7, 5, "TaskScheduled", 6_070),
        event(8, 6, "TaskStateExited", 4_160, "StoreOutput"),
        event(9, 7, "TaskStateExited", 6_270, "StoreOutput"),
    ]
    client = boto3.client("stepfunctions", "us-east-1", aws_access_key_id="A", aws_secret_access_key="s")
    with Stubber(client) as stub:
        stub.add_response("get_execution_history", {"events": history})
        found = of_executions(client, ["arn:aws:states:us-east-1:000000000000:execution:generate:job"])
    assert found == {
        "PROVIDER_S": {"low_s": 4.0, "high_s": 6.0, "samples": 2},
        "STORE_OUTPUT": {"median_ms": 150.0, "p99_ms": 200.0, "samples": 2},
        "STATE_ENTERED": {"median_ms": 50.0, "p99_ms": 60.0, "samples": 2},
    }


def test_the_metrics_of_the_table_are_those_of_its_operations() -> None:
    """As CloudWatch tells them: the local cloud has no metrics of DynamoDB."""
    client = boto3.client("cloudwatch", "us-east-1", aws_access_key_id="A", aws_secret_access_key="s")
    with Stubber(client) as stub:
        for p50 in (1.5, 3.0, 2.5, 9.0):
            points = [{"ExtendedStatistics": {"p50": p50, "p99": 10 * p50}}]
            stub.add_response("get_metric_statistics", {"Datapoints": points})
        for units in (31.0, 12.0):
            stub.add_response("get_metric_statistics", {"Datapoints": [{"Sum": units}, {"Sum": 1.0}]})
        latencies, sums = of_table(client, "t", datetime.now(UTC), wait=False)
    assert latencies["READ"] == {"median_ms": 1.5, "p99_ms": 15.0, "samples": 1}
    assert latencies.keys() == {"READ", "WRITE", "QUERY", "TransactWriteItems"}
    assert sums == {"ConsumedWriteCapacityUnits": 32.0, "ConsumedReadCapacityUnits": 13.0}
