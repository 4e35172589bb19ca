"""The machine for several outputs: a Map in front of the same way out as the machine for one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shoal.domain.job import Job, JobStatus
from tests.support.events import event
from tests.support.executions import BATCH, ITEM, ONE
from tests.support.handlers import given
from tests.worlds.world import Customer, World

MAP: dict[str, Any] = BATCH["States"]["CallProviders"]
CALL: dict[str, Any] = ITEM["States"]["CallProvider"]
ALONE: dict[str, Any] = ONE["States"]["CallProvider"]


def run(world: World, verb: str, payload: dict[str, Any]) -> Any:
    """A state's result as Step Functions sees it."""
    handler = given(verb, getattr(world, verb))
    return json.loads(json.dumps(handler(payload, None), allow_nan=False))


def names_of(job: Job, *indexes: int) -> list[str]:
    """What the files of these outputs are called: the mark of the call that made one is in its name."""
    return [f"{index}-{job.calls[index].mark}.png" for index in indexes]


def test_both_machines_end_alike() -> None:
    one, batch = (dict(each["States"]) for each in (ONE, BATCH))
    del one["CallProvider"], batch["CallProviders"]

    assert batch == one
    assert (MAP["Next"], ALONE["Next"]) == ("StoreOutput", "StoreOutput")
    assert BATCH["QueryLanguage"] == ONE["QueryLanguage"] == "JSONata"


def test_each_output_is_asked_for_like_a_single_one() -> None:
    assert CALL["Resource"] == ALONE["Resource"]
    assert CALL["TimeoutSeconds"] == ALONE["TimeoutSeconds"]
    assert CALL["Retry"] == ALONE["Retry"]
    alone, item = ALONE["Arguments"], CALL["Arguments"]
    assert item["FunctionName"] == alone["FunctionName"]
    assert alone["Payload"]["index"] == 0
    assert item["Payload"] == alone["Payload"] | {"index": "{% $states.input.index %}"}
    assert set(item["Payload"]) == set(event("task_call_provider"))


def test_every_output_runs_side_by_side_and_gets_its_own_number() -> None:
    assert MAP["MaxConcurrency"] == 4
    assert MAP["Items"] == "{% $states.input.indexes %}"
    assert MAP["ItemSelector"]["index"] == "{% $states.context.Map.Item.Value %}"
    assert ITEM["ProcessorConfig"] == {"Mode": "INLINE"}


def test_an_output_that_failed_is_an_item_that_names_its_error() -> None:
    (catch,) = CALL["Catch"]

    assert catch["ErrorEquals"] == ALONE["Catch"][0]["ErrorEquals"]
    assert set(catch["Output"]) == {"error", "cause"}
    assert ITEM["States"][catch["Next"]] == {"Type": "Pass", "End": True}
    assert CALL["Output"] == "{% $states.result.output %}"


@pytest.mark.parametrize(
    ("state", "name"),
    [("SettleWallet", "task_settle_wallet"), ("StoreOutput", "task_store_output")],
)
def test_each_state_hands_on_what_the_next_lambda_reads(state: str, name: str) -> None:
    before = next(made for made in BATCH["States"].values() if made.get("Next") == state)

    assert set(before["Output"]) - {"simulated"} == set(event(name)) - {"step"}


def test_whatever_breaks_the_map_is_gone_on_with_later() -> None:
    assert MAP["Catch"] == [{"ErrorEquals": ["States.ALL"], "Next": "LeftToTheSweeper"}]


def a_batch(world: World, customer: Customer, prompt: str) -> tuple[Job, list[dict[str, str]]]:
    """A task of three whose calls were made by the handler, and the Map's items."""
    job = world.queued(customer, model="nanobanana", num_outputs=3, prompt=prompt)
    items = []
    for index in range(3):
        token = world.tokens.issue()
        asked = event("task_call_provider") | {"account_id": job.account_id, "job_id": job.id}
        run(world, "call_provider", asked | {"index": index, "task_token": token})
        answer = world.tokens.answers[token]
        failed = {"error": answer.error or "", "cause": answer.cause}
        items.append(failed if answer.error else answer.output["output"])
    return job, items


def test_what_the_map_collects_the_lambdas_behind_it_take(world: World, customer: Customer) -> None:
    job, items = a_batch(world, customer, "A shark")
    whose = {"account_id": job.account_id, "job_id": job.id}
    timed_out = {"error": "States.Timeout", "cause": ""}

    stored = run(world, "store_output", whose | {"outputs": [timed_out, *items[1:]]})
    settled = run(world, "settle_wallet", whose | stored)["events"]

    assert [entry["DetailType"] for entry in settled] == [
        "task.completed",
        "job.completed",
        "wallet.captured",
    ]
    data = settled[0]["Detail"]["data"]
    assert [url.rpartition("/")[2] for url in data["urls"]] == names_of(world.now(job), 1, 2)
    assert (data["cost"], data["dialect"]) == ("$0.02", "tasks")
    assert world.now(job).status is JobStatus.COMPLETED


def test_the_batch_event_on_disk_is_stored_and_the_failed_item_left_out(
    world: World, customer: Customer
) -> None:
    job, _ = a_batch(world, customer, "A shark")
    payload = event("task_store_output_batch")
    for index, item in enumerate(payload["outputs"]):
        if "key" in item:
            item["key"] = f"{job.account_id}/{job.id}/{index}"

    stored = run(world, "store_output", payload | {"account_id": job.account_id, "job_id": job.id})["outputs"]

    assert [output["key"].rpartition("/")[2] for output in stored] == names_of(world.now(job), 0, 2)
