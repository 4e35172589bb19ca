"""The poll queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.adapters.aws.client import unavailable_when_unreachable
from shoal.domain.json_text import json_text

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsPollQueue:
    """Implements the `PollQueue` port."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def send(
        self, account_id: str, job_id: str, index: int, *, delay_seconds: int, once: bool = False
    ) -> None:
        message = {"account_id": account_id, "job_id": job_id, "index": index, "once": once}
        with unavailable_when_unreachable():
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=json_text(message),
                DelaySeconds=delay_seconds,
            )
