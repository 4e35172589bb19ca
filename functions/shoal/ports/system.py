"""Time, ids, the bus, and what was answered to an idempotency key."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from shoal.domain.events import Event
from shoal.domain.idempotency import IdempotencyKey, IdempotencyRecord

Found = TypeVar("Found")
Given = TypeVar("Given")

TimeLeft = Callable[[], float]
"""Seconds until the caller is stopped, wherever it is by then."""


def unlimited() -> float:
    """The `TimeLeft` of a caller that nobody stops."""
    return math.inf


class AtOnce(Protocol):
    def __call__(self, work: Callable[[Given], Found], each: Iterable[Given]) -> list[Found]:
        """Do the work on each, on several at a time. The results in the order of what was given."""


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


def in_turn(work: Callable[[], Found]) -> Callable[[], Found]:
    """Implements the `Beside` port by doing the work first."""
    found = work()
    return lambda: found


class Bus(Protocol):
    def publish(self, events: Sequence[Event]) -> None:
        """Raises `Unavailable` unless every event was taken."""


@dataclass(frozen=True, slots=True)
class Untold:
    """Events of one transaction that the bus has not been told of; `name` is the outbox's own."""

    name: str
    events: tuple[Event, ...]


class Outbox(Protocol):
    """What happened apart from any job, kept until the bus has it."""

    def add(self, events: Sequence[Event]) -> None:
        """Have them told, which belong to no transaction: added twice they are the same."""

    def untold(self) -> Iterator[Untold]:
        """All of them. Each transaction that makes one happen has written it."""

    def forget(self, told: Untold) -> None:
        """The bus has it. Nothing happens if it is forgotten already."""


class IdempotencyRecords(Protocol):
    def find_record(self, key: IdempotencyKey, now_ms: int) -> IdempotencyRecord | None:
        """The record of an earlier request with this key. Raises `IdempotencyKeyReused`."""

    def add(self, record: IdempotencyRecord, now_ms: int) -> IdempotencyRecord | None:
        """Write it. Returns the earlier record if the key was used before. Raises `IdempotencyKeyReused`."""

    def finish(self, record: IdempotencyRecord) -> None:
        """What was answered: from now on it is answered again."""
