"""The closed-executions queue: an execution failed, timed out or was aborted."""

from __future__ import annotations

import json

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from shoal.composition import jobs
from shoal.handlers.consumers.queue import Consumer
from shoal.observability import count_failed, logger
from shoal.use_cases.jobs.close_execution import CloseExecution


def close(record: SQSRecord, close_execution: CloseExecution) -> None:
    """One message: a "Step Functions Execution Status Change" event whose input names the job."""
    detail = json.loads(record.body)["detail"]
    execution = json.loads(detail["input"])
    logger.append_keys(account_id=execution["account_id"], job_id=execution["job_id"])
    done = close_execution(execution["account_id"], execution["job_id"])
    count_failed(int(done == "closed"))
    logger.info(
        "execution ended early",
        extra={"execution_status": detail["status"], "done": done},
    )


handler = Consumer(jobs.close_execution, close)
