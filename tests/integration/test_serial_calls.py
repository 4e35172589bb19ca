"""How many AWS calls a request waits for, one after the other, on a warm process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import pytest

from shoal.adapters.dynamodb.limits import DynamoDbRates
from shoal.adapters.dynamodb.table import Table
from shoal.adapters.providers.keywords import KeywordModerator, listed_terms
from shoal.adapters.system import beside
from shoal.domain.api_key import KeyPrefix, Scope
from shoal.domain.catalog import load_catalog
from shoal.domain.rate_limit import Ask, RateLimit
from shoal.use_cases.accounts.authenticate import Authenticate
from shoal.use_cases.accounts.limit_rates import BLOCK, LimitRates
from shoal.use_cases.catalogs.read_catalogs import OneCatalog
from shoal.use_cases.jobs.read_job import ReadJob
from shoal.use_cases.jobs.store_output import StoreOutput
from shoal.use_cases.providers.call_provider import CallProvider
from shoal.use_cases.providers.moderate import Moderate
from shoal.use_cases.providers.resolve_answer import ResolveAnswer
from tests.fakes import (
    FakeBus,
    FakeCallbackUrls,
    FakeOutputs,
    FakePollQueue,
    FakeProvider,
    FakeProviders,
    FakeStaging,
    FakeTaskTokens,
    Network,
)
from tests.fakes.routing import FakeBreakers, FakeFetcher, FakeMeter
from tests.integration.bench import Bench
from tests.integration.conditions.conditions import client_of, over
from tests.support.asking import ask_provider
from tests.support.deployed import Deployed
from tests.support.looks import inspect_any

SERIAL_CALLS_MAX = 13
"""Four of the submit, four of CallProvider, two of StoreOutput, two of SettleWallet, and the publishing."""

LONGEST_S = 10

A = TypeVar("A")


class Waiting:
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


class Counting:
    """A DynamoDB client that counts what it is asked."""

    def __init__(self, client: Any, calls: list[str] | None = None) -> None:
        self._client, self.calls = client, [] if calls is None else calls

    def __getattr__(self, name: str) -> Any:
        self.calls.append(name)
        return getattr(self._client, name)


def beside_in(calls: list[str], work: Callable[[], A]) -> Callable[[], A]:
    """Implements the `Beside` port: of what happens at once, the longer way is left among the calls."""
    at = len(calls)
    found = work()
    way = calls[at:]
    del calls[at:]

    def wait() -> A:
        if len(way) > len(calls) - at:
            calls[at:] = way
        return found

    return wait


class Path:
    """All functions that an image goes through, over one list of the calls that each waits for."""

    def __init__(self, table: Table) -> None:
        self.network = Network()
        bench = self.bench = Bench(over(table, Counting(client_of(table), self.network.calls)))
        bench.network = bench.workflow.network = self.network
        staging, at_once = FakeStaging(self.network), partial(beside_in, self.network.calls)
        self.tokens = FakeTaskTokens(self.network)
        ask = ask_provider(
            jobs=bench.jobs,
            providers=FakeProviders({"simulator": FakeProvider(Network())}),
            breakers=FakeBreakers(),
            meter=FakeMeter(),
            callback_urls=FakeCallbackUrls(),
            staging=staging,
            scenes=bench.scenes,
            fetcher=FakeFetcher(self.network),
            catalogs=OneCatalog(load_catalog()),
            clock=bench.clock,
            ids=bench.ids,
        )
        resolve = ResolveAnswer(replace(ask, beside=at_once), self.tokens, FakePollQueue(self.network))
        self.call_provider = CallProvider(FakeBus(self.network), resolve)
        outputs = FakeOutputs(self.network)
        self.store_output = StoreOutput(
            bench.jobs, staging, outputs, inspect_any, bench.clock, beside=at_once
        )
        self.settle_wallet = replace(bench.settle_wallet, beside=at_once)

    def take(self) -> list[str]:
        """The calls since the last time."""
        taken = list(self.network.calls)
        self.network.calls.clear()
        return taken


@pytest.fixture
def waiting(deployed: Deployed) -> tuple[Bench, Waiting]:
    table = deployed.fresh_table()
    client = Waiting(client_of(table))
    return Bench(over(table, client)), client


@pytest.mark.parametrize("keyed", [False, True])
def test_a_submit_waits_for_four_calls_and_a_poll_for_two(
    waiting: tuple[Bench, Waiting], keyed: bool
) -> None:
    bench, client = waiting
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


def test_an_image_waits_for_thirteen_calls_from_its_submit_to_its_event(deployed: Deployed) -> None:
    path = Path(deployed.fresh_table())
    bench = path.bench
    account, _ = bench.accounts.open("diver@example.com", usd_micros=1_000_000)
    new = bench.accounts.create_key(account.id, KeyPrefix.LIVE, RateLimit(), frozenset(Scope))
    authenticate = Authenticate(bench.keys, bench.clock, LimitRates(DynamoDbRates(bench.table), bench.clock))
    bench.settle(bench.accept(authenticate(f"Bearer {new.secret}")))  # the account's first one of the day
    bench.clock.pass_seconds(2)
    path.take()

    where = account.id, bench.submit(authenticate(f"Bearer {new.secret}")).job_id
    waited = {"submit": path.take()}
    token = path.tokens.issue()
    path.call_provider(*where, 0, token)
    waited["call_provider"] = path.take()
    outputs = path.store_output(*where, [path.tokens.answers[token].output["output"]])
    waited["store_output"] = path.take()
    job, _ = path.settle_wallet(*where, outputs)
    waited["settle_wallet"] = path.take()

    assert job.outputs == outputs
    # The last one is the state machine's own: it publishes the events.
    assert sum(map(len, waited.values())) + 1 <= SERIAL_CALLS_MAX, waited
