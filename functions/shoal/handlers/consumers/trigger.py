"""What every Lambda does that a schedule or the user pool triggers: one event, metrics out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from shoal.observability import flush_metrics

UseCases = TypeVar("UseCases")


@dataclass(frozen=True, slots=True)
class Trigger(Generic[UseCases]):
    """A Lambda handler around `run`. Errors pass through."""

    build: Callable[[], UseCases]
    run: Callable[[dict[str, Any], UseCases], dict[str, Any]]

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        try:
            return self.run(event, self.build())
        finally:
            flush_metrics()
