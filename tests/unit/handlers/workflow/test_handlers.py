"""The Lambdas of the state machine: what they return is what generate.asl.json reads."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from shoal.domain.errors import JobClosed, OutputInvalid, Unavailable
from shoal.domain.job import Job, JobStatus
from shoal.domain.provider import Pending
from shoal.handlers.workflow import simulate
from tests.support.events import event
from tests.support.factories import PUBLIC_URL
from tests.support.handlers import given
from tests.worlds.world import Customer, World

ASL = json.loads((Path(__file__).parents[4] / "statemachines/generate.asl.json").read_text(encoding="utf-8"))
STATES: dict[str, Any] = ASL["States"]


def run(world: World, verb: str, name: str, job: Job, **changes: Any) -> Any:
    """The state's result as Step Functions sees it, for the event `name` about this job."""
    handler = given(verb, getattr(world, verb))
    payload = event(name) | {"account_id": job.account_id, "job_id": job.id} | changes
    return json.loads(json.dumps(handler(payload, None), allow_nan=False))


def test_what_one_state_returns_the_next_one_takes(world: World, customer: Customer) -> None:
    job, token = world.queued(customer), world.tokens.issue()

    run(world, "call_provider", "task_call_provider", job, task_token=token)
    delivered = world.tokens.answers[token].output["output"]
    stored = run(world, "store_output", "task_store_output", job, outputs=[delivered])["outputs"]
    settled = run(world, "settle_wallet", "task_settle_wallet", job, outputs=stored)["events"]

    assert [entry["DetailType"] for entry in settled] == [
        "image.completed",
        "job.completed",
        "wallet.captured",
    ]
    assert settled[0]["Detail"]["data"]["image_url"] == f"{PUBLIC_URL}/{stored[0]['key']}"
    assert world.now(job).status is JobStatus.COMPLETED


def test_the_outputs_of_the_event_on_disk_are_taken(world: World, customer: Customer) -> None:
    job = world.processing(customer)

    run(world, "settle_wallet", "task_settle_wallet", job)

    (output,) = world.now(job).outputs
    assert (output.content_type, output.size_bytes) == ("image/png", 3_906_214)


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("task_release_hold_timeout", "provider_timeout", "Provider request timed out after 180s."),
        (
            "task_release_hold_rejected",
            "provider_rejected",
            "The prompt was refused by content moderation.",
        ),
        (
            "task_release_hold_lambda_error",
            "output_invalid",
            "The provider did not deliver a readable image.",
        ),
        (
            "task_release_hold_crash",
            "internal_error",
            "The image could not be generated. No charge was applied.",
        ),
    ],
)
def test_what_the_machine_caught_is_what_the_caller_may_hear(
    world: World, customer: Customer, name: str, code: str, message: str
) -> None:
    job = world.asked(world.processing(customer))

    released = run(world, "release_hold", name, job)["events"]

    assert [entry["DetailType"] for entry in released][-3:] == [
        "image.failed",
        "job.failed",
        "wallet.released",
    ]
    assert released[-3]["Detail"]["data"]["error"] == {"code": code, "message": message}
    assert set(released[0]) == {"DetailType", "Detail"}


def test_a_pending_call_leaves_the_token_waiting(world: World, customer: Customer) -> None:
    world.provider.script = [Pending("ref-1", 1)]
    token = world.tokens.issue()

    result = run(world, "call_provider", "task_call_provider", world.queued(customer), task_token=token)

    assert result == {"outcome": "pending"}
    assert token in world.tokens.waiting


def test_errors_keep_the_names_the_machine_catches(world: World, customer: Customer) -> None:
    canceled = world.processing(customer)
    world.cancel_job(customer.caller, canceled.id)

    with pytest.raises(JobClosed):
        run(world, "call_provider", "task_call_provider", canceled)
    with pytest.raises(JobClosed):
        run(world, "settle_wallet", "task_settle_wallet", canceled)
    with pytest.raises(JobClosed):
        run(world, "release_hold", "task_release_hold_timeout", canceled)
    with pytest.raises(OutputInvalid):
        run(world, "store_output", "task_store_output", canceled)
    world.network.fail("jobs.note_call", Unavailable())
    with pytest.raises(Unavailable):
        run(world, "call_provider", "task_call_provider", world.queued(customer))


