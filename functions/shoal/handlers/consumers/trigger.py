"""What every Lambda does that a schedule or the user pool triggers: one event, metrics out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from shoal.observability import flush_metrics, log_failure
from shoal.ports.system import TimeLeft

UseCases = TypeVar("UseCases")


@dataclass(frozen=True, slots=True)
class Trigger(Generic[UseCases]):
    """A Lambda handler around `run`. Errors pass through."""

    build: Callable[[], UseCases]
    run: Callable[[dict[str, Any], UseCases], dict[str, Any]]

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        try:
            return self.run(event, self.build())
        except Exception as error:
            log_failure(error, "trigger failed")
            raise
        finally:
            flush_metrics()


@dataclass(frozen=True, slots=True)
class Schedule(Generic[UseCases]):
    """A Lambda handler around `run`, which is told how long it may. Errors pass through."""

    build: Callable[[], UseCases]
    run: Callable[[UseCases, TimeLeft], dict[str, Any]]

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        def time_left() -> float:
            return float(context.get_remaining_time_in_millis()) / 1000

        try:
            return self.run(self.build(), time_left)
        except Exception as error:
            log_failure(error, "schedule failed")
            raise
        finally:
            flush_metrics()
