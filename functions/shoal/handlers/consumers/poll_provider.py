"""The poll queue: ask a provider again."""

from __future__ import annotations

import json
import time

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from shoal import bootstrap
from shoal.domain.errors import JobClosed
from shoal.handlers.consumers.queue import consumer
from shoal.observability import count_provider_call, logger


def poll(record: SQSRecord) -> None:
    """One message: an account id, a job id, the number of an output, and whether to ask just once."""
    message = json.loads(record.body)
    logger.append_keys(account_id=message["account_id"], job_id=message["job_id"])
    started = time.monotonic_ns()
    try:
        _, outcome = bootstrap.poll_provider()(
            message["account_id"], message["job_id"], message["index"], once=message["once"]
        )
    except JobClosed:
        outcome = "closed"
    logger.info("provider asked", extra={"outcome": outcome})
    if outcome != "closed":
        count_provider_call(outcome, (time.monotonic_ns() - started) // 1_000_000)


handler = consumer(poll)