def test_what_a_task_measured_is_printed_when_it_ends(
    world: World, customer: Customer, capsys: pytest.CaptureFixture[str]
) -> None:
    run(world, "settle_wallet", "task_settle_wallet", world.processing(customer))
    assert '"JobsCompleted":[1.0]' in capsys.readouterr().out

    run(world, "release_hold", "task_release_hold_timeout", world.processing(customer))
    assert '"JobsFailed":[1.0]' in capsys.readouterr().out


def test_every_line_about_a_job_carries_its_ids(world: World, customer: Customer, logs: StringIO) -> None:
    job = world.processing(customer)

    run(world, "settle_wallet", "task_settle_wallet", job)

    lines = [json.loads(line) for line in logs.getvalue().splitlines()]
    assert lines
    assert all((line["account_id"], line["job_id"]) == (job.account_id, job.id) for line in lines)


def test_a_failed_task_is_logged_and_its_ids_do_not_stick(
    world: World, customer: Customer, logs: StringIO
) -> None:
    first, other = world.processing(customer), world.processing(customer)
    world.cancel_job(customer.caller, first.id)
    with pytest.raises(JobClosed):
        run(world, "settle_wallet", "task_settle_wallet", first)
    assert '"error":"JobClosed"' in logs.getvalue()
    logs.truncate(0)

    run(world, "settle_wallet", "task_settle_wallet", other)

    assert first.id not in logs.getvalue()


def test_every_task_has_a_time_out_a_retry_and_a_catch_for_everything() -> None:
    tasks = {name: state for name, state in STATES.items() if state["Type"] == "Task"}

    assert len(tasks) == 7
    for name, state in tasks.items():
        assert state["TimeoutSeconds"] > 0, name
        assert state["Retry"], name
        assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name


def test_the_happy_path_has_four_transitions() -> None:
    path = [ASL["StartAt"]]
    while "Next" in STATES[path[-1]]:
        path.append(STATES[path[-1]]["Next"])

    assert path == ["CallProvider", "StoreOutput", "SettleWallet", "PublishCompleted"]


@pytest.mark.parametrize("state", ["StoreOutput", "SettleWallet", "ReleaseHold"])
def test_each_task_gets_what_its_lambda_reads(state: str) -> None:
    step = "{% $merge([$states.input, {'step': 'store_output'}]) %}"
    assert STATES[state]["Arguments"]["Payload"] == (
        step if state == "StoreOutput" else "{% $states.input %}"
    )
    names = {"StoreOutput": "task_store_output", "SettleWallet": "task_settle_wallet"}
    before = {"StoreOutput": "CallProvider", "SettleWallet": "StoreOutput"}
    if state in names:
        read = set(event(names[state])) - {"step"}
        assert set(STATES[before[state]]["Output"]) - {"simulated"} == read
        return
    for name, catching in STATES.items():
        for rule in catching.get("Catch", []):
            if rule["Next"] == "ReleaseHold":
                assert set(rule["Output"]) == set(event("task_release_hold_timeout")), name


def test_the_call_gets_what_its_lambda_reads() -> None:
    assert set(STATES["CallProvider"]["Arguments"]["Payload"]) == set(event("task_call_provider"))


def test_simulated_work_is_done_as_the_states_own_functions_do_it(world: World, customer: Customer) -> None:
    job, token = world.queued(customer), world.tokens.issue()
    own = {step: given(step, getattr(world, step)) for step in ("call_provider", "store_output")}
    payload = {"account_id": job.account_id, "job_id": job.id, "index": 0, "task_token": token}

    with patch.dict(simulate.STEPS, own):
        simulate.handler(payload | {"step": "call_provider"}, None)
        delivered = world.tokens.answers[token].output["output"]
        stored = simulate.handler(payload | {"step": "store_output", "outputs": [delivered]}, None)

    assert len(stored["outputs"]) == 1
