"""A memory: nothing is made twice that is still kept, and it keeps no more than it may."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shoal.media.memory import Memory


class Workshop:
    """Makes text of a length, notes what it made, and remembers it."""

    def __init__(self, *, entries_max: int = 9, bytes_max: int = 99) -> None:
        self.memory = Memory[bytes](entries_max=entries_max, bytes_max=bytes_max, bytes_of=len)
        self.made: list[str] = []

    def ask(self, key: str, length: int = 1) -> bytes:
        def make() -> bytes:
            self.made.append(key)
            return key.encode() * length

        return self.memory.recall(key, make)


def test_what_was_made_is_not_made_again() -> None:
    workshop = Workshop()

    assert [workshop.ask(key) for key in "aba"] == [b"a", b"b", b"a"]
    assert workshop.made == ["a", "b"]


@pytest.mark.parametrize(
    "workshop", [lambda: Workshop(entries_max=2), lambda: Workshop(bytes_max=20)], ids=["entries", "bytes"]
)
def test_what_was_asked_for_longest_ago_is_forgotten_first(workshop: Callable[[], Workshop]) -> None:
    full = workshop()
    for key in "abac":
        full.ask(key, 10)

    full.ask("a", 10)
    full.ask("b", 10)

    assert full.made == ["a", "b", "c", "b"]


def test_what_is_larger_than_the_memory_is_made_each_time() -> None:
    workshop = Workshop(bytes_max=20)

    assert len(workshop.ask("a", 21)) == len(workshop.ask("a", 21)) == 21
    assert workshop.made == ["a", "a"]


def test_what_could_not_be_made_is_tried_again() -> None:
    memory = Memory[str](entries_max=1)

    def fail() -> str:
        raise ValueError("not yet")

    with pytest.raises(ValueError, match="not yet"):
        memory.recall("a", fail)
    assert memory.recall("a", lambda: "made") == "made"
