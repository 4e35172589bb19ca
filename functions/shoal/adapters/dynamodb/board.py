"""The board: what is known of all routes, read from the table in one go and kept for some seconds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from threading import Thread

from shoal.adapters.dynamodb.breakers import breaker_key, breaker_of
from shoal.adapters.dynamodb.items import Key
from shoal.adapters.dynamodb.table import Table, Update
from shoal.domain.breaker import Breaker
from shoal.domain.routing import Board, Route
from shoal.ports.system import Clock

logger = logging.getLogger(__name__)


def provider_key_key(name: str) -> Key:
    """Not the key itself, which is in Secrets Manager: only since when there is one."""
    return f"PROVIDER#{name}", "KEY"


class DynamoDbBoard:
    """Implements the `LookAtBoard` port.

    `routes` are those that are known by then: a catalog may be published meanwhile. `key_names` are the
    providers that take a key, `keyless` those that need none here. What is out of date can be read ahead,
    beside something else that waits for the network: so a submit pays nothing for it.
    """

    def __init__(
        self,
        table: Table,
        routes: Callable[[], Iterable[Route]],
        key_names: Iterable[str],
        clock: Clock,
        *,
        lifetime_ms: int,
        simulator_allowed: bool = False,
        keyless: frozenset[str] = frozenset(),
    ) -> None:
        self._table = table
        self._routes = routes
        self._key_names = sorted(key_names)
        self._clock = clock
        self._lifetime_ms = lifetime_ms
        self._simulator_allowed = simulator_allowed
        self._keyless = keyless
        self._breakers: Mapping[str, Breaker] = {}
        # Until something was read, nothing is held against anybody.
        self._keys = frozenset(self._key_names)
        self._read_at_ms: int | None = None
        self._reading: Thread | None = None

    def __call__(self) -> Board:
        breakers = self.breakers()
        return Board(
            keyed=self._keys | self._keyless,
            open_until_ms={name: b.open_until_ms for name, b in breakers.items() if b.open_until_ms},
            simulator_allowed=self._simulator_allowed,
        )

    def breakers(self) -> Mapping[str, Breaker]:
        """By the routes' names; none for those that never failed."""
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.join()
        elif self._outdated:
            self._read()
        return self._breakers

    def read_ahead(self) -> None:
        """Begin to read what is out of date."""
        if self._outdated and self._reading is None:
            self._reading = Thread(target=self._read, name="board", daemon=True)
            self._reading.start()

    def outdate(self) -> None:
        """Forget what was read, because it is no longer so: the next question reads it again."""
        self._read_at_ms = None

    def note_key(self, name: str, *, there: bool) -> None:
        """For the operator's command: whether the provider has a key from now on."""
        now_ms = self._clock.now_ms()
        change = Update(provider_key_key(name), "SET set_at_ms = :now", values={":now": now_ms})
        self._table.update(change if there else Update(provider_key_key(name), "REMOVE set_at_ms"))

    @property
    def _outdated(self) -> bool:
        return self._read_at_ms is None or self._clock.now_ms() - self._read_at_ms >= self._lifetime_ms

    def _read(self) -> None:
        routes = {breaker_key(name): name for name in sorted({route.name for route in self._routes()})}
        keys = {provider_key_key(name): name for name in self._key_names}
        try:
            found = self._table.get_several([*routes, *keys])
        except Exception:
            logger.warning("routes not read", exc_info=True)
        else:
            self._breakers = {routes[key]: breaker_of(item) for key, item in found.items() if key in routes}
            self._keys = frozenset(
                keys[key] for key, item in found.items() if key in keys and "set_at_ms" in item
            )
        self._read_at_ms = self._clock.now_ms()
