"""The queues of the delivery pipeline, and the schedules that put an order into one of them later.

Up to 15 minutes SQS itself holds an order back, to the second. Beyond that EventBridge Scheduler
takes over, which fires at some time within the minute.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shoal.adapters.aws.client import error_code, unavailable_when_unreachable
from shoal.domain.delivery import Order
from shoal.domain.errors import Unavailable
from shoal.domain.text import json_text
from shoal.ports.webhooks import Lane, RecoverOrder, TakenOrder

if TYPE_CHECKING:
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_sqs import SQSClient

ENTRIES_MAX = 10
"""Messages one SendMessageBatch takes (Amazon SQS quotas)."""

DELAY_S_MAX = 900
"""The longest an SQS message can be delayed."""


@dataclass(frozen=True, slots=True)
class ScheduleTarget:
    """Where a schedule delivers: a group and role made for it, the careful lane's queue, its dead letters."""

    group: str
    role_arn: str
    queue_url: str
    dead_letters_arn: str

    @property
    def send_arn(self) -> str:
        """The call that a schedule makes: a schedule's own way into a queue names no message group."""
        partition = self.role_arn.split(":")[1]
        return f"arn:{partition}:scheduler:::aws-sdk:sqs:sendMessage"


class SqsDeliveryQueue:
    """Implements the `DeliveryQueue` port. An account is one tenant of the fair queues."""

    def __init__(self, client: SQSClient, urls: Mapping[Lane, str]) -> None:
        self._client = client
        self._urls = urls

    def send(self, lane: Lane, orders: Sequence[Order], *, delay_s: int = 0) -> None:
        for first in range(0, len(orders), ENTRIES_MAX):
            entries: Any = [
                {
                    "Id": str(n),
                    "MessageBody": json_text(asdict(order)),
                    "MessageGroupId": order.account_id,
                    "DelaySeconds": delay_s,
                }
                for n, order in enumerate(orders[first : first + ENTRIES_MAX])
            ]
            with unavailable_when_unreachable():
                answer = self._client.send_message_batch(QueueUrl=self._urls[lane], Entries=entries)
            if answer.get("Failed"):
                raise Unavailable(retry_after_seconds=1)


class SqsOrderQueue:
    """Implements the `OrderQueue` port."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def take(self, orders_max: int) -> list[TakenOrder]:
        with unavailable_when_unreachable():
            answer = self._client.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=orders_max, WaitTimeSeconds=1
            )
        taken = []
        for message in answer.get("Messages", []):
            with suppress(TypeError, ValueError):  # unreadable: its receives are counted, and end it
                order = Order(**json.loads(message["Body"]))
                taken.append(TakenOrder(order, message["MessageId"], message["ReceiptHandle"]))
        return taken

    def finish(self, taken: Sequence[TakenOrder]) -> None:
        for first in range(0, len(taken), ENTRIES_MAX):
            entries: Any = [
                {"Id": str(n), "ReceiptHandle": each.receipt}
                for n, each in enumerate(taken[first : first + ENTRIES_MAX])
            ]
            with unavailable_when_unreachable():
                # The queue delivers again what is not deleted, and it is found to be done.
                self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)


class ScheduledRetries:
    """Implements the `RetrySchedule` port. A schedule is named after its attempt: planned twice it is one."""

    def __init__(
        self, queue: SqsDeliveryQueue, scheduler: EventBridgeSchedulerClient, target: ScheduleTarget
    ) -> None:
        self._queue = queue
        self._scheduler = scheduler
        self._target = target

    def plan(self, order: Order, at_ms: int, now_ms: int) -> None:
        delay_s = max(0, -(-(at_ms - now_ms) // 1000))
        if delay_s <= DELAY_S_MAX:
            self._queue.send(Lane.CAREFUL, [order], delay_s=delay_s)
            return
        moment = datetime.fromtimestamp(-(-at_ms // 1000), UTC)
        try:
            with unavailable_when_unreachable():
                self._scheduler.create_schedule(
                    Name=f"{order.delivery_id}.{order.run}.{order.attempt}",
                    GroupName=self._target.group,
                    ScheduleExpression=f"at({moment:%Y-%m-%dT%H:%M:%S})",
                    FlexibleTimeWindow={"Mode": "OFF"},
                    ActionAfterCompletion="DELETE",
                    Target={
                        "Arn": self._target.send_arn,
                        "RoleArn": self._target.role_arn,
                        "Input": json_text(self._message(order)),
                        "DeadLetterConfig": {"Arn": self._target.dead_letters_arn},
                    },
                )
        except ClientError as error:
            if error_code(error) != "ConflictException":  # the same attempt is scheduled already
                raise

    def _message(self, order: Order) -> dict[str, str]:
        return {
            "QueueUrl": self._target.queue_url,
            "MessageBody": json_text(asdict(order)),
            "MessageGroupId": order.account_id,
        }


class SqsRecoverQueue:
    """Implements the `RecoverQueue` port: an order to recover takes the way of an event."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, order: RecoverOrder) -> None:
        with unavailable_when_unreachable():
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=json_text({"recover": asdict(order)}),
                MessageGroupId=order.account_id,
            )
