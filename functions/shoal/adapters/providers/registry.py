"""Providers by name, each made when it is first asked for: nobody pays for importing the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from shoal.domain.errors import NotFound
from shoal.domain.routing import Route
from shoal.ports.routing import Provider

T = TypeVar("T")


class ProviderRegistry:
    """Implements the `Providers` port. `has_key` tells of a provider's name whether this stage can ask it."""

    def __init__(self, makers: Mapping[str, Callable[[], Provider]], has_key: Callable[[str], bool]) -> None:
        self._makers = makers
        self._has_key = has_key
        self._made: dict[str, Provider] = {}

    def has(self, name: str) -> bool:
        return name in self._makers and self._has_key(name)

    def get(self, name: str) -> Provider:
        if name not in self._makers:
            raise NotFound("There is no such provider.")
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]


class RouteRegistry(Generic[T]):
    """Implements the `ScriptWriters` and the `Speakers` port: makers that take the model's name."""

    def __init__(self, makers: Mapping[str, Callable[[str], T]], has_key: Callable[[str], bool]) -> None:
        self._makers = dict(makers)
        self._has_key = has_key

    def has(self, name: str) -> bool:
        return name in self._makers and self._has_key(name)

    def get(self, route: Route) -> T:
        if route.provider not in self._makers:
            raise NotFound("There is no such provider.")
        return self._makers[route.provider](route.model)
