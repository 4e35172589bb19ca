"""The queue of events to fan out, and of orders to recover, which fan earlier events out again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from shoal.composition import webhooks
from shoal.domain.events import Event
from shoal.handlers.consumers.queue import Consumer
from shoal.observability import logger
from shoal.ports.webhooks import RecoverOrder

if TYPE_CHECKING:
    from shoal.composition.webhooks import FanningOut


def fan_out(record: SQSRecord, use_cases: FanningOut) -> None:
    """One message: an event as the bus hands it on, or an order to recover."""
    message = json.loads(record.body)
    if "recover" in message:
        order = RecoverOrder(**message["recover"])
        logger.append_keys(account_id=order.account_id, webhook_id=order.webhook_id)
        logger.info("recovered", extra={"deliveries": use_cases.recover_deliveries()(order)})
        return
    event = Event(message["detail-type"], message["detail"])
    logger.append_keys(account_id=event.detail["account_id"], event_id=event.detail["id"])
    deliveries = use_cases.fan_out_event(event)
    logger.info("fanned out", extra={"event_type": event.type, "deliveries": deliveries})


handler = Consumer(webhooks.fanning_out, fan_out)
