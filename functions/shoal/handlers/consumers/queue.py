"""What every Lambda behind a queue does: one message at a time, and what fails goes back alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from shoal.observability import flush_metrics, log_failure, logger

UseCases = TypeVar("UseCases")


@dataclass(frozen=True, slots=True)
class Consumer(Generic[UseCases]):
    """A Lambda handler around `consume`. A message that fails is tried again, then is a dead letter."""

    build: Callable[[], UseCases]
    consume: Callable[[SQSRecord, UseCases], None]

    def __call__(self, event: dict[str, Any], context: Any) -> Any:
        processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
        try:
            return process_partial_response(
                event=event, record_handler=self._log_failure, processor=processor, context=context
            )
        finally:
            flush_metrics()

    def _log_failure(self, record: SQSRecord) -> None:
        try:
            self.consume(record, self.build())
        except Exception as error:
            log_failure(error, "message failed", message_id=record.message_id)
            raise
        finally:
            logger.clear_state()
