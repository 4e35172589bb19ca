"""The product in virtual time: exact under contention, the same for the same seed, and caught when it is
wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from shoal.adapters.dynamodb.items import OPEN_SHARDS
from tests.simulation import __main__ as simulate
from tests.simulation.client import SimulatedClient
from tests.simulation.kernel import Kernel
from tests.simulation.product import ATTEMPTS_MAX, Customer, Product, world
from tests.simulation.scenarios import burst_load, fastest_below, key_load, rate_reaching, sweeps, wallet_load
from tests.simulation.table import SimulatedTable
from tests.simulation.workflow import Executions

ROOT = Path(__file__).parents[2]
OVERRUN_S = (5.0, 90.0)


def test_money_is_exact_while_transactions_conflict() -> None:
    load = wallet_load(40, 5.0, seed=1, warm_s=1.0)
    assert load.exact, load.problems
    assert load.accepted_per_s > 20
    assert load.conflicts > 0.2
    assert load.submit_p99_ms > load.submit_p50_ms > 20


class Overrun(SimulatedClient):
    """Refuses all transactions from the fifth second on, for longer than any retries of a state take."""

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        if OVERRUN_S[0] <= self._kernel.now_s < OVERRUN_S[1]:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "TransactWriteItems")
        return super().transact_write_items(**request)


@pytest.mark.parametrize(("make_client", "gave_up"), [(SimulatedClient, False), (Overrun, True)])
def test_nothing_is_given_away_at_80_jobs_a_second(make_client: type[SimulatedClient], gave_up: bool) -> None:
    load = wallet_load(80, 4.0, seed=1, warm_s=1.0, make_client=make_client)
    assert load.exact, load.problems
    assert load.accepted_per_s > 20
    assert (load.given_away, load.gave_up > 0) == (0, gave_up)


def test_a_burst_beyond_what_a_wallet_takes_is_refused_and_exact() -> None:
    burst = burst_load(300, seed=1)
    assert burst.exact, burst.problems
    assert 0.1 < burst.busy < 0.9


def test_the_same_seed_is_the_same_run_and_another_is_not() -> None:
    first, again, other = (wallet_load(20, 2.0, seed=seed, warm_s=0.5) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_another_process_with_other_hashes_has_the_same_run() -> None:
    program = (
        "from tests.simulation.scenarios import wallet_load; print(wallet_load(20, 2.0, seed=1, warm_s=0.5))"
    )
    said = {
        subprocess.run(  # noqa: S603 our own program
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": "functions", "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert said == {f"{wallet_load(20, 2.0, seed=1, warm_s=0.5)}\n"}


class Careless(SimulatedClient):
    """Leaves the conditions of a settlement out."""

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        for part in request["TransactItems"]:
            if "Update" in part:
                part["Update"].pop("ConditionExpression", None)
                text, values = part["Update"]["UpdateExpression"], part["Update"]["ExpressionAttributeValues"]
                part["Update"]["ExpressionAttributeValues"] = {
                    name: value for name, value in values.items() if name in text.replace(",", " ").split()
                }
            elif "Put" in part and part["Put"]["Item"]["sk"]["S"].startswith("ENTRY#"):
                part["Put"].pop("ConditionExpression", None)
        return super().transact_write_items(**request)


@pytest.mark.parametrize(
    ("make_client", "wrong"),
    [
        (SimulatedClient, set()),
        (
            Careless,
            {
                "balance is not the sum of the entries",
                "held is not the sum of the entries",
                "held is not the sum of the open jobs' holds",
                "usage is not the sum of the captures",
            },
        ),
    ],
)
def test_a_settlement_without_its_conditions_is_caught(
    make_client: type[SimulatedClient], wrong: set[str]
) -> None:
    """Each job is settled by two processes at once, as when an answer was lost and the state is tried
    again."""
    kernel = Kernel(seed=1)
    table = SimulatedTable(lambda: kernel.now_s)
    product = Product(kernel, table, make_client(kernel, table, attempts_max=ATTEMPTS_MAX))
    customer = opened(product)
    statuses = [kernel.result_of(lambda: product.submit(customer)) for _ in range(5)]
    assert statuses == [202] * 5
    for account_id, job_id in jobs_of(product):
        for _ in range(2):
            kernel.spawn(lambda job=(account_id, job_id): product.steps_of(*job)["SettleWallet"]("", ""))  # type: ignore[misc]
    kernel.run()
    assert {found.what for found in product.audit()} == wrong


def test_a_key_admits_its_burst_and_no_more() -> None:
    product = world(seed=1)
    customer = opened(product, requests_per_minute=60)
    statuses: list[int] = []
    for _ in range(50):
        product.kernel.spawn(lambda: statuses.append(product.knock(customer)))
    product.kernel.run()
    assert sorted(statuses) == [200] * 20 + [429] * 30


def test_one_key_admits_hundreds_a_second_and_its_partition_refuses_more() -> None:
    calm, hot = key_load(200, 2.0, seed=1), key_load(1200, 2.0, seed=1)
    assert (calm.admitted, calm.busy) == (1.0, 0.0)
    assert hot.busy > 0
    assert hot.p99_ms > 10 * calm.p99_ms


@pytest.mark.parametrize(
    ("backlog", "shards"), [(20_000, OPEN_SHARDS), (2_000, OPEN_SHARDS[:4]), (2_000, OPEN_SHARDS[:1])]
)
def test_sweeps_start_all_that_waits_before_any_of_it_expires(
    backlog: int, shards: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Those of one shard as fast: version 0.1 filled four, and what is to be announced lies in the first."""
    done = sweeps(backlog, seed=1, shards=shards)
    with capsys.disabled():
        print(f"\n{len(shards)} shards: {done}")
    assert (sum(done.started), done.expired, done.left) == (backlog, 0, 0)
    assert done.per_s > 100


