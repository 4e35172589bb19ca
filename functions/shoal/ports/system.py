"""Time, ids, the bus, and what was answered to an idempotency key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from shoal.domain.events import Event
from shoal.domain.idempotency import IdempotencyKey, IdempotencyRecord

Found = TypeVar("Found")


class Clock(Protocol):
    def now_ms(self) -> int:
        """Unix time in milliseconds."""


class Ids(Protocol):
    def new(self, prefix: str, at_ms: int) -> str:
        """A fresh id such as `job_01J…` that sorts by `at_ms`."""

    def secret(self, length: int) -> str:
        """Unguessable letters and digits."""


class Beside(Protocol):
    def __call__(self, work: Callable[[], Found]) -> Callable[[], Found]:
        """Begin some work while its caller goes on. What is returned waits for what comes of it."""


class Bus(Protocol):
    def publish(self, events: Sequence[Event]) -> None:
        """Raises `Unavailable` unless every event was taken."""


class IdempotencyRecords(Protocol):
    def find_record(self, key: IdempotencyKey, now_ms: int) -> IdempotencyRecord | None:
        """The record of an earlier request with this key. Raises `IdempotencyKeyReused`."""

    def add(self, record: IdempotencyRecord, now_ms: int) -> IdempotencyRecord | None:
        """Write it. Returns the earlier record if the key was used before. Raises `IdempotencyKeyReused`."""

    def finish(self, record: IdempotencyRecord) -> None:
        """What was answered: from now on it is answered again."""
