"""What every Lambda of the state machine does around its one use case: ids on each log line, metrics out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from shoal.observability import flush_metrics, log_failure, logger

UseCases = TypeVar("UseCases")


@dataclass(frozen=True, slots=True)
class Task(Generic[UseCases]):
    """A Lambda handler around `run`. Errors pass through: their class names are the machine's ErrorEquals."""

    build: Callable[[], UseCases]
    run: Callable[[dict[str, Any], UseCases], dict[str, Any]]

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        try:
            logger.append_keys(account_id=event["account_id"], job_id=event["job_id"])
            result = self.run(event, self.build())
            logger.info("task done")
        except Exception as error:
            log_failure(error, "task failed")
            raise
        finally:
            flush_metrics()
            logger.clear_state()
        return result
