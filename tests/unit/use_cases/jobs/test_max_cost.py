"""A caller's limit: refused before anything is held, fetched or written."""

from __future__ import annotations

from typing import Any

import pytest

from shoal.domain.errors import MaxCostExceeded
from tests.worlds.world import Customer, World

TOO_DEAR = [
    {"model": "nanobanana", "num_outputs": 3, "max_cost": "0.029999"},
    {"model": "nanobanana", "max_cost": "0"},
    {"model": "nanobanana", "max_cost": "$0.001", "input_image_urls": ["https://example.com/cat.png"]},
    {"mode": "4k", "max_cost": "0.02"},
]


@pytest.mark.parametrize("body", TOO_DEAR)
def test_a_request_over_its_limit_is_refused_with_nothing_held(
    world: World, customer: Customer, body: dict[str, Any]
) -> None:
    world.network.calls.clear()

    with pytest.raises(MaxCostExceeded) as exceeded:
        world.submit_body(customer, {"prompt": "A shark"} | body, "order-1")

    assert exceeded.value.status == 402
    assert set(exceeded.value.details) == {"price", "max_cost"}
    assert world.network.calls == ["ledger.find_record"]
    assert (world.tables.jobs, world.tables.records) == ({}, {})


@pytest.mark.parametrize("limit", ["0.03", "$0.03", "0.030001", "1"])
def test_a_request_at_or_below_its_limit_is_taken(world: World, customer: Customer, limit: str) -> None:
    job = world.queued(customer, model="nanobanana", num_outputs=3, max_cost=limit)

    assert world.wallet(customer).held == job.price == 30_000


def test_a_free_trial_is_held_to_the_limit_as_well(world: World) -> None:
    with pytest.raises(MaxCostExceeded):
        world.submit(world.customer(usd="0"), max_cost="0.01")
