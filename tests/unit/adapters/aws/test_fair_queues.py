"""Each message in a queue says whose it is: standard queues are fair to accounts alone."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from shoal.adapters.aws.sqs import SqsPollQueue
from shoal.adapters.aws.webhook_queues import (
    ScheduledRetries,
    ScheduleTarget,
    SqsDeliveryQueue,
    SqsRecoverQueue,
)
from shoal.domain.delivery import Order
from shoal.ports.jobs import Look
from shoal.ports.webhooks import Lane, RecoverOrder
from tests.support.factories import ACCOUNT, JOB

SHOAL = Path(__file__).parents[4] / "functions/shoal"
URL = "https://sqs/queue"
SENDS = {"send_message", "send_message_batch", "create_schedule"}
WEBHOOK = "wh_01JBQRSTVWXYZ0123456789ABC"
ORDER = Order(ACCOUNT, WEBHOOK, "dlv_01JBQRSTVWXYZ0123456789ABC")
ROLE = "arn:aws-cn:iam::123456789012:role/retries"


class Client:
    """Keeps what it is asked to send."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send_message(self, **message: Any) -> None:
        self.sent.append(message)

    def send_message_batch(self, **batch: Any) -> dict[str, Any]:
        self.sent += batch["Entries"]
        return {}

    def create_schedule(self, **schedule: Any) -> None:
        self.sent.append(json.loads(schedule["Target"]["Input"]))


def poll(client: Any) -> None:
    SqsPollQueue(client, URL, URL).send(Look(ACCOUNT, JOB, 0), delay_seconds=1)


def deliver(client: Any) -> None:
    SqsDeliveryQueue(client, {Lane.QUICK: URL}).send(Lane.QUICK, [ORDER])


def recover(client: Any) -> None:
    order = RecoverOrder(ACCOUNT, WEBHOOK, since_ms=0, until_ms=1, left=1)
    SqsRecoverQueue(client, URL).send(order)


def retries(client: Any) -> ScheduledRetries:
    queue = SqsDeliveryQueue(client, {Lane.CAREFUL: URL})
    return ScheduledRetries(queue, client, ScheduleTarget("retries", ROLE, URL, "arn:dead"))


def retry_soon(client: Any) -> None:
    retries(client).plan(ORDER, at_ms=1_000, now_ms=0)


def retry_late(client: Any) -> None:
    retries(client).plan(ORDER, at_ms=86_400_000, now_ms=0)


@pytest.mark.parametrize("send", [poll, deliver, recover, retry_soon, retry_late])
def test_a_message_is_of_its_accounts_group(send: Callable[[Any], None]) -> None:
    client = Client()

    send(client)

    assert [message["MessageGroupId"] for message in client.sent] == [ACCOUNT]


def test_a_late_retry_has_its_schedule_send_the_order_as_it_is() -> None:
    client = Client()

    retry_late(client)

    (message,) = client.sent
    assert message["QueueUrl"] == URL
    assert Order(**json.loads(message["MessageBody"])) == ORDER


def test_a_schedule_calls_sqs_in_its_own_partition() -> None:
    target = ScheduleTarget("retries", ROLE, URL, "arn:dead")
    assert target.send_arn == "arn:aws-cn:scheduler:::aws-sdk:sqs:sendMessage"


def test_nobody_else_sends() -> None:
    senders = {
        f"{path.relative_to(SHOAL)}: {node.func.attr}"
        for path in SHOAL.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SENDS
    }
    assert senders == {
        "adapters/aws/sqs.py: send_message",
        "adapters/aws/webhook_queues.py: create_schedule",
        "adapters/aws/webhook_queues.py: send_message",
        "adapters/aws/webhook_queues.py: send_message_batch",
    }


@pytest.mark.parametrize(("simulated", "url"), [(False, "https://sqs/real"), (True, "https://sqs/simulated")])
def test_a_look_is_hidden_in_the_queue_it_came_from(simulated: bool, url: str) -> None:
    class Hiding:
        def change_message_visibility(self, **call: Any) -> None:
            calls.append(call)

    calls: list[dict[str, Any]] = []
    queue = SqsPollQueue(cast(Any, Hiding()), "https://sqs/real", "https://sqs/simulated")

    queue.hide(Look(ACCOUNT, JOB, 0, simulated=simulated), "receipt", 45)

    assert calls == [{"QueueUrl": url, "ReceiptHandle": "receipt", "VisibilityTimeout": 45}]
