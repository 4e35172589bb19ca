"""Stories of images and tasks: what is asked, what breaks meanwhile, and all that must hold in the end."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain import families
from shoal.domain.errors import ShoalError
from shoal.domain.job import HoldState, Job, JobStatus
from shoal.domain.wallet import EntryKind
from tests.fakes import Fault
from tests.support.executions import Crash
from tests.worlds.machine import Stage
from tests.worlds.world import Customer, World


@dataclass(frozen=True)
class Story:
    """A prompt, how it ends when nothing breaks, and what the caller does meanwhile.

    `outputs` make it a task of so many outputs, of which `delivered` come; to a task that is canceled `kept`.
    """

    prompt: str
    status: JobStatus
    cancel_after_s: int | None = None
    usd: str = "10.00"
    outputs: int = 0
    delivered: int = 1
    kept: int = 0

    def tell(self, faults: list[Fault]) -> tuple[World, Customer]:
        """Play it to its end with these faults in it."""
        world = World()
        customer, stage = world.customer(usd=self.usd), Stage(world)
        world.network.calls.clear()
        world.network.faults = faults
        try:
            task = {"model": "nanobanana", "num_outputs": self.outputs}
            body = {"prompt": self.prompt} | (task if self.outputs else {"mode": "2k"})
            answered = world.submit_body(customer, body, None)
            if self.cancel_after_s is not None:
                stage.run(until_ms=world.clock.ms + self.cancel_after_s * 1000)
                world.cancel_job(customer.caller, answered.job_id)
        except (ShoalError, Crash):
            pass  # the caller got no answer; what was begun goes on
        stage.run()
        world.network.heal()
        return world, customer

    def check(self, world: World, customer: Customer) -> None:
        """All that must hold in the end, whatever broke."""
        check(world, customer)


COMPLETED, FAILED, CANCELED = JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED
STORIES = {
    "at once": Story("A shark", COMPLETED),
    "by poll": Story("[poll] A shark", COMPLETED),
    "by callback": Story("[callback] A shark", COMPLETED),
    "busy at first": Story("[busy:3] A shark", COMPLETED),
    "on a free trial": Story("A shark", COMPLETED, usd="0"),
    "failing": Story("[fail] A shark", FAILED),
    "failing on a free trial": Story("[fail] A shark", FAILED, usd="0"),
    "refused": Story("[nsfw] A shark", FAILED),
    "delivering junk": Story("[poll] junk", FAILED),
    "never answering": Story("[timeout]", FAILED),
    "canceled at once": Story("[slow:30] A shark", CANCELED, cancel_after_s=0),
    "canceled while pending": Story("[slow:30] A shark", CANCELED, cancel_after_s=5),
    "canceled too late": Story("A shark", COMPLETED, cancel_after_s=20),
    "canceled when it is billed": Story("[billed][slow:30] A shark", COMPLETED, cancel_after_s=5),
    "canceled on a billed trial": Story("[billed][slow:30] A shark", COMPLETED, cancel_after_s=5, usd="0"),
    "billed and never answering": Story("[billed][timeout]", CANCELED, cancel_after_s=5),
    "a trial billed and never answering": Story("[billed][timeout]", CANCELED, cancel_after_s=5, usd="0"),
    "billed and delivering junk": Story("[billed][slow:30] junk", CANCELED, cancel_after_s=5),
    "canceled while it calls back": Story("[billed][callback] A shark", COMPLETED, cancel_after_s=0),
    "one task": Story("A shark", COMPLETED, outputs=1),
    "three at once": Story("A shark", COMPLETED, outputs=3, delivered=3),
    "two by poll": Story("[poll] A shark", COMPLETED, outputs=2, delivered=2),
    "two by callback": Story("[callback] A shark", COMPLETED, outputs=2, delivered=2),
    "two busy at first": Story("[busy:3] A shark", COMPLETED, outputs=2, delivered=2),
    "one of three failing": Story("[fail] A shark", COMPLETED, outputs=3, delivered=2),
    "both failing": Story("[fail][fail] A shark", FAILED, outputs=2),
    "both delivering junk": Story("junk", FAILED, outputs=2),
    "one failing and one never answering": Story("[fail][timeout]", FAILED, outputs=2),
    "two canceled while pending": Story("[slow:30] A shark", CANCELED, cancel_after_s=5, outputs=2),
    "two canceled when they are billed": Story(
        "[billed][slow:30] A shark", CANCELED, cancel_after_s=5, outputs=2, kept=2
    ),
    "three canceled, one of them made": Story(
        "[slow:30:scene=1][slow:60:scene=2] A shark", CANCELED, cancel_after_s=5, outputs=3, kept=1
    ),
    "two billed, one never answering": Story(
        "[billed][slow:30][timeout:scene=1]", CANCELED, cancel_after_s=5, outputs=2, kept=1
    ),
}


def check(world: World, customer: Customer) -> Job | None:
    """All that must hold in the end; the job, if one was written."""
    assert world.audit_ledger() == []
    assert world.wallet(customer).held == 0
    job = next(iter(world.tables.jobs.values()), None)
    if job is None:
        assert world.entries(customer) == ["top_up"]
        assert world.bus.published == []
        return None
    assert job.status.terminal
    assert job.hold_state is not HoldState.HELD
    assert job.deadline_at_ms is None
    check_entries(world.entries(customer), job)
    outcome = "completed" if job.status is COMPLETED else "failed"
    check_price(world, customer, job)
    for family in ("image" if job.family is families.IMAGE else "task", "job"):
        (times,) = world.bus.ids(f"{family}.{outcome}").values()
        assert times >= 1
        assert not world.bus.ids(f"{family}.{'failed' if outcome == 'completed' else 'completed'}")
    for opening in ("job.created", "job.processing"):
        assert len(world.bus.ids(opening)) <= 1
    return job


def check_entries(kinds: list[str], job: Job) -> None:
    """A hold resolves once; only what a cancel captured may come back, and in one entry."""
    ends = {
        COMPLETED: [["capture"]],
        CANCELED: [["capture"], ["capture", "undelivered"]] if job.cost else [],
    }.get(job.status, [["release"]])
    if job.status is CANCELED and not job.captured:
        ends = [["release"], ["capture", "undelivered"]]
    assert kinds[:2] == ["top_up", "hold"]
    assert kinds[2:] in ends


def check_price(world: World, customer: Customer, job: Job) -> None:
    """Exactly what was delivered is charged and counted, and each delivered output is there to be fetched."""
    delivered = len(job.outputs)
    assert (delivered > 0) == (job.status is COMPLETED or bool(job.captured))
    assert job.cost == (0 if job.free_trial else job.submission.unit_price * delivered)
    granted = world.wallet(customer).balance + job.cost
    assert granted == sum(
        entry.balance_delta
        for entry in world.tables.entries[customer.account_id, job.asset].values()
        if entry.kind is EntryKind.TOP_UP
    )
    assert {output.key for output in job.outputs} <= set(world.outputs.objects)
    used = world.summarize_usage(customer.caller, None, None)
    counted = [(delivered, job.cost, 1)] if delivered else []
    assert [(row.units, row.cost, row.requests) for row in used] == counted
