"""The poll queue: ask a provider again."""

from __future__ import annotations

import json

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from shoal.composition import jobs
from shoal.domain.errors import JobClosed
from shoal.handlers.consumers.queue import consumer
from shoal.observability import logger
from shoal.use_cases.providers.poll_provider import PollProvider


def poll(record: SQSRecord, poll_provider: PollProvider) -> None:
    """One message: an account id, a job id, the number of an output, and whether to ask just once."""
    message = json.loads(record.body)
    logger.append_keys(account_id=message["account_id"], job_id=message["job_id"])
    try:
        outcome = poll_provider(
            message["account_id"], message["job_id"], message["index"], once=message["once"]
        )
    except JobClosed:
        outcome = "closed"
    logger.info("provider asked", extra={"outcome": outcome})


handler = consumer(jobs.poll_provider, poll)
