"""The audit of a wallet that never stands still: what agrees is never off, and what is off is found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from shoal.adapters.dynamodb.items import wallet_key
from shoal.domain.money import Asset
from shoal.ports.money import Discrepancy, NotAudited
from tests.simulation.attributes import Item, Key
from tests.simulation.client import SimulatedClient
from tests.simulation.kernel import Kernel
from tests.simulation.product import ATTEMPTS_MAX, Customer, Product
from tests.simulation.table import SimulatedTable, key_of

RATE = 30
"""Jobs a second: two movements each, half of what a wallet can take."""
WARM_S, BUSY_S = 7.0, 12.0
"""By when jobs end as fast as they begin, and until when they are submitted."""
PRICE = 40_000


class Busy:
    """One account that submits at random moments, in its own world."""

    def __init__(self, seed: int) -> None:
        self.kernel = Kernel(seed)
        table = SimulatedTable(lambda: self.kernel.now_s)
        self.product = Product(self.kernel, table)
        self.customer: Customer = self.kernel.result_of(
            lambda: self.product.open_account(usd_micros=10**12, requests_per_minute=60_000)
        )
        self.wallet = wallet_key(self.customer.account_id, Asset.USD)
        self.kernel.spawn(self._submit)
        self.kernel.run(WARM_S)

    def _submit(self) -> None:
        while self.kernel.now_s < BUSY_S:
            self.kernel.sleep(self.kernel.random.expovariate(RATE))
            self.kernel.spawn(lambda: self.product.submit(self.customer))

    def audit(self) -> list[Discrepancy]:
        """While everything goes on."""
        return self.kernel.result_of(lambda: self.product.ledger.discrepancies(self.customer.account_id))

    def moved(self) -> int:
        return sum(sk.startswith("ENTRY#") for _, sk in self.product.simulated.items)

    def add(self, key: Key, changes: Mapping[str, int]) -> None:
        """Falsify an item behind the ledger's back, once nobody is about to write it."""
        table = self.product.simulated
        while key in table.locks:
            self.kernel.step()
        item = table.items[key]
        added = {name: {"N": str(int(item[name]["N"]) + by)} for name, by in changes.items()}
        table.store(key, {**item, **added})

    def newest(self, kind: str, holds: Callable[[Item], Any] = bool) -> Key:
        items = self.product.simulated.items.values()
        return key_of([each for each in items if each["sk"]["S"].startswith(kind) and holds(each)][-1])


@pytest.mark.parametrize("seed", [1, 5, 6])
def test_a_wallet_that_never_stands_still_is_not_off(seed: int) -> None:
    busy, moved = Busy(seed), list[int]()
    while busy.kernel.now_s < BUSY_S:
        before = busy.moved()
        assert busy.audit() == []
        moved.append(busy.moved() - before)
    assert len(moved) > 5
    assert min(moved[:-1]) > 0, "no audit had a wallet that stood still"
    busy.kernel.run()
    assert busy.audit() == []


def falsify_balance(busy: Busy) -> None:
    busy.add(busy.wallet, {"balance": 1, "available": 1})


def lose_a_release(busy: Busy) -> None:
    """As much as jobs hold all the time."""
    busy.add(busy.wallet, {"held": PRICE, "available": -PRICE})


def lose_an_entry(busy: Busy) -> None:
    busy.product.simulated.store(busy.newest("ENTRY#", lambda entry: entry["kind"]["S"] == "capture"), None)


def count_twice(busy: Busy) -> None:
    busy.add(busy.newest("USAGE#"), {"cost": PRICE})


def raise_a_cost(busy: Busy) -> None:
    busy.add(busy.newest("JOB#", lambda job: job["status"]["S"] == "completed"), {"cost": PRICE})


def spend_what_is_owed(busy: Busy) -> None:
    busy.add(busy.wallet, {"owed": PRICE, "available": -PRICE})


@pytest.mark.parametrize(
    ("falsify", "what"),
    [
        (falsify_balance, {"balance is not the sum of the entries"}),
        (
            lose_a_release,
            {"held is not the sum of the entries", "held is not the sum of the open jobs' holds"},
        ),
        (
            lose_an_entry,
            {
                "balance is not the sum of the entries",
                "held is not the sum of the entries",
                "usage is not the sum of the captures",
                "costs of the jobs are not the sum of the captures",
            },
        ),
        (count_twice, {"usage is not the sum of the captures"}),
        (raise_a_cost, {"costs of the jobs are not the sum of the captures"}),
        (spend_what_is_owed, {"owed is not the sum of the entries"}),
    ],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_off_is_found_while_the_wallet_moves(
    falsify: Callable[[Busy], None], what: set[str], seed: int
) -> None:
    busy = Busy(seed)
    falsify(busy)
    before = busy.moved()

    found = busy.audit()

    assert {each.what for each in found} == what
    assert busy.moved() > before


class Restless(SimulatedClient):
    """Before each reading of a wallet's entries somebody moves it."""

    submit: Callable[[], object] = bool

    def query(self, **request: Any) -> dict[str, Any]:
        submit, self.submit = self.submit, bool
        submit()
        self.submit = submit
        return super().query(**request)


def test_a_wallet_that_moves_in_every_look_is_named_and_not_off() -> None:
    kernel = Kernel(seed=1)
    table = SimulatedTable(lambda: kernel.now_s)
    client = Restless(kernel, table, attempts_max=ATTEMPTS_MAX)
    product = Product(kernel, table, client)
    customer = kernel.result_of(lambda: product.open_account(usd_micros=10**9, requests_per_minute=60_000))
    product.workflow.begins_only = True
    client.submit = lambda: product.submit(customer)

    with pytest.raises(NotAudited):
        kernel.result_of(lambda: product.ledger.discrepancies(customer.account_id))
