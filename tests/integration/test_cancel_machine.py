"""Cancels over the real table: whatever was asked, answered, stored or lost, the money is a model's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from shoal.domain.canceling import movements_of
from shoal.domain.errors import CallTaken, JobAlreadyTerminal, JobClosed
from shoal.domain.job import Job
from shoal.domain.money import Asset
from shoal.domain.routing import Phase, ProviderCall
from shoal.domain.script import SceneText
from shoal.domain.wallet import EntryKind
from tests.fakes import FakeIds
from tests.integration.bench import PRICE, Bench
from tests.integration.conditions.conditions import Meanwhile, client_of, over
from tests.integration.faults import faulty, timed_out
from tests.support.deployed import Deployed

USD, CREDITS = 100 * PRICE, 100
RUN = settings(max_examples=8, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
RARELY = st.sampled_from([False, False, True])
INDEX = st.integers(0, 3)


@dataclass
class ModelJob:
    """What a caller and a provider know of a job: who was asked, what is billed, what is there."""

    job: Job
    unit: int
    outputs: int
    state: str = "open"
    billed: set[int] = field(default_factory=set)
    ready: set[int] = field(default_factory=set)
    paid: int = 0
    marks: int = 0
    restarted: bool = False

    @property
    def held(self) -> int:
        return self.unit * self.outputs if self.state == "open" else 0

    @property
    def in_video(self) -> bool:
        return self.job.id.startswith("vid_")

    @property
    def spent(self) -> int:
        return self.unit * self.paid

    def cancel(self) -> None:
        there = self.ready if self.in_video else set()
        self.paid = len(self.billed)
        self.state = "awaiting" if self.billed - there else "done"

    def finish(self, arrived: int) -> None:
        self.state, self.paid = "done", arrived


class CancelMachine(RuleBasedStateMachine):
    jobs: Bundle[ModelJob] = Bundle("jobs")

    def __init__(self, deployed: Deployed) -> None:
        super().__init__()
        self.bench = Bench(deployed.fresh_table(), FakeIds())
        self.caller = self.bench.account(USD, credits=CREDITS)
        self.models: list[ModelJob] = []

    @rule(target=jobs, outputs=st.integers(1, 4))
    def submit_task(self, outputs: int) -> ModelJob:
        job = self.bench.begin(self.bench.accept_task(self.caller, outputs))
        self.models.append(ModelJob(job, PRICE, outputs))
        return self.models[-1]

    @rule(target=jobs, scenes=st.integers(1, 4))
    def submit_video(self, scenes: int) -> ModelJob:
        answered = self.bench.submit_video(self.caller, scenes)
        job = self.bench.begin(self.bench.jobs.get(self.caller.account_id, answered.job_id))
        self.bench.scenes.write(job, [SceneText(f"scene {n}", "A line.") for n in range(scenes)])
        self.models.append(ModelJob(job, 1, scenes))
        return self.models[-1]

    @rule(model=jobs, index=INDEX, phase=st.sampled_from(Phase), free=st.booleans())
    def note_call(self, model: ModelJob, index: int, phase: Phase, free: bool) -> None:
        """A provider is asked for an output, makes it, or is too busy after all."""
        index %= model.outputs
        self.write(model, self.bench, index, phase, free)

    def write(self, model: ModelJob, bench: Bench, index: int, phase: Phase, free: bool) -> None:
        model.marks += 1
        call = ProviderCall(1, "simulator/", phase, mark=f"{model.marks}", free=free)
        job = bench.job(model.job)
        if model.state == "done" or (model.state == "awaiting" and index not in job.captured):
            with pytest.raises((JobClosed, CallTaken)):
                bench.jobs.note_call(job, index, call)
            return
        bench.jobs.note_call(job, index, call)
        if model.state == "open":
            model.billed -= {index}
            model.billed |= {index} if call.billed else set()

    @rule(model=jobs, index=INDEX)
    def store_clip(self, model: ModelJob, index: int) -> None:
        index %= model.outputs
        if model.in_video and model.state != "done":
            self.bench.scenes.mark_ready(model.job, index, 7)
            model.ready |= {index}

    @rule(model=jobs, reply_lost=RARELY, index=INDEX, meanwhile=RARELY)
    def cancel(self, model: ModelJob, reply_lost: bool, index: int, meanwhile: bool) -> None:
        bench = self.bench
        if model.state != "open":
            with pytest.raises(JobAlreadyTerminal):
                bench.cancel_job(self.caller, model.job.id)
            return
        if meanwhile:
            act: Callable[[], object] = lambda: self.write(  # noqa: E731
                model, self.bench, index % model.outputs, Phase.ASKED, free=False
            )
            bench = bench.over(over(bench.table, Meanwhile(client_of(bench.table), act, transaction=1)))
        elif reply_lost:
            bench = bench.over(faulty(bench.table, "transact_write_items", timed_out, after=True))
        canceled = bench.cancel_job(self.caller, model.job.id)
        assert canceled.captured == model.billed
        model.cancel()
        assert (canceled.cost, canceled.awaiting) == (model.spent, model.state == "awaiting")

    @rule(model=jobs, missing=INDEX)
    def settle(self, model: ModelJob, missing: int) -> None:
        """The pictures that arrived are stored: all, or not all of them."""
        if model.in_video or model.state == "done":
            return
        delivered = max(1, model.outputs - missing)
        arrived = len(model.billed & {*range(delivered)}) if model.state == "awaiting" else delivered
        model.finish(arrived)
        if not arrived:
            with pytest.raises(JobClosed):
                self.bench.settle(model.job, delivered)
            return
        settled = self.bench.settle(model.job, delivered)
        assert (settled.cost, len(settled.outputs)) == (model.spent, model.paid)

    @rule(model=jobs, swept=st.booleans())
    def no_more_comes(self, model: ModelJob, swept: bool) -> None:
        """The execution fails, or dies: what a cancel captured and did not arrive is given back."""
        if model.state == "done":
            return
        if swept and model.state == "open":
            expected, model.restarted = "left" if model.restarted else "started", True
            assert self.bench.close_execution(self.caller.account_id, model.job.id) == expected
            return
        if swept:
            assert self.bench.close_execution(self.caller.account_id, model.job.id) == "closed"
        else:
            self.bench.fail(model.job)
        kept = model.billed & model.ready if model.in_video and model.state == "awaiting" else set()
        model.finish(len(kept))

    @invariant()
    def the_wallets_agree(self) -> None:
        for asset, granted in ((Asset.USD, USD), (Asset.CREDIT, CREDITS)):
            mine = [model for model in self.models if model.job.asset is asset]
            wallet = self.bench.wallet(self.caller, asset)
            assert wallet.balance == granted - sum(model.spent for model in mine)
            assert wallet.held == sum(model.held for model in mine)

    def teardown(self) -> None:
        assert self.bench.audit_ledger() == []
        for model in self.models:
            assert self.bench.job(model.job).cost == model.spent
            if model.state == "done":
                self.what_is_told_is_what_was_written(self.bench.job(model.job))

    def what_is_told_is_what_was_written(self, job: Job) -> None:
        written = [
            (entry["sk"], entry["balance_delta"], entry["held_delta"])
            for entry in self.bench.entries(self.caller, job.asset)
            if entry["reference"] == job.ulid and entry["kind"] != EntryKind.HOLD
        ]
        told = [(f"ENTRY#{m.entry_id}", m.balance_delta, m.held_delta) for m in movements_of(job)]
        assert sorted(told) == sorted(written)


def test_cancels_agree_with_the_model(deployed: Deployed) -> None:
    class Machine(CancelMachine):
        def __init__(self) -> None:
            super().__init__(deployed)

    run_state_machine_as_test(Machine, settings=RUN)
