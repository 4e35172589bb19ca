"""The rate limit, against a bucket of tokens that is simple enough to believe."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.domain.errors import RateLimited
from shoal.domain.rate_limit import REQUESTS_PER_MINUTE_MAX, Allowance, RateLimit
from tests.worlds.world import Customer, World

LIMITS = st.builds(RateLimit, st.integers(1, 400), st.integers(1, 40))
GAPS_MS = st.lists(st.one_of(st.just(0), st.integers(0, 50), st.integers(0, 70_000)), max_size=60)


@dataclass
class Bucket:
    """`burst` tokens and one more every `emission_ms`, counted in milliseconds of refilling: all whole."""

    limit: RateLimit
    full_ms: int = -1
    at_ms: int = 0

    def take(self, now_ms: int) -> bool:
        capacity_ms = self.limit.burst * self.limit.emission_ms
        if self.full_ms < 0:
            self.full_ms = capacity_ms
        self.full_ms = min(capacity_ms, self.full_ms + now_ms - self.at_ms)
        self.at_ms = now_ms
        if self.full_ms < self.limit.emission_ms:
            return False
        self.full_ms -= self.limit.emission_ms
        return True

    @property
    def tokens(self) -> int:
        return self.full_ms // self.limit.emission_ms


def admitted(world: World, customer: Customer) -> Allowance | None:
    try:
        return world.authenticate(f"Bearer {customer.key}").allowance
    except RateLimited:
        return None


@given(LIMITS, GAPS_MS)
def test_a_key_is_let_through_exactly_as_its_bucket_has_tokens(limit: RateLimit, gaps_ms: list[int]) -> None:
    world = World()
    customer, bucket = world.customer(limit=limit), Bucket(limit)
    for gap_ms in gaps_ms:
        world.clock.ms += gap_ms
        allowance = admitted(world, customer)

        assert (allowance is not None) == bucket.take(world.clock.ms)
        if allowance:
            assert limit.count_remaining(allowance.tat_ms, world.clock.ms) == bucket.tokens


@given(LIMITS, GAPS_MS)
def test_never_more_than_the_burst_at_once_nor_above_the_rate_for_long(
    limit: RateLimit, gaps_ms: list[int]
) -> None:
    world = World()
    customer = world.customer(limit=limit)
    moments: list[int] = []
    for gap_ms in gaps_ms:
        world.clock.ms += gap_ms
        if admitted(world, customer):
            moments.append(world.clock.ms)

    for first in moments:
        assert sum(moment == first for moment in moments) <= limit.burst
        within_a_minute = sum(first <= moment < first + 60_000 for moment in moments)
        assert within_a_minute <= limit.burst + limit.requests_per_minute


@given(LIMITS, st.integers(0, 5_000))
def test_what_a_refused_caller_is_told_is_true(limit: RateLimit, late_ms: int) -> None:
    world = World()
    customer = world.customer(limit=limit)
    while (last := admitted(world, customer)) is not None:
        remaining = limit.count_remaining(last.tat_ms, world.clock.ms)
    assert remaining == 0

    world.clock.ms += min(late_ms, limit.emission_ms - 1)
    with pytest.raises(RateLimited) as refused:
        world.authenticate(f"Bearer {customer.key}")
    assert "r=0;t=" in refused.value.headers["RateLimit"]
    wait_s = int(refused.value.headers["Retry-After"])
    assert wait_s >= 1
    if wait_s > 1:  # a second earlier is too early
        world.clock.pass_seconds(wait_s - 1)
        assert admitted(world, customer) is None
        world.clock.pass_seconds(-(wait_s - 1))
    world.clock.pass_seconds(wait_s)
    assert admitted(world, customer) is not None


@given(LIMITS)
def test_the_reset_is_when_the_whole_burst_is_back(limit: RateLimit) -> None:
    world = World()
    customer = world.customer(limit=limit)
    last = None
    while (allowance := admitted(world, customer)) is not None:
        last = allowance
    assert last is not None

    world.clock.pass_seconds(int(last.headers()["RateLimit"].rpartition("t=")[2]))

    assert all(admitted(world, customer) for _ in range(limit.burst))


def test_a_new_key_has_the_published_limit_and_says_so() -> None:
    world = World()
    allowance = admitted(world, world.customer())

    assert allowance is not None
    assert allowance.headers() == {
        "RateLimit-Policy": '"key";q=60;w=60',
        "RateLimit": '"key";r=19;t=1',
    }


@pytest.mark.parametrize(("rate", "burst"), [(1, 20), (60, 20), (61, 20), (90, 30), (6_000, 2_000)])
def test_an_operators_rate_bursts_to_a_third_of_it_but_at_least_20(rate: int, burst: int) -> None:
    assert RateLimit.of_rate(rate) == RateLimit(rate, burst)


def test_an_operator_may_set_the_burst() -> None:
    assert RateLimit.of_rate(60, 1) == RateLimit(60, 1)


@pytest.mark.parametrize(
    ("rate", "burst"), [(0, None), (-1, None), (REQUESTS_PER_MINUTE_MAX + 1, None), (60, 0), (60, 10**9)]
)
def test_a_limit_out_of_bounds_is_refused(rate: int, burst: int | None) -> None:
    with pytest.raises(ValueError, match="must be from 1"):
        RateLimit.of_rate(rate, burst)


@given(st.integers(1, REQUESTS_PER_MINUTE_MAX))
def test_a_request_never_costs_less_than_its_share_of_the_minute(rate: int) -> None:
    assert RateLimit(rate).emission_ms * rate >= 60_000
    assert (RateLimit(rate).emission_ms - 1) * rate < 60_000
