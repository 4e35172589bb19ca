"""The closed-executions queue: an execution failed, timed out or was aborted."""

from __future__ import annotations

import json
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from shoal import bootstrap
from shoal.observability import flush_metrics, logger

processor = BatchProcessor(event_type=EventType.SQS)


def close(record: SQSRecord) -> None:
    """One message: a "Step Functions Execution Status Change" event whose input names the job."""
    detail = json.loads(record.body)["detail"]
    execution = json.loads(detail["input"])
    logger.append_keys(account_id=execution["account_id"], job_id=execution["job_id"])
    done = bootstrap.close_execution()(execution["account_id"], execution["job_id"])
    logger.info(
        "execution ended early",
        extra={"execution_status": detail["status"], "done": done},
    )


def handler(event: dict[str, Any], context: Any) -> Any:
    """Lambda handler: what fails is tried again by the queue, then goes to its dead letters."""
    try:
        return process_partial_response(
            event=event, record_handler=close, processor=processor, context=context
        )
    finally:
        flush_metrics()
        logger.clear_state()
