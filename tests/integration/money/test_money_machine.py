"""The wallet as a state machine: whatever happens in whatever order, it agrees with the model."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from shoal.domain.errors import (
    IdempotencyKeyReused,
    InsufficientBalance,
    JobAlreadyTerminal,
    JobClosed,
    Unavailable,
    ValidationFailed,
)
from shoal.domain.job import FAILED
from shoal.domain.money import Asset
from shoal.ports.jobs import ExecutionState
from shoal.use_cases.jobs.submit_job import Answered
from tests.fakes import FakeIds
from tests.integration.bench import Bench
from tests.integration.faults import faulty, timed_out
from tests.support.deployed import Deployed
from tests.support.factories import DECISION
from tests.worlds.money_model import IMAGES, MINUTE_MS, TASKS, ModelAccount, ModelJob, Order

GRANT = 60_000
EXAMPLES, STEPS = 25, 30
RUN = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=list(HealthCheck),
)
KEYS = st.sampled_from([None, None, "key-1", "key-2"])
ORDERS = st.one_of(st.sampled_from(IMAGES), st.sampled_from(TASKS))
PAUSES_S = st.sampled_from([1, 30, 61, 500, 16 * 60, 24 * 3_600 - 1, 24 * 3_600, 25 * 3_600])
RARELY = st.sampled_from([False, False, False, True])
RESOLUTIONS = ("capture", "release")
NO_ENDS = ("wallet.low_balance", "job.created", "job.processing")


class MoneyMachine(RuleBasedStateMachine):
    """One account; its jobs are drawn from the bundle by id."""

    jobs: Bundle[str] = Bundle("jobs")

    def __init__(self, deployed: Deployed) -> None:
        super().__init__()
        self.bench = Bench(deployed.fresh_table(), FakeIds())
        self.caller = self.bench.account(GRANT)
        self.model = ModelAccount(GRANT)

    def real(self, *, reply_lost: bool = False, operation: str = "transact_write_items") -> Bench:
        """The bench, or the bench with the next reply to a write lost: it is found to have been made."""
        if not reply_lost:
            return self.bench
        return self.bench.over(faulty(self.bench.table, operation, timed_out, after=True))

    @property
    def now_ms(self) -> int:
        return self.bench.clock.ms

    @rule(
        amount=st.integers(1, 40_000),
        reference=st.sampled_from(["a", "b", "c", "d"]),
        again=st.booleans(),
        reply_lost=RARELY,
    )
    def top_up(self, amount: int, reference: str, again: bool, reply_lost: bool) -> None:
        new = reference not in self.model.top_ups
        if again and not new:
            amount = self.model.top_ups[reference]
        accounts = self.real(reply_lost=reply_lost and new).accounts

        if amount != self.model.top_ups.get(reference, amount):
            with pytest.raises(ValidationFailed):
                accounts.grant(self.caller.account_id, Asset.USD, amount, DECISION, reference)
        else:
            assert accounts.grant(self.caller.account_id, Asset.USD, amount, DECISION, reference) is new
        self.model.top_ups.setdefault(reference, amount)

    @rule(target=jobs, order=ORDERS, key=KEYS, unreachable=RARELY)
    def submit(self, order: Order, key: str | None, unreachable: bool) -> str | MultipleResults[str]:
        earlier = self.model.earlier(key, self.now_ms)
        if earlier is not None:
            self.submit_again(order, key, earlier)
            return multiple()
        paid_with = self.model.pays_with(order)
        if paid_with is None:
            with pytest.raises(InsufficientBalance):
                self.send(order, key)
            return multiple()
        if unreachable:
            self.bench.network.fail("workflow.start", Unavailable())
        answered = self.send(order, key)
        self.bench.network.heal()
        assert not answered.replayed
        trial = paid_with == "trial"
        if order.mode:
            assert answered.body["estimated_cost"] == ("$0.00" if trial else f"$0.0{order.price // 10_000}")
        job = ModelJob(answered.job_id, order, trial, self.now_ms, self.now_ms + MINUTE_MS)
        job.execution = None if unreachable else "running"
        self.model.accept(job, key, self.now_ms)
        return job.id

    def send(self, order: Order, key: str | None) -> Answered:
        if order.mode:
            return self.bench.submit(self.caller, key, order.prompt, order.mode)
        return self.bench.submit_task(self.caller, order.outputs, key, order.prompt, ttl_seconds=order.ttl_s)

    def submit_again(self, order: Order, key: str | None, earlier: tuple[Order, str]) -> None:
        if earlier[0] != order:
            with pytest.raises(IdempotencyKeyReused):
                self.send(order, key)
            return
        again = self.send(order, key)
        assert (again.replayed, again.job_id) == (True, earlier[1])

    @rule(job_id=jobs, index=st.integers(0, 3))
    def begin(self, job_id: str, index: int) -> None:
        job = self.model.jobs[job_id]
        index %= job.order.outputs
        if not job.open:
            with pytest.raises(JobClosed):
                self.bench.begin(self.stored(job_id), index)
            return
        self.bench.begin(self.stored(job_id), index)
        self.model.begin(job, self.now_ms)

    @rule(job_id=jobs, missing=st.integers(0, 3), reply_lost=RARELY)
    def settle(self, job_id: str, missing: int, reply_lost: bool) -> None:
        job = self.model.jobs[job_id]
        delivered = max(1, job.order.outputs - missing)
        if job.status not in ("queued", "processing", "completed"):
            with pytest.raises(JobClosed):
                self.bench.settle(self.stored(job_id), delivered)
            return
        self.answer(job, "completed", "settle", delivered, reply_lost=reply_lost)

    @rule(job_id=jobs, reply_lost=RARELY)
    def fail(self, job_id: str, reply_lost: bool) -> None:
        job = self.model.jobs[job_id]
        if not job.open and job.closer != "workflow":
            with pytest.raises(JobClosed):
                self.bench.fail(self.stored(job_id))
            return
        self.answer(job, "failed", "fail", reply_lost=reply_lost)

    def answer(self, job: ModelJob, status: str, action: str, *delivered: int, reply_lost: bool) -> None:
        """The workflow's last step, on an open job or again on one that it had closed itself."""
        act = getattr(self.real(reply_lost=reply_lost and job.open), action)
        if job.open:
            self.model.close(job, status, sum(delivered), self.now_ms)
        closed = act(self.stored(job.id), *delivered)
        assert (closed.status, closed.cost, len(closed.outputs)) == (job.status, job.cost, job.delivered)

    @rule(job_id=jobs, bus_down=RARELY)
    def cancel(self, job_id: str, bus_down: bool) -> None:
        job = self.model.jobs[job_id]
        if not job.open:
            with pytest.raises(JobAlreadyTerminal):
                self.bench.cancel_job(self.caller, job_id)
            return
        self.break_bus(bus_down)
        assert self.bench.cancel_job(self.caller, job_id).status == "canceled"
        self.bench.network.heal()
        self.model.cancel(job, self.now_ms, bus_down)

    def break_bus(self, down: bool) -> None:
        if down:
            self.bench.network.fail("bus.publish", Unavailable())

    @rule(job_id=jobs)
    def execution_dies(self, job_id: str) -> None:
        job = self.model.jobs[job_id]
        if job.execution is None or job.deleted:
            return  # an execution ends long before its outputs expire
        job.execution = "ended"
        self.bench.workflow.executions[self.stored(job_id).execution] = ExecutionState.ENDED
        expected = "announced" if job.closer == "workflow" else "left"
        if job.open and not job.restarts:
            job.execution, job.restarts, expected = "running", 1, "started"
        assert self.bench.close_execution(self.caller.account_id, job_id) == expected
        if expected == "announced":
            self.model.announce(job, bus_down=False)

    @rule(bus_down=RARELY, bucket_down=RARELY)
    def sweep(self, bus_down: bool, bucket_down: bool) -> None:
        self.break_bus(bus_down)
        if bucket_down:
            self.bench.network.fail("outputs.delete", Unavailable())
            self.bench.network.fail("outputs.delete_leftovers", Unavailable())
        done = self.bench.sweep_jobs()
        self.bench.network.heal()
        assert done == self.model.sweep(self.now_ms, bus_down=bus_down, bucket_down=bucket_down)

    @rule(seconds=PAUSES_S)
    def time_passes(self, seconds: int) -> None:
        self.bench.clock.pass_seconds(seconds)

    @invariant()
    def the_wallet_is_the_models(self) -> None:
        wallet = self.bench.wallet(self.caller)
        assert (wallet.balance, wallet.held) == (self.model.balance, self.model.held)
        assert wallet.free_generations == self.model.trials
        assert wallet.available >= 0

    @invariant()
    def the_entries_sum_to_the_wallet_and_resolve_each_hold_once(self) -> None:
        entries, wallet = self.bench.entries(self.caller), self.bench.wallet(self.caller)
        assert sum(entry["balance_delta"] for entry in entries) == wallet.balance
        assert sum(entry["held_delta"] for entry in entries) == wallet.held
        assert sum(entry["free_generations_delta"] for entry in entries) == wallet.free_generations
        of_job: dict[str, dict[str, Any]] = {job_id: {} for job_id in self.model.jobs}
        ids = {job_id.partition("_")[2]: job_id for job_id in of_job}
        for entry in entries:
            if entry["kind"] != "top_up":
                of_job[ids[entry["reference"]]][entry["kind"]] = entry
        for job_id, kinds in of_job.items():
            resolutions = [kinds[kind] for kind in RESOLUTIONS if kind in kinds]
            assert "hold" in kinds
            assert len(resolutions) == (0 if self.model.jobs[job_id].open else 1)
            assert all(-entry["balance_delta"] <= kinds["hold"]["held_delta"] for entry in resolutions)
            assert all(-entry["balance_delta"] == self.model.jobs[job_id].cost for entry in resolutions)
            assert all(entry["held_delta"] == -kinds["hold"]["held_delta"] for entry in resolutions)

    @invariant()
    def the_usage_is_the_models_and_the_sum_of_the_captures(self) -> None:
        rollups = self.bench.rollups(self.caller)
        usage = {(found.day, found.model): (found.units, found.cost, found.requests) for found in rollups}
        assert usage == self.model.usage
        entries = self.bench.entries(self.caller)
        captured = [-entry["balance_delta"] for entry in entries if entry["kind"] == "capture"]
        assert sum(cost for _, cost, _ in usage.values()) == sum(captured)
        assert sum(requests for *_, requests in usage.values()) == len(captured)

    @invariant()
    def the_jobs_are_the_models(self) -> None:
        items = {item["id"]: item for item in self.bench.all_jobs(self.caller)}
        assert items.keys() == self.model.jobs.keys()
        for job_id, job in self.model.jobs.items():
            item = items[job_id]
            assert (item["status"], item["hold_state"] == "held") == (job.status, job.open)
            assert (item.get("deadline_at"), "open_shard" in item) == (job.due_ms, job.due_ms is not None)
            assert (item.get("closed_by"), item["free_trial"]) == (job.closer, job.trial)
            assert ("failed_shard" in item) == (job.status in FAILED)

    @invariant()
    def what_was_announced_was_told_from_its_beginning_to_its_end(self) -> None:
        """Nobody tells of a beginning before: here jobs begin without their workflow.

        An output that came shows that the beginning of its job was told.
        """
        ends = [event for event in set_of(self.bench) if event.type not in NO_ENDS]
        money = [event for event in ends if event.type.startswith("wallet.")]
        announced = [job_id for job_id, job in self.model.jobs.items() if job.announced]
        assert Counter(event.detail["data"]["job_id"] for event in ends) == dict.fromkeys(announced, 3)
        assert Counter(event.detail["data"]["job_id"] for event in money) == dict.fromkeys(announced, 1)
        created = [event for event in set_of(self.bench) if event.type == "job.created"]
        untold = [job_id for job_id in announced if not self.model.jobs[job_id].delivered]
        assert Counter(event.detail["data"]["job_id"] for event in created) == dict.fromkeys(untold, 1)

    def teardown(self) -> None:
        """In the end nothing is open, held or unannounced, and the audit has nothing to say."""
        for pause_s in (20 * 60, 20 * 60, 20 * 60, 3 * 3_600, 60):
            self.bench.clock.pass_seconds(pause_s)
            assert self.bench.sweep_jobs() == self.model.sweep(self.now_ms)
        assert self.bench.wallet(self.caller).held == 0
        assert not any(job.open or job.due_ms is not None for job in self.model.jobs.values())
        assert all(job.deleted for job in self.model.jobs.values() if job.delivered and job.order.ttl_s)
        self.the_jobs_are_the_models()
        self.what_was_announced_was_told_from_its_beginning_to_its_end()
        assert self.bench.audit_ledger() == []

    def stored(self, job_id: str) -> Any:
        return self.bench.jobs.get(self.caller.account_id, job_id)


def set_of(bench: Bench) -> list[Any]:
    """The events that were published, each once by its id."""
    return list({event.detail["id"]: event for event in bench.bus.published}.values())


@pytest.mark.timeout(600)  # a failure is shrunk for up to five minutes
def test_money_is_exact_whatever_happens(deployed: Deployed) -> None:
    class Machine(MoneyMachine):
        def __init__(self) -> None:
            super().__init__(deployed)

    run_state_machine_as_test(Machine, settings=RUN)
