"""What every Lambda of the state machine does around its one use case: ids on each log line, metrics out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shoal.observability import flush_metrics, logger


def task(
    run: Callable[[dict[str, Any]], dict[str, Any]],
) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """A Lambda handler around `run`. Errors pass through: their class names are the machine's ErrorEquals."""

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        logger.append_keys(account_id=event["account_id"], job_id=event["job_id"])
        try:
            result = run(event)
            logger.info("task done")
        except Exception as error:
            logger.warning("task failed", extra={"error": type(error).__name__}, exc_info=True)
            raise
        finally:
            flush_metrics()
            logger.clear_state()
        return result

    return handler
