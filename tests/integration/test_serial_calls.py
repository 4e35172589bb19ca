"""How many AWS calls a request waits for, one after the other, on a warm process."""

from __future__ import annotations

from typing import Any

import pytest

from shoal.adapters.dynamodb.limits import DynamoDbRates
from shoal.domain.api_key import KeyPrefix, Scope
from shoal.domain.rate_limit import Ask, RateLimit
from shoal.use_cases.accounts.authenticate import Authenticate
from shoal.use_cases.accounts.limit_rates import BLOCK, LimitRates
from shoal.use_cases.jobs.read_job import ReadJob
from tests.integration.bench import Bench
from tests.integration.conditions.conditions import client_of, over
from tests.support.deployed import Deployed


class Counting:
    """A DynamoDB client that counts what it is asked."""

    def __init__(self, client: Any) -> None:
        self._client, self.calls = client, list[str]()

    def __getattr__(self, name: str) -> Any:
        self.calls.append(name)
        return getattr(self._client, name)


@pytest.fixture
def counting(deployed: Deployed) -> tuple[Bench, Counting]:
    table = deployed.fresh_table()
    client = Counting(client_of(table))
    return Bench(over(table, client)), client


def test_a_submit_waits_for_four_calls_and_a_poll_for_two(counting: tuple[Bench, Counting]) -> None:
    bench, client = counting
    account, _ = bench.accounts.open("diver@example.com", usd_micros=1_000_000)
    new = bench.accounts.create_key(account.id, KeyPrefix.LIVE, RateLimit(), frozenset(Scope))
    limit_rates = LimitRates(DynamoDbRates(bench.table), bench.clock)
    authenticate, read_job = Authenticate(bench.keys, bench.clock, limit_rates), ReadJob(bench.jobs)
    authorization = f"Bearer {new.secret}"

    def calls_of_submit() -> int:
        client.calls.clear()
        bench.network.calls.clear()
        bench.clock.pass_seconds(2)
        bench.submit(authenticate(authorization))
        return len(client.calls) + len(bench.network.calls)

    def calls_of_poll() -> int:
        client.calls.clear()
        bench.clock.pass_seconds(2)
        read_job(authenticate(authorization, Ask(polls=True)), job_id)
        return len(client.calls)

    submits = [calls_of_submit() for _ in range(BLOCK)]
    job_id = bench.submit(authenticate(authorization)).job_id
    polls = [calls_of_poll() for _ in range(BLOCK)]
    assert submits == [4] * (BLOCK - 1) + [5], "every tenth request also counts ten for its account"
    assert polls == [2] * (BLOCK - 1) + [3]