def test_sweeps_at_once_share_the_work() -> None:
    done = sweeps(1_000, seed=1, at_a_time=2)
    assert (sum(done.started), done.left) == (1_000, 0)
    assert min(done.started) > 200


class Down(Exception):
    """Named by no Retry and no Catch: States.ALL takes it."""


class OutputInvalid(Down):
    """The checks refused what was made."""


class JobClosed(Down):
    """The job ended without this execution."""


@pytest.mark.parametrize(
    ("failing", "settled", "released", "ended"),
    [
        ({"SettleWallet": Down}, 7, 0, "LeftToTheSweeper"),
        ({"SettleWallet": JobClosed}, 1, 0, "AlreadyClosed"),
        ({"StoreOutput": OutputInvalid}, 0, 1, "PublishFailed"),
        ({"StoreOutput": OutputInvalid, "ReleaseHold": Down}, 0, 9, "LeftToTheSweeper"),
        ({}, 1, 0, "PublishCompleted"),
    ],
)
def test_an_execution_retries_and_catches_as_the_deployed_machine_does(
    failing: Mapping[str, type[Down]], settled: int, released: int, ended: str
) -> None:
    kernel, calls = Kernel(seed=1), list[str]()
    executions = Executions(kernel, Down)

    def does(state: str) -> None:
        calls.append(state)
        if state in failing:
            raise failing[state](state)

    names = ("CallProvider", "StoreOutput", "SettleWallet", "ReleaseHold")
    steps = {name: lambda _error, _cause, name=name: does(name) for name in names}
    assert executions.start("job", steps)
    assert not executions.start("job", {})
    kernel.run()
    assert (calls.count("SettleWallet"), calls.count("ReleaseHold")) == (settled, released)
    assert executions.ended == {"job": ended}


def test_simulate_prints_its_tables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["simulate"])
    monkeypatch.setattr(simulate, "SECONDS", {5: 1})
    monkeypatch.setattr(simulate, "BURSTS", (5,))
    monkeypatch.setattr(simulate, "KEY_RATES", (20,))
    monkeypatch.setattr(simulate, "BACKLOG", 3)
    simulate.main()
    said = capsys.readouterr().out
    assert "exact" in said
    assert "OFF" not in said
    assert "Highest rate below 0.1% of 503s: 5 jobs/s" in said
    assert "its runs start 3, " in said


def test_the_limit_is_named_by_what_was_measured_and_by_a_line_through_it() -> None:
    one = wallet_load(5, 1.0, seed=1, warm_s=0.0)
    shares = {10: 0.0, 20: 0.0002, 30: 0.002, 40: 0.02, 50: 0.5}
    loads = [replace(one, rate=rate, busy=share) for rate, share in shares.items()]
    assert fastest_below(loads, 0.001) == 20
    assert rate_reaching(loads, 0.002) == pytest.approx(30)
    assert rate_reaching(loads, 0.02) == pytest.approx(40)
    assert fastest_below(loads[2:], 0.001) is None
    assert rate_reaching(loads[:3], 0.001) is None


def opened(product: Product, *, requests_per_minute: int = 60_000) -> Customer:
    return product.kernel.result_of(
        lambda: product.open_account(usd_micros=10**9, requests_per_minute=requests_per_minute)
    )


def jobs_of(product: Product) -> list[tuple[str, str]]:
    items = product.simulated.items.values()
    return [
        (item["account_id"]["S"], item["id"]["S"]) for item in items if item["sk"]["S"].startswith("JOB#")
    ]
