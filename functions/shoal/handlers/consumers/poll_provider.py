"""The poll queue: ask a provider again."""

from __future__ import annotations

import json

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from shoal.composition import jobs
from shoal.domain.errors import JobClosed
from shoal.handlers.consumers.queue import Consumer
from shoal.observability import logger
from shoal.ports.jobs import Look
from shoal.use_cases.providers.poll_provider import PollProvider


def poll(record: SQSRecord, poll_provider: PollProvider) -> None:
    """One message: a look at one output of a job."""
    look = Look(**json.loads(record.body))
    logger.append_keys(account_id=look.account_id, job_id=look.job_id)
    try:
        outcome = poll_provider(look, record.receipt_handle)
    except JobClosed:
        outcome = "closed"
    logger.info("provider asked", extra={"outcome": outcome})


handler = Consumer(jobs.poll_provider, poll)
