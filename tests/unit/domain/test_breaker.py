"""Breakers and the board: when a route is left alone, and what is told of a model because of it."""

from __future__ import annotations

import pytest

from shoal.domain.breaker import (
    CALLS_MIN,
    COOL_DOWN_MS,
    COOL_DOWN_MS_MAX,
    UNUSABLE_COOL_DOWN_MS,
    WINDOW_MS,
    Breaker,
    BreakerState,
    Outcome,
    cool_down_ms,
    window_of,
)
from shoal.domain.errors import (
    OutcomeUnknown,
    OutputInvalid,
    ProviderBusy,
    ProviderFailed,
    ProviderRejected,
    ProviderUnusable,
    ShoalError,
    Unavailable,
)
from shoal.domain.routing import (
    BUSY_TRIES_MAX,
    PATIENCE_S,
    Board,
    Phase,
    ProviderCall,
    Route,
    is_worth_waiting,
    outcome_of,
    routes_after,
)

NOW_MS = 1_800_000_000_000
FAL = Route(provider="fal", model="fal-ai/flux/dev")
REPLICATE = Route(provider="replicate", model="flux")
BACKGROUND = Route(provider="openai-background", model="x")
CALL = ProviderCall(2, FAL.name, Phase.DUE, tries=1, mark="m")


@pytest.mark.parametrize(
    ("breaker", "state"),
    [
        (Breaker(), BreakerState.CLOSED),
        (Breaker(calls=9, failures=9), BreakerState.CLOSED),
        (Breaker(open_until_ms=NOW_MS + 1), BreakerState.OPEN),
        (Breaker(open_until_ms=NOW_MS), BreakerState.HALF_OPEN),
        (Breaker(open_until_ms=NOW_MS + 1, probe="p"), BreakerState.HALF_OPEN),
    ],
)
def test_a_breaker_tells_its_state_by_the_clock(breaker: Breaker, state: BreakerState) -> None:
    assert breaker.state(NOW_MS) is state


@pytest.mark.parametrize(
    ("calls", "failures", "failing"),
    [
        (CALLS_MIN - 1, CALLS_MIN - 1, False),
        (CALLS_MIN, 3, True),
        (CALLS_MIN, 2, False),
        (100, 50, True),
        (100, 49, False),
    ],
)
def test_enough_calls_of_which_half_failed_open_it(calls: int, failures: int, failing: bool) -> None:
    assert Breaker(calls=calls, failures=failures).failing is failing


def test_windows_follow_each_other() -> None:
    began_ms = window_of(NOW_MS)

    assert began_ms <= NOW_MS < began_ms + WINDOW_MS
    assert window_of(began_ms + WINDOW_MS - 1) == began_ms
    assert window_of(began_ms + WINDOW_MS) == began_ms + WINDOW_MS


def test_only_failures_of_the_current_window_are_trouble() -> None:
    assert Breaker(window_at_ms=window_of(NOW_MS), failures=1).has_failures(NOW_MS)
    assert not Breaker(window_at_ms=window_of(NOW_MS) - WINDOW_MS, failures=1).has_failures(NOW_MS)
    assert not Breaker(window_at_ms=window_of(NOW_MS)).has_failures(NOW_MS)


def test_the_cool_down_doubles_up_to_a_limit() -> None:
    assert [cool_down_ms(Outcome.FAILURE, trips) for trips in (1, 2, 3)] == [
        COOL_DOWN_MS,
        2 * COOL_DOWN_MS,
        4 * COOL_DOWN_MS,
    ]
    assert cool_down_ms(Outcome.UNUSABLE, 1) == UNUSABLE_COOL_DOWN_MS
    for outcome in (Outcome.FAILURE, Outcome.UNUSABLE):
        assert cool_down_ms(outcome, 10**6) == COOL_DOWN_MS_MAX


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ProviderBusy("429"), Outcome.FAILURE),
        (ProviderFailed("no"), Outcome.FAILURE),
        (OutcomeUnknown("lost"), Outcome.FAILURE),
        (ProviderUnusable("key"), Outcome.UNUSABLE),
        (ProviderRejected("nsfw"), Outcome.SUCCESS),
        (OutputInvalid("junk"), Outcome.FAILURE),
        (Unavailable(), None),
    ],
)
def test_an_error_says_something_about_its_route_or_nothing(
    error: ShoalError, outcome: Outcome | None
) -> None:
    assert outcome_of(error) is outcome


def test_the_first_provider_with_a_key_and_a_closed_breaker_is_asked_first() -> None:
    routes = (FAL, REPLICATE)
    both = frozenset({"fal", "replicate"})

    assert Board(both).provider_of(routes, NOW_MS) == "fal"
    assert Board(frozenset({"replicate"})).provider_of(routes, NOW_MS) == "replicate"
    opened = Board(both, {FAL.name: NOW_MS + 1})
    assert opened.provider_of(routes, NOW_MS) == "replicate"
    assert opened.provider_of(routes, NOW_MS + 1) == "fal", "half open: somebody has to try"
    assert Board(frozenset({"openai"})).provider_of((BACKGROUND,), NOW_MS) == "openai-background"


def test_a_model_whose_routes_are_all_open_is_briefly_unavailable() -> None:
    board = Board(
        frozenset({"fal", "replicate"}), {FAL.name: NOW_MS + 9_001, REPLICATE.name: NOW_MS + 20_000}, True
    )

    with pytest.raises(Unavailable, match="briefly") as refused:
        board.provider_of((FAL, REPLICATE), NOW_MS)
    assert refused.value.headers == {"Retry-After": "10"}
    assert not board.offers((FAL, REPLICATE), NOW_MS)


def test_a_model_without_a_key_is_simulated_where_that_is_allowed() -> None:
    assert Board(simulator_allowed=True).provider_of((FAL,), NOW_MS) == "simulator"
    assert Board(simulator_allowed=True).offers((FAL,), NOW_MS)
    with pytest.raises(Unavailable, match="not available here"):
        Board().provider_of((FAL,), NOW_MS)
    assert not Board().offers((FAL,), NOW_MS)
    assert Board().provider_of((FAL, Route(provider="embedded")), NOW_MS) == "embedded"


def test_routes_are_tried_in_their_order_and_none_twice() -> None:
    routes = (FAL, REPLICATE, BACKGROUND)

    assert routes_after(routes, None) == routes
    assert routes_after(routes, FAL.name) == (REPLICATE, BACKGROUND)
    assert routes_after(routes, BACKGROUND.name) == ()
    assert routes_after(routes, "gone/away") == routes


def test_a_busy_route_is_waited_for_a_few_times_shortly_and_within_the_deadline() -> None:
    def waits(tries: int = 0, wait_s: int = 5, left_ms: int = 60_000) -> bool:
        call = ProviderCall(1, FAL.name, Phase.ASKED, tries)
        return is_worth_waiting(call, wait_s, now_ms=NOW_MS, deadline_ms=NOW_MS + left_ms)

    assert waits()
    assert [waits(tries=tries) for tries in range(BUSY_TRIES_MAX)] == [True] * (BUSY_TRIES_MAX - 1) + [False]
    assert (waits(wait_s=PATIENCE_S), waits(wait_s=PATIENCE_S + 1)) == (True, False)
    assert (waits(left_ms=5_001), waits(left_ms=5_000)) == (True, False)


def test_a_call_is_read_as_it_was_written() -> None:
    assert ProviderCall.from_json(CALL.to_json()) == CALL
    assert CALL.provider == "fal"
