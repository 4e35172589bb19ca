"""The ways through generate.asl.json that the tests take, and how a job stands at their ends."""

from __future__ import annotations

from shoal.domain.job import HoldState, Job, JobStatus
from tests.support import Customer, Deployed

COMPLETED = ["image.completed", "job.completed", "job.created", "job.processing"]
FAILED = ["image.failed", "job.created", "job.failed", "job.processing"]
OPENED = ["job.created", "job.processing"]
NO_CHARGE = "The image could not be generated. No charge was applied."

WALKS: list[tuple[str, ...]] = []


def walk(*states: str) -> tuple[str, ...]:
    """A way through the machine that a test below takes."""
    WALKS.append(states)
    return states


HAPPY = walk("CallProvider", "StoreOutput", "SettleWallet", "PublishCompleted")
REFUSED = walk("CallProvider", "ReleaseHold", "PublishFailed")
UNUSABLE = walk("CallProvider", "StoreOutput", "ReleaseHold", "PublishFailed")
UNSETTLED = walk("CallProvider", "StoreOutput", "SettleWallet", "ReleaseHold", "PublishFailed")
CLOSED_BEFORE_BEGINNING = walk("CallProvider", "AlreadyClosed")
CLOSED_BEFORE_SETTLING = walk("CallProvider", "StoreOutput", "SettleWallet", "AlreadyClosed")
CLOSED_BEFORE_RELEASING = walk("CallProvider", "ReleaseHold", "AlreadyClosed")
UNRELEASED = walk("CallProvider", "ReleaseHold", "LeftToTheSweeper")
COMPLETED_UNHEARD = walk(*HAPPY, "AnnounceLater")
FAILED_UNHEARD = walk(*REFUSED, "AnnounceLater")
UNHEARD_AND_LOST = walk(*HAPPY, "AnnounceLater", "LeftToTheSweeper")


def assert_released(deployed: Deployed, customer: Customer, job_id: str) -> Job:
    """The job ended, and not a cent was spent or is still held."""
    job, wallet = deployed.job(customer, job_id), deployed.wallet(customer)
    assert job.status.terminal
    assert (job.hold_state, job.cost) == (HoldState.RELEASED, 0)
    assert (wallet.balance, wallet.held, wallet.available) == (10_000_000, 0, 10_000_000)
    return job


def assert_captured(deployed: Deployed, customer: Customer, job_id: str) -> Job:
    """The job was completed, and its price was paid once."""
    job, wallet = deployed.job(customer, job_id), deployed.wallet(customer)
    assert (job.status, job.hold_state, job.cost) == (JobStatus.COMPLETED, HoldState.CAPTURED, job.price)
    assert (wallet.balance, wallet.held) == (10_000_000 - job.price, 0)
    return job
