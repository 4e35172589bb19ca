"""The four movements of money: whatever comes after a hold, the deltas add up."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.domain.job import Output
from shoal.domain.models.tariff import Terms
from shoal.domain.money import Asset
from shoal.domain.wallet import EntryKind, Hold, Movement, Wallet
from tests.support.factories import ACCOUNT, a_job

AMOUNTS = st.integers(0, 10**12)


def a_hold(amount: int, *, free_trial: bool = False) -> Hold:
    return Hold(ACCOUNT, Asset.USD, "01JD7Q3V9GM8T2XKZ5N4R6W0YB", amount, free_trial)


def total(movements: Sequence[Movement]) -> tuple[int, int, int]:
    """Balance, held and free trials, summed."""
    return (
        sum(movement.balance_delta for movement in movements),
        sum(movement.held_delta for movement in movements),
        sum(movement.free_generations_delta for movement in movements),
    )


@given(AMOUNTS)
def test_a_hold_lowers_what_is_available_and_not_the_balance(amount: int) -> None:
    placed = a_hold(amount).place(1)

    assert total([placed]) == (0, amount, 0)
    assert placed.available_delta == -amount


@given(AMOUNTS)
def test_a_released_hold_leaves_no_trace(amount: int) -> None:
    hold = a_hold(amount)

    assert total([hold.place(1), hold.release(2)]) == (0, 0, 0)


@given(st.data(), AMOUNTS)
def test_a_captured_hold_spends_the_cost_and_frees_the_rest(data: st.DataObject, amount: int) -> None:
    hold = a_hold(amount)
    cost = data.draw(st.integers(0, amount))

    movements = [hold.place(1), hold.capture(cost, 2)]

    assert total(movements) == (-cost, 0, 0)
    assert sum(movement.available_delta for movement in movements) == -cost


@given(AMOUNTS, st.integers(1, 10**6))
def test_more_than_the_hold_is_never_captured(amount: int, more: int) -> None:
    with pytest.raises(ValueError, match="cannot capture"):
        a_hold(amount).capture(amount + more, 1)
    with pytest.raises(ValueError, match="cannot capture"):
        a_hold(amount).capture(-more, 1)


def test_a_free_trial_holds_a_trial_and_no_money() -> None:
    hold = a_hold(0, free_trial=True)

    assert total([hold.place(1)]) == (0, 0, -1)
    assert total([hold.place(1), hold.capture(0, 2)]) == (0, 0, -1)
    assert total([hold.place(1), hold.release(2)]) == (0, 0, 0)


def test_entries_of_one_job_have_ids_of_their_own_that_repeat() -> None:
    hold = a_hold(5)
    entry_ids = [hold.place(1).entry_id, hold.capture(5, 2).entry_id, hold.release(3).entry_id]

    assert entry_ids == [f"{hold.reference}#{kind}" for kind in ("hold", "capture", "release")]
    assert hold.place(99).entry_id == entry_ids[0]


def test_available_is_balance_less_held() -> None:
    assert Wallet(ACCOUNT, Asset.USD, balance=100, held=30).available == 70


@pytest.mark.parametrize("delivered", range(5))
def test_only_delivered_outputs_cost_and_the_rest_of_the_hold_comes_back(delivered: int) -> None:
    job = a_job(terms=Terms.flat(10_000), output_count=4)
    outputs = [Output(f"images/{job.id}/{n}.png", "image/png", 1024, 1024, 99) for n in range(delivered)]

    capture = job.hold.capture(job.cost_of(outputs), 1)

    assert (job.price, job.hold.amount) == (40_000, 40_000)
    assert (capture.balance_delta, capture.held_delta) == (-10_000 * delivered, -40_000)
    assert capture.available_delta == 10_000 * (4 - delivered)
    assert a_job(free_trial=True, output_count=4).cost_of(outputs) == 0


def test_a_jobs_hold_is_its_frozen_price_or_one_trial() -> None:
    paid, free = a_job(terms=Terms.flat(20_000)).hold, a_job(terms=Terms.flat(20_000), free_trial=True).hold

    assert (paid.amount, paid.free_trial) == (20_000, False)
    assert (free.amount, free.free_trial) == (0, True)
    assert paid.reference == a_job().id.removeprefix("job_")
    assert paid.place(1).kind is EntryKind.HOLD
