"""The patch of the Map, and what render_video.asl.json relies on without one."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.local_cloud.lab import Lab, task, token_task

WORKS = """
import json, boto3
class Broken(Exception): pass
def handler(event, context):
    item = {"index": {"N": str(event["index"])}}
    if event.get("count"): boto3.client("dynamodb").put_item(TableName=event["count"], Item=item)
    if event["index"] == event.get("breaks"): raise Broken("no luck")
    return event["index"]
"""


def table(lab: Lab) -> str:
    """A table that counts which iterations ran."""
    name = f"ran-{time.monotonic_ns()}"
    lab.endpoint.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "index", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "index", "AttributeType": "N"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def mapped(states: dict[str, Any], *, side_by_side: int = 1) -> dict[str, Any]:
    """A Map over four indexes that starts with `Do`, and what comes of it."""
    caught = {"error": "{% $states.errorOutput.Error %}", "cause": "{% $states.errorOutput.Cause %}"}
    return {
        "Work": {
            "Type": "Map",
            "Items": [0, 1, 2, 3],
            "ItemSelector": {"index": "{% $states.context.Map.Item.Value %}"},
            "MaxConcurrency": side_by_side,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "INLINE"},
                "StartAt": "Do",
                "States": states,
            },
            "Catch": [{"ErrorEquals": ["States.ALL"], "Output": caught, "Next": "Caught"}],
            "End": True,
        },
        "Caught": {"Type": "Pass", "End": True},
    }


def ran(lab: Lab, name: str) -> set[int]:
    return {int(item["index"]["N"]) for item in lab.endpoint.client("dynamodb").scan(TableName=name)["Items"]}


def test_iterations_that_have_not_started_when_one_fails_never_start(lab: Lab) -> None:
    count, function = table(lab), lab.function(WORKS)
    payload = {"index": "{% $states.input.index %}", "count": count, "breaks": 1}

    ended = lab.run(mapped({"Do": task(function, payload)}))

    assert ended["output"]["error"] == "Broken"
    assert ran(lab, count) == {0, 1}


def test_an_iteration_that_waits_for_a_token_is_stopped_when_another_fails(lab: Lab) -> None:
    function = lab.function(WORKS)
    payload = {"index": "{% $states.input.index %}", "breaks": 3}
    waits = token_task(function, payload, TimeoutSeconds=60)
    started = time.monotonic()

    ended = lab.run(mapped({"Do": waits}, side_by_side=4))

    assert ended["output"]["error"] == "Broken"
    assert time.monotonic() - started < 30


def test_the_first_error_is_the_maps_whatever_becomes_of_the_iterations_it_stops(lab: Lab) -> None:
    function = lab.function(WORKS)
    payload = {"index": "{% $states.input.index %}", "breaks": 3}
    states = {
        "Do": {
            **token_task(function, payload, TimeoutSeconds=60),
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Told"}],
        },
        "Told": {
            "Type": "Fail",
            "Error": "{% $states.input.Error %}",
            "Cause": "{% $string({'cause': $states.input.Cause}) %}",
        },
    }

    ended = lab.run(mapped(states, side_by_side=4))

    assert ended["output"]["error"] == "Broken"
    cause = json.loads(json.loads(ended["output"]["cause"])["cause"])
    assert cause["errorMessage"] == "no luck"


def test_a_map_that_goes_well_gives_what_its_iterations_gave(lab: Lab) -> None:
    function = lab.function(WORKS)
    payload = {"index": "{% $states.input.index %}"}
    do = task(function, payload, Output="{% $states.result.Payload %}")

    assert lab.run(mapped({"Do": do}, side_by_side=2))["output"] == [0, 1, 2, 3]
