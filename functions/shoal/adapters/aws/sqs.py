"""The poll queues: simulated work has one of its own."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from shoal.adapters.aws.client import unavailable_when_unreachable
from shoal.domain.text import json_text
from shoal.ports.jobs import Look

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsPollQueue:
    """Implements the `PollQueue` port. An account is one tenant of the fair queue."""

    def __init__(self, client: SQSClient, url: str, simulated_url: str) -> None:
        self._client = client
        self._url = url
        self._simulated_url = simulated_url

    def send(self, look: Look, *, delay_seconds: int) -> None:
        with unavailable_when_unreachable():
            self._client.send_message(
                QueueUrl=self._url_of(look),
                MessageBody=json_text(asdict(look)),
                MessageGroupId=look.account_id,
                DelaySeconds=delay_seconds,
            )

    def hide(self, look: Look, receipt: str, seconds: int) -> None:
        with unavailable_when_unreachable():
            self._client.change_message_visibility(
                QueueUrl=self._url_of(look), ReceiptHandle=receipt, VisibilityTimeout=seconds
            )

    def _url_of(self, look: Look) -> str:
        return self._simulated_url if look.simulated else self._url
