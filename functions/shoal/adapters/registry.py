"""Things of one kind by name: script writers, speakers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from shoal.domain.errors import NotFound

T = TypeVar("T")


class Registry(Generic[T]):
    """Implements the `ScriptWriters` and the `Speakers` port."""

    def __init__(self, by_name: Mapping[str, T], kind: str) -> None:
        self._by_name, self._kind = dict(by_name), kind

    def get(self, name: str) -> T:
        if name not in self._by_name:
            raise NotFound(f"There is no such {self._kind}.")
        return self._by_name[name]
