"""Providers by name."""

from __future__ import annotations

from collections.abc import Mapping

from shoal.domain.errors import NotFound
from shoal.domain.ports import Provider


class ProviderRegistry:
    """Implements the `Providers` port."""

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        self._providers = dict(providers)

    def get(self, name: str) -> Provider:
        if name not in self._providers:
            raise NotFound("There is no such provider.")
        return self._providers[name]
