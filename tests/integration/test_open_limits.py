"""Rates of addresses on a real table: processes that know nothing of each other count together."""

from __future__ import annotations

from collections import Counter

import pytest

from shoal.adapters.dynamodb.limits import DynamoDbRates
from shoal.domain.api_key import KeyPrefix, Scope
from shoal.domain.errors import RateLimited, Unauthorized
from shoal.domain.rate_limit import RateLimit
from shoal.use_cases.accounts.authenticate import Authenticate
from shoal.use_cases.accounts.limit_rates import BLOCK, LimitRates
from tests.integration.bench import Bench

LIMIT = RateLimit(60, 30)
PROCESSES = 3
SOURCE, OTHER = "192.0.2.1", "192.0.2.2"


def a_process(bench: Bench) -> Authenticate:
    return Authenticate(bench.keys, bench.clock, LimitRates(DynamoDbRates(bench.table), bench.clock, LIMIT))


def guess(authenticate: Authenticate, number: int, source: str = SOURCE) -> str:
    """What becomes of a key that nobody has."""
    with pytest.raises((Unauthorized, RateLimited)) as refused:
        authenticate(f"Bearer sk_live_{number:032}", source=source)
    return refused.value.code


def test_who_guesses_keys_is_refused_by_every_process(bench: Bench) -> None:
    processes = [a_process(bench) for _ in range(PROCESSES)]

    outcomes = Counter(guess(each, number) for number in range(2 * LIMIT.burst) for each in processes)

    assert LIMIT.burst - BLOCK <= outcomes["unauthorized"] <= LIMIT.burst + PROCESSES * BLOCK
    assert guess(processes[0], 0, OTHER) == "unauthorized"
    bench.clock.pass_seconds(60)
    assert guess(processes[0], 0) == "unauthorized"


def test_a_good_key_that_is_known_here_passes_beside_one_who_guesses(bench: Bench) -> None:
    account, _ = bench.accounts.open("diver@example.com")
    new = bench.accounts.create_key(account.id, KeyPrefix.LIVE, RateLimit(), frozenset(Scope))
    authenticate = a_process(bench)
    authenticate(f"Bearer {new.secret}", source=SOURCE)
    for number in range(2 * LIMIT.burst):
        guess(authenticate, number)

    assert authenticate(f"Bearer {new.secret}", source=SOURCE).account_id == account.id
