"""Usage: what the summary tells is what the ledger captured, to the micro-dollar."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.domain.api_key import KeyPrefix
from shoal.domain.events import utc_day
from shoal.domain.job import JobStatus
from shoal.domain.money import Asset
from shoal.domain.wallet import EntryKind
from shoal.use_cases.money.summarize_usage import ModelUsage
from tests.worlds.world import STORED, Customer, World

MODELS = ["nanobanana", "flux", "gpt-image"]
DAY_S = 24 * 3_600


def summary(
    world: World, customer: Customer, from_day: str | None = None, to_day: str | None = None
) -> list[ModelUsage]:
    return world.summarize_usage(customer.caller, from_day, to_day)


def deliver(world: World, customer: Customer, model: str, asked: int, delivered: int) -> None:
    job = world.processing(customer, model=model, num_outputs=asked)
    if delivered:
        world.settle_wallet(job.account_id, job.id, [STORED] * delivered)
    else:
        world.release_hold(job.account_id, job.id, "ProviderFailed", "No luck.")


RUN = st.tuples(st.sampled_from(MODELS), st.integers(1, 4), st.integers(0, 4), st.integers(0, 2 * DAY_S))


@settings(max_examples=60)
@given(st.lists(RUN, max_size=12))
def test_the_summary_adds_up_to_what_was_captured(runs: list[tuple[str, int, int, int]]) -> None:
    world = World()
    customer = world.customer(usd="100")
    units: Counter[str] = Counter()
    for model, asked, deliverable, seconds in runs:
        delivered = min(asked, deliverable)
        deliver(world, customer, model, asked, delivered)
        units[model] += delivered
        world.clock.pass_seconds(seconds)

    told = summary(world, customer)

    entries = world.tables.entries[customer.account_id, Asset.USD].values()
    captures = [entry for entry in entries if entry.kind is EntryKind.CAPTURE]
    assert sum(used.cost for used in told) == -sum(entry.balance_delta for entry in captures)
    assert sum(used.requests for used in told) == len(captures)
    assert {used.model: used.units for used in told} == {model: n for model, n in units.items() if n}
    costs: dict[str, int] = defaultdict(int)
    for job in world.tables.jobs.values():
        if job.status is JobStatus.COMPLETED:
            costs[job.model] += job.cost
    assert {used.model: used.cost for used in told} == costs
    assert world.wallet(customer).held == 0
    assert world.audit_ledger() == []


@settings(max_examples=60)
@given(st.lists(RUN, min_size=1, max_size=8), st.integers(0, 8), st.integers(0, 8))
def test_days_cut_the_summary_without_losing_or_doubling_anything(
    runs: list[tuple[str, int, int, int]], one: int, other: int
) -> None:
    world = World()
    customer = world.customer(usd="100")
    first_ms = world.clock.ms
    for model, asked, delivered, seconds in runs:
        deliver(world, customer, model, asked, min(asked, delivered))
        world.clock.pass_seconds(seconds)
    first, last = sorted((one, other))
    days = [utc_day(first_ms + number * DAY_S * 1000) for number in (first, last, last + 1)]

    def cost(from_day: str | None, to_day: str | None) -> int:
        return sum(used.cost for used in summary(world, customer, from_day, to_day))

    before = utc_day(first_ms + (first - 1) * DAY_S * 1000)
    parts = cost(None, before) + cost(days[0], days[1]) + cost(days[2], None)
    assert parts == cost(None, None)


def test_models_come_in_order_and_repeated_settlements_count_once(world: World, customer: Customer) -> None:
    for model in ("nanobanana", "flux", "nanobanana"):
        job = world.completed(customer, model=model, num_outputs=2)
        world.settle_wallet(job.account_id, job.id, list(job.outputs))

    assert summary(world, customer) == [
        ModelUsage("flux", Asset.USD, 2, 50_000, 1),
        ModelUsage("nanobanana", Asset.USD, 4, 40_000, 2),
    ]


def test_images_are_summed_by_their_model_and_free_ones_cost_nothing(world: World) -> None:
    customer = world.customer(usd="0")
    world.completed(customer)

    assert summary(world, customer) == [ModelUsage("shoal-image", Asset.USD, 1, 0, 1)]


def test_a_canceled_or_failed_job_uses_nothing(world: World, customer: Customer) -> None:
    deliver(world, customer, "flux", 4, 0)
    world.cancel_job(customer.caller, world.processing(customer, model="flux").id)

    assert summary(world, customer) == []


def test_play_money_and_other_accounts_are_kept_apart(world: World, customer: Customer) -> None:
    tester, other = world.customer(prefix=KeyPrefix.TEST), world.customer()
    world.completed(tester, model="flux")
    world.completed(other, model="flux")

    assert summary(world, customer) == []
    assert [used.asset for used in summary(world, tester)] == [Asset.TEST_USD]
    live = replace(tester, caller=replace(tester.caller, test=False))
    world.completed(live, model="flux", num_outputs=2)
    assert [(used.asset, used.units) for used in summary(world, live)] == [(Asset.USD, 2)]
    assert [(used.asset, used.units) for used in summary(world, tester)] == [(Asset.TEST_USD, 1)]
    assert [used.asset for used in summary(world, other)] == [Asset.USD]


def test_a_day_is_the_day_it_was_settled_in_utc(world: World, customer: Customer) -> None:
    job = world.processing(customer, model="flux")
    asked_on = utc_day(world.clock.ms)
    world.clock.pass_seconds(DAY_S)
    world.settle_wallet(job.account_id, job.id, [STORED])

    settled_on = utc_day(world.clock.ms)
    assert summary(world, customer, asked_on, asked_on) == []
    assert len(summary(world, customer, settled_on, settled_on)) == 1
