"""How many AWS calls a request waits for, one after the other, on a warm process."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from shoal.adapters.dynamodb.limits import DynamoDbRates
from shoal.adapters.providers.keywords import KeywordModerator, listed_terms
from shoal.adapters.system import beside
from shoal.domain.api_key import KeyPrefix, Scope
from shoal.domain.rate_limit import Ask, RateLimit
from shoal.use_cases.accounts.authenticate import Authenticate
from shoal.use_cases.accounts.limit_rates import BLOCK, LimitRates
from shoal.use_cases.jobs.read_job import ReadJob
from shoal.use_cases.providers.moderate import Moderate
from tests.integration.bench import Bench
from tests.integration.conditions.conditions import client_of, over
from tests.support.deployed import Deployed

LONGEST_S = 10


class Counting:
    """A DynamoDB client that counts what the thread of its maker waits for.

    What another thread asks waits until that one has asked for a second thing, after who is asking: it is
    answered beside that, or fails.
    """

    def __init__(self, client: Any) -> None:
        self._client, self.calls = client, list[str]()
        self._serial, self._second = threading.current_thread(), threading.Event()

    def __getattr__(self, name: str) -> Any:
        if threading.current_thread() is not self._serial:
            assert self._second.wait(LONGEST_S), f"nothing is asked beside {name}"
            return getattr(self._client, name)
        self.calls.append(name)
        if len(self.calls) > 1:
            self._second.set()
        return getattr(self._client, name)

    def begin(self) -> None:
        """Count from here on."""
        self.calls.clear()
        self._second.clear()


@pytest.fixture
def counting(deployed: Deployed) -> tuple[Bench, Counting]:
    table = deployed.fresh_table()
    client = Counting(client_of(table))
    return Bench(over(table, client)), client


@pytest.mark.parametrize("keyed", [False, True])
def test_a_submit_waits_for_four_calls_and_a_poll_for_two(
    counting: tuple[Bench, Counting], keyed: bool
) -> None:
    bench, client = counting
    account, _ = bench.accounts.open("diver@example.com", usd_micros=1_000_000)
    new = bench.accounts.create_key(account.id, KeyPrefix.LIVE, RateLimit(), frozenset(Scope))
    limit_rates = LimitRates(DynamoDbRates(bench.table), bench.clock)
    authenticate, read_job = Authenticate(bench.keys, bench.clock, limit_rates), ReadJob(bench.jobs)
    authorization = f"Bearer {new.secret}"
    keywords = Moderate(KeywordModerator(listed_terms()), "keywords")
    bench.submit_job = replace(bench.submit_job, beside=beside, moderate=keywords)

    def calls_of_submit(order: int) -> int:
        client.begin()
        bench.network.calls.clear()
        bench.clock.pass_seconds(2)
        answered = bench.submit(authenticate(authorization), f"order-{order}" if keyed else None)
        assert not answered.replayed
        return len(client.calls) + len(bench.network.calls)

    def calls_of_poll() -> int:
        client.begin()
        bench.clock.pass_seconds(2)
        read_job(authenticate(authorization, Ask(polls=True)), job_id)
        return len(client.calls)

    submits = [calls_of_submit(order) for order in range(BLOCK)]
    job_id = bench.submit(authenticate(authorization)).job_id
    polls = [calls_of_poll() for _ in range(BLOCK)]
    assert submits == [4] * (BLOCK - 1) + [5], "every tenth request also counts ten for its account"
    assert polls == [2] * (BLOCK - 1) + [3]
