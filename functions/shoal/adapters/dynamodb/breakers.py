"""Circuit breakers in the table: one item a route, written only when something is wrong.

While a route does well, one success in `SAMPLE` is written and counts for all of them; from its first failure
in a window on, each success counts, so that the share that decides is that of real calls.
"""

from __future__ import annotations

import logging
import random
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

from shoal.adapters.dynamodb.items import Key
from shoal.adapters.dynamodb.outbox import outbox_updates
from shoal.adapters.dynamodb.table import ConditionFailed, Item, Table, TransactionRefused, Update
from shoal.adapters.dynamodb.values import read
from shoal.domain.breaker import (
    PROBE_LEASE_MS,
    SAMPLE,
    Breaker,
    BreakerState,
    Outcome,
    cool_down_ms,
    window_of,
)
from shoal.domain.errors import Unavailable
from shoal.domain.events import breaker_opened_event
from shoal.domain.provider import ALWAYS_THERE
from shoal.domain.routing import Route
from shoal.ports.routing import Pass

SAME_WINDOW = "window_at_ms = :window"
NEW_WINDOW = "attribute_not_exists(window_at_ms) OR window_at_ms < :window"
CLOSED = "attribute_not_exists(open_until_ms)"
COOLED_DOWN = "open_until_ms = :seen"
MY_PROBE = "probe = :probe"
KNOWN = "attribute_exists(pk)"

OPEN_UNTIL = "SET open_until_ms = :until, trips = :trips, reason = :reason"
RESET = "REMOVE open_until_ms, probe, trips, reason, window_at_ms"
REASON_CHARS_MAX = 200
ADMITTED = Pass()

logger = logging.getLogger(__name__)


def breaker_key(route: str) -> Key:
    return f"ROUTE#{route}", "BREAKER"


def breaker_of(item: Item | None) -> Breaker:
    """Nothing is stored of a route that never failed."""
    return read(Breaker, item or {})


class SeenBreakers(Protocol):
    def breakers(self) -> Mapping[str, Breaker]:
        """By the routes' names; none for those that never failed."""

    def outdate(self) -> None:
        """What was read is no longer so."""

    def read_ahead(self) -> None:
        """Begin to read what is out of date."""


