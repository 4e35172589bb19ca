"""In whatever order the actors come at a job, its hold resolves once and the wallet stays right."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.domain.errors import ShoalError
from shoal.domain.job import HoldState, Job
from shoal.domain.money import Asset, parse_usd
from tests.support.factories import DECISION
from tests.worlds.world import STORED, Customer, World

BODY = {"mode": "2k", "prompt": "A shark"}
PRICE, TOP_UP = 20_000, 5


class Scene:
    """One job in processing, past its deadline, and everybody who may do something about it."""

    def __init__(self, usd: str) -> None:
        self.world = World()
        self.customer: Customer = self.world.customer(usd=usd)
        self.granted = parse_usd(usd)
        submitted = self.world.job(self.customer, self.submit())
        self.job: Job = self.world.jobs.begin(
            submitted.account_id, submitted.id, 0, "token", self.world.clock.ms
        )
        self.world.clock.pass_seconds(700)

    def submit(self) -> str:
        return self.world.submit_body(self.customer, BODY, "order-1").job_id

    def settle(self) -> None:
        self.world.settle_wallet(self.job.account_id, self.job.id, [STORED])

    def release(self) -> None:
        self.world.release_hold(self.job.account_id, self.job.id, "ProviderFailed", "No luck.")

    def cancel(self) -> None:
        self.world.cancel_job(self.customer.caller, self.job.id)

    def sweep(self) -> None:
        self.world.sweep_jobs()

    def close(self) -> None:
        self.world.close_execution(self.job.account_id, self.job.id)

    def top_up(self) -> None:
        self.world.manage.grant(self.customer.account_id, Asset.USD, TOP_UP, DECISION, "invoice-1")

    def act(self, actor: str) -> None:
        """An actor does what it does; it may be told that it came too late."""
        self.world.clock.pass_seconds(1)
        try:
            getattr(self, actor)()
        except ShoalError:
            return

    def resolutions(self) -> list[str]:
        return [kind for kind in self.world.entries(self.customer) if kind in ("capture", "release")]

    def check(self) -> None:
        entries, wallet = self.world.entries(self.customer), self.world.wallet(self.customer)
        spent = PRICE if "capture" in entries and not self.job.free_trial else 0
        credited = TOP_UP * (entries.count("top_up") - 1)
        assert credited in (0, TOP_UP)
        assert wallet.balance == self.granted + credited - spent
        assert wallet.available >= 0
        assert len(self.resolutions()) <= 1
        held = self.world.now(self.job).hold_state is HoldState.HELD
        assert held == (not self.resolutions())
        assert held == (not self.world.now(self.job).status.terminal)
        assert len(self.world.tables.jobs) == 1
        assert self.world.audit_ledger() == []


RESOLVED_BY = {
    "settle": "capture",
    "release": "release",
    "cancel": "release",
    "sweep": "release",
}


@pytest.mark.parametrize("first", RESOLVED_BY)
@pytest.mark.parametrize("then", RESOLVED_BY)
@pytest.mark.parametrize("usd", ["10.00", "0"])
def test_who_comes_first_resolves_the_hold_for_good(first: str, then: str, usd: str) -> None:
    scene = Scene(usd)
    scene.act(first)
    after_one = scene.world.wallet(scene.customer), scene.world.now(scene.job).status

    scene.act(then)

    assert scene.resolutions() == [RESOLVED_BY[first]]
    assert (scene.world.wallet(scene.customer), scene.world.now(scene.job).status) == after_one
    scene.check()


@given(
    st.lists(st.sampled_from([*RESOLVED_BY, "close", "submit", "top_up"]), max_size=10),
    st.sampled_from(["10.00", "0.02", "0"]),
)
def test_no_order_of_actors_moves_money_twice(order: list[str], usd: str) -> None:
    scene = Scene(usd)
    scene.check()
    for actor in order:
        scene.act(actor)
        scene.check()
