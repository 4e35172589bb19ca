"""What a process has made and may be asked for again."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Memory(Generic[Made]):
    """Keeps what was asked for last: so many things at most, and where they are large, so many bytes in all.

    `bytes_of` tells how many bytes one has. What is larger than all may be together is not kept.
    """

    def __init__(
        self, *, entries_max: int, bytes_max: int = 0, bytes_of: Callable[[Made], int] = lambda _: 0
    ) -> None:
        self._entries_max = entries_max
        self._bytes_max = bytes_max
        self._bytes_of = bytes_of
        self._made: dict[Hashable, Made] = {}
        self._lock = Lock()

    def recall(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What was made for `key`, or is made now. `key` holds all that the result depends on."""
        with self._lock:
            made = self._made.pop(key, None)
        if made is None:
            made = make()
        with self._lock:
            self._made[key] = made  # behind all others
            while len(self._made) > self._entries_max or self._bytes() > self._bytes_max:
                del self._made[next(iter(self._made))]
        return made

    def _bytes(self) -> int:
        return sum(map(self._bytes_of, self._made.values()))
