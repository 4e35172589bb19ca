"""What every Lambda behind a queue does: one message at a time, and what fails goes back alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from shoal.observability import flush_metrics, logger


def consumer(consume: Callable[[SQSRecord], None]) -> Callable[[dict[str, Any], Any], Any]:
    """A Lambda handler around `consume`. A message that fails is tried again, then is a dead letter."""
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

    def logged(record: SQSRecord) -> None:
        try:
            consume(record)
        except Exception:
            logger.exception("message failed", extra={"message_id": record.message_id})
            raise
        finally:
            logger.clear_state()

    def handler(event: dict[str, Any], context: Any) -> Any:
        try:
            return process_partial_response(
                event=event, record_handler=logged, processor=processor, context=context
            )
        finally:
            flush_metrics()

    return handler