class DynamoDbBreakers:
    """Implements the `Breakers` port.

    `seen` is what was read of the breakers a moment ago: admitting costs a write only where a probe is due.
    `chance` (from 0 to 1) draws the sample.
    """

    def __init__(
        self,
        table: Table,
        seen: SeenBreakers,
        *,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._table = table
        self._seen = seen
        self._chance = chance
        self._written: dict[str, Breaker] = {}

    def read_ahead(self) -> None:
        self._seen.read_ahead()

    def admit(self, route: Route, now_ms: int) -> Pass | None:
        breaker = self._seen.breakers().get(route.name)
        if breaker is None or breaker.state(now_ms) is BreakerState.CLOSED:
            return ADMITTED
        if breaker.open_until_ms is None or breaker.open_until_ms > now_ms:
            return None
        return self._probe(route, breaker.open_until_ms, now_ms)

    def note(self, route: Route, outcome: Outcome, given: Pass, now_ms: int, *, reason: str = "") -> None:
        if route.provider in ALWAYS_THERE:
            return
        try:
            if given.probe is not None:
                self._judge_probe(route, outcome, given.probe, now_ms, reason)
            elif outcome is Outcome.SUCCESS:
                self._count_success(route, now_ms)
            else:
                self._count_failure(route, outcome, now_ms, reason)
        except Unavailable:
            logger.warning("exchange not counted", extra={"route": route.name}, exc_info=True)

    def close(self, route: Route) -> None:
        self._turn(route, RESET, KNOWN, {})

    def _probe(self, route: Route, seen_ms: int, now_ms: int) -> Pass | None:
        """Only one of those that see the cool-down end at the same moment gets leave."""
        probe = secrets.token_hex(8)
        values = {":seen": seen_ms, ":until": now_ms + PROBE_LEASE_MS, ":probe": probe}
        item = self._turn(route, "SET open_until_ms = :until, probe = :probe", COOLED_DOWN, values)
        return Pass(probe) if item and item.get("probe") == probe else None

    def _judge_probe(self, route: Route, outcome: Outcome, probe: str, now_ms: int, reason: str) -> None:
        values: dict[str, Any] = {":probe": probe}
        if outcome is Outcome.SUCCESS:
            expression = RESET
        else:
            trips = self._seen.breakers().get(route.name, Breaker()).trips + 1
            values |= _opening_values(outcome, trips, now_ms, reason)
            expression = (
                "SET open_until_ms = :until, trips = :trips, reason = :reason REMOVE probe, window_at_ms"
            )
        self._turn(route, expression, MY_PROBE, values)

    def _count_success(self, route: Route, now_ms: int) -> None:
        if self._has_failures(route, now_ms):
            self._count(route, now_ms, calls=1, failures=0)
        elif self._chance() * SAMPLE < 1:
            self._count(route, now_ms, calls=SAMPLE, failures=0)

    def _count_failure(self, route: Route, outcome: Outcome, now_ms: int, reason: str) -> None:
        breaker = self._count(route, now_ms, calls=1, failures=1)
        if outcome is Outcome.UNUSABLE or breaker.failing:
            self._open(route, _opening_values(outcome, 1, now_ms, reason), now_ms)

    def _open(self, route: Route, values: dict[str, Any], now_ms: int) -> None:
        """The bus is told of a breaker that opens, not of one that stays open after a probe."""
        told = breaker_opened_event(
            route.name, route.provider, values[":reason"], until_ms=values[":until"], now_ms=now_ms
        )
        opened = Update(breaker_key(route.name), OPEN_UNTIL, CLOSED, values)
        with suppress(TransactionRefused):  # somebody else opened it
            self._table.transact([opened, *outbox_updates([told])])
        self._seen.outdate()

    def _count(self, route: Route, now_ms: int, *, calls: int, failures: int) -> Breaker:
        """Into the window of this moment, which begins with the first call that is counted in it."""
        values = {":window": window_of(now_ms), ":calls": calls, ":failures": failures}
        add = "ADD calls :calls, failures :failures"
        begin = "SET window_at_ms = :window, calls = :calls, failures = :failures"
        item = (
            self._try(route, add, SAME_WINDOW, values)
            or self._try(route, begin, NEW_WINDOW, values)
            # Somebody else began the window in between; one that is over by now is not counted in.
            or self._try(route, add, SAME_WINDOW, values)
        )
        self._written[route.name] = breaker_of(item)
        return self._written[route.name]

    def _has_failures(self, route: Route, now_ms: int) -> bool:
        known = (self._written.get(route.name), self._seen.breakers().get(route.name))
        return any(breaker is not None and breaker.has_failures(now_ms) for breaker in known)

    def _turn(self, route: Route, expression: str, condition: str, values: dict[str, Any]) -> Item | None:
        """Change the state itself, and see it as it is now."""
        item = self._try(route, expression, condition, values)
        self._seen.outdate()
        return item

    def _try(self, route: Route, expression: str, condition: str, values: dict[str, Any]) -> Item | None:
        """The item after the change; None if the condition does not hold, unless it is our own doing."""
        try:
            return self._table.update(Update(breaker_key(route.name), expression, condition, values))
        except ConditionFailed as failed:
            mine = values.get(":probe")
            # The service may run an update twice whose first reply was lost.
            return failed.item if mine and failed.item and failed.item.get("probe") == mine else None


def _opening_values(outcome: Outcome, trips: int, now_ms: int, reason: str) -> dict[str, Any]:
    until_ms = now_ms + cool_down_ms(outcome, trips)
    return {":until": until_ms, ":trips": trips, ":reason": reason[:REASON_CHARS_MAX] or "unknown"}
