"""The ways through the state machines that the tests take, and how a job stands at their ends."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

from shoal.domain.job import HoldState, Job, JobStatus
from tests.support.deployed import Customer, Deployed

COMPLETED = ["image.completed", "job.completed", "job.created", "job.processing", "wallet.captured"]
FAILED = ["image.failed", "job.created", "job.failed", "job.processing", "wallet.released"]
OPENED = ["job.created", "job.processing"]
NO_CHARGE = "The image could not be generated. No charge was applied."

TASK_COMPLETED = ["job.completed", "job.created", "job.processing", "task.completed", "wallet.captured"]
TASK_FAILED = ["job.created", "job.failed", "job.processing", "task.failed", "wallet.released"]

DEFINITIONS = Path(__file__).parents[2] / "statemachines"

Edge = tuple[str, str]
WALKS: list[tuple[str, ...]] = []


def walk(*states: str) -> tuple[str, ...]:
    """A way through a machine that a test takes; its first state tells which machine."""
    WALKS.append(states)
    return states


def walked_from(first: str) -> set[Edge]:
    """Every transition that the walks of a machine take."""
    return {edge for path in WALKS if path[0] == first for edge in pairwise((*path, "the end"))}


def ways_out_of(machine: str) -> set[Edge]:
    """Every transition of a machine, those after an error too."""
    states = json.loads((DEFINITIONS / f"{machine}.asl.json").read_text(encoding="utf-8"))["States"]
    return {
        (name, way)
        for name, state in states.items()
        for way in (state.get("Next", "the end"), *(catcher["Next"] for catcher in state.get("Catch", [])))
    }


HAPPY = walk("CallProvider", "StoreOutput", "SettleWallet", "PublishCompleted")
REFUSED = walk("CallProvider", "ReleaseHold", "PublishFailed")
UNUSABLE = walk("CallProvider", "StoreOutput", "ReleaseHold", "PublishFailed")
UNASKED = walk("CallProvider", "LeftToTheSweeper")
UNSTORED = walk("CallProvider", "StoreOutput", "LeftToTheSweeper")
UNSETTLED = walk("CallProvider", "StoreOutput", "SettleWallet", "LeftToTheSweeper")
LEFT_IN = {"CallProvider": UNASKED, "StoreOutput": UNSTORED, "SettleWallet": UNSETTLED}
CLOSED_BEFORE_BEGINNING = walk("CallProvider", "ReleaseHold", "AlreadyClosed")
CLOSED_BEFORE_SETTLING = walk("CallProvider", "StoreOutput", "SettleWallet", "AlreadyClosed")
CLOSED_BEFORE_RELEASING = walk("CallProvider", "ReleaseHold", "AlreadyClosed")
UNRELEASED = walk("CallProvider", "ReleaseHold", "LeftToTheSweeper")
COMPLETED_UNHEARD = walk(*HAPPY, "AnnounceLater")
FAILED_UNHEARD = walk(*REFUSED, "AnnounceLater")
UNHEARD_AND_LOST = walk(*HAPPY, "AnnounceLater", "LeftToTheSweeper")

BATCH_HAPPY = walk("CallProviders", *HAPPY[1:])
BATCH_REFUSED = walk("CallProviders", *UNUSABLE[1:])
BATCH_UNASKED = walk("CallProviders", *UNASKED[1:])
BATCH_UNSTORED = walk("CallProviders", *UNSTORED[1:])
BATCH_UNSETTLED = walk("CallProviders", *UNSETTLED[1:])
BATCH_LEFT_IN = {
    "CallProvider": BATCH_UNASKED,
    "StoreOutput": BATCH_UNSTORED,
    "SettleWallet": BATCH_UNSETTLED,
}
BATCH_CLOSED_BEFORE_SETTLING = walk("CallProviders", *CLOSED_BEFORE_SETTLING[1:])
BATCH_CLOSED_BEFORE_RELEASING = walk("CallProviders", "StoreOutput", *CLOSED_BEFORE_RELEASING[1:])
BATCH_UNRELEASED = walk("CallProviders", "StoreOutput", *UNRELEASED[1:])
BATCH_COMPLETED_UNHEARD = walk(*BATCH_HAPPY, "AnnounceLater")
BATCH_FAILED_UNHEARD = walk(*BATCH_REFUSED, "AnnounceLater")
BATCH_UNHEARD_AND_LOST = walk(*BATCH_HAPPY, "AnnounceLater", "LeftToTheSweeper")


def assert_released(deployed: Deployed, customer: Customer, job_id: str) -> Job:
    """The job ended, and not a cent was spent or is still held."""
    job, wallet = deployed.job(customer, job_id), deployed.wallet(customer)
    assert job.status.terminal
    assert (job.hold_state, job.cost) == (HoldState.RELEASED, 0)
    assert (wallet.balance, wallet.held, wallet.available) == (10_000_000, 0, 10_000_000)
    return job


def assert_captured(
    deployed: Deployed, customer: Customer, job_id: str, *, delivered: int | None = None
) -> Job:
    """The job was completed, and what was delivered was paid once: every output, if not told."""
    job, wallet = deployed.job(customer, job_id), deployed.wallet(customer)
    outputs = job.output_count if delivered is None else delivered
    assert (job.status, job.hold_state, len(job.outputs)) == (
        JobStatus.COMPLETED,
        HoldState.CAPTURED,
        outputs,
    )
    assert job.cost == job.submission.unit_price * outputs
    assert (wallet.balance, wallet.held) == (10_000_000 - job.cost, 0)
    return job
