"""The port `Beside`, which remembers what was begun and who waited for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

Found = TypeVar("Found")


@dataclass
class Begun:
    """Does each work at once. `left` is how much nobody has waited for."""

    works: int = 0
    waited_for: set[int] = field(default_factory=set)

    def __call__(self, work: Callable[[], Found]) -> Callable[[], Found]:
        found, number = work(), self.works
        self.works += 1

        def wait() -> Found:
            self.waited_for.add(number)
            return found

        return wait

    @property
    def left(self) -> int:
        return self.works - len(self.waited_for)
