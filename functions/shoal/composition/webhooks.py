"""Builders of the webhook functions."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from operator import attrgetter
from typing import TYPE_CHECKING

from shoal.composition import parts
from shoal.composition.parts import client, clock, ids, named_table, output_urls, settings_of
from shoal.domain.delivery import Delivery, fresh_body
from shoal.domain.webhook import SECRET_BYTES, new_secret
from shoal.ports.webhooks import Lane
from shoal.settings import (
    AttemptSettings,
    DeliverWebhookSettings,
    FanOutEventSettings,
    ManageDeliveriesSettings,
    ManageWebhookSecretSettings,
    ManageWebhooksSettings,
    RetryWebhookSettings,
)

if TYPE_CHECKING:
    from shoal.adapters.aws.kms import KmsSecretBox
    from shoal.ports.webhooks import OrderQueue
    from shoal.use_cases.webhooks.deliver_webhook import DeliverWebhook
    from shoal.use_cases.webhooks.fan_out_event import FanOutEvent
    from shoal.use_cases.webhooks.manage_deliveries import ManageDeliveries
    from shoal.use_cases.webhooks.manage_webhook_secret import ManageWebhookSecret
    from shoal.use_cases.webhooks.manage_webhooks import ManageWebhooks
    from shoal.use_cases.webhooks.recover_deliveries import RecoverDeliveries


@dataclass(frozen=True, slots=True)
class FanningOut:
    """What the queue of events needs: orders to recover are seldom."""

    fan_out_event: FanOutEvent
    recover_deliveries: Callable[[], RecoverDeliveries]


@dataclass(frozen=True, slots=True)
class Delivering:
    """What a lane needs: the use case, and the queue that its orders are taken from."""

    deliver_webhook: DeliverWebhook
    queue: OrderQueue


@cache
def manage_webhooks() -> ManageWebhooks:
    from shoal.adapters.dynamodb.idempotency import DynamoDbIdempotencyRecords
    from shoal.adapters.dynamodb.webhooks import DynamoDbSubscriptions
    from shoal.adapters.http.caller_http import VettedCallerHttp
    from shoal.use_cases.webhooks.manage_webhooks import ManageWebhooks

    settings = settings_of(ManageWebhooksSettings)
    table = named_table(settings.table)
    return ManageWebhooks(
        subscriptions=DynamoDbSubscriptions(table),
        records=DynamoDbIdempotencyRecords(table),
        secret_box=_secret_box(settings.webhook_key_arn),
        http=VettedCallerHttp(loopback_allowed=settings.loopback_allowed),
        new_secret=_new_secret,
        clock=clock,
        ids=ids,
        subscriptions_max=settings.webhooks_max,
    )


@cache
def manage_webhook_secret() -> ManageWebhookSecret:
    from shoal.adapters.dynamodb.idempotency import DynamoDbIdempotencyRecords
    from shoal.adapters.dynamodb.webhooks import DynamoDbAccountSecrets
    from shoal.use_cases.webhooks.manage_webhook_secret import ManageWebhookSecret

    settings = settings_of(ManageWebhookSecretSettings)
    table = named_table(settings.table)
    return ManageWebhookSecret(
        account_secrets=DynamoDbAccountSecrets(table),
        records=DynamoDbIdempotencyRecords(table),
        secret_box=_secret_box(settings.webhook_key_arn),
        new_secret=_new_secret,
        clock=clock,
    )


@cache
def manage_deliveries() -> ManageDeliveries:
    from shoal.adapters.aws.webhook_queues import SqsDeliveryQueue, SqsRecoverQueue
    from shoal.adapters.dynamodb.deliveries import DynamoDbDeliveries
    from shoal.adapters.dynamodb.hosts import DynamoDbFunds
    from shoal.adapters.dynamodb.idempotency import DynamoDbIdempotencyRecords
    from shoal.adapters.dynamodb.slots import DynamoDbSlots
    from shoal.adapters.dynamodb.webhooks import DynamoDbSubscriptions
    from shoal.use_cases.webhooks.manage_deliveries import ManageDeliveries

    settings = settings_of(ManageDeliveriesSettings)
    table = named_table(settings.table)
    return ManageDeliveries(
        subscriptions=DynamoDbSubscriptions(table),
        deliveries=DynamoDbDeliveries(table),
        queue=SqsDeliveryQueue(client("sqs"), {Lane.CAREFUL: settings.retries_queue_url}),
        recover_queue=SqsRecoverQueue(client("sqs"), settings.webhook_events_queue_url),
        slots=DynamoDbSlots(table),
        funds=DynamoDbFunds(table),
        records=DynamoDbIdempotencyRecords(table),
        clock=clock,
        ids=ids,
        sleep=time.sleep,
    )


@cache
def fan_out_event() -> FanOutEvent:
    from shoal.adapters.aws.webhook_queues import SqsDeliveryQueue
    from shoal.adapters.dynamodb.deliveries import DynamoDbDeliveries
    from shoal.adapters.dynamodb.hosts import DynamoDbFunds
    from shoal.adapters.dynamodb.webhooks import DynamoDbAccountSecrets, DynamoDbSubscriptions
    from shoal.use_cases.webhooks.fan_out_event import FanOutEvent

    settings = settings_of(FanOutEventSettings)
    table = named_table(settings.table)
    urls = {Lane.QUICK: settings.deliveries_queue_url, Lane.CAREFUL: settings.retries_queue_url}
    return FanOutEvent(
        subscriptions=DynamoDbSubscriptions(table),
        account_secrets=DynamoDbAccountSecrets(table),
        deliveries=DynamoDbDeliveries(table),
        queue=SqsDeliveryQueue(client("sqs"), urls),
        jobs=parts.jobs(settings.table),
        secret_box=_secret_box(settings.webhook_key_arn),
        new_secret=_new_secret,
        funds=DynamoDbFunds(table),
        clock=clock,
    )


def fanning_out() -> FanningOut:
    return FanningOut(fan_out_event(), recover_deliveries)


@cache
def recover_deliveries() -> RecoverDeliveries:
    from shoal.adapters.aws.webhook_queues import SqsDeliveryQueue, SqsRecoverQueue
    from shoal.adapters.dynamodb.deliveries import DynamoDbDeliveries
    from shoal.use_cases.webhooks.recover_deliveries import RecoverDeliveries

    settings = settings_of(FanOutEventSettings)
    return RecoverDeliveries(
        deliveries=DynamoDbDeliveries(named_table(settings.table)),
        queue=SqsDeliveryQueue(client("sqs"), {Lane.CAREFUL: settings.retries_queue_url}),
        recover_queue=SqsRecoverQueue(client("sqs"), settings.webhook_events_queue_url),
        clock=clock,
    )


@cache
def deliver_webhook() -> Delivering:
    settings = settings_of(DeliverWebhookSettings)
    deliver = _deliver(Lane.QUICK, settings, attrgetter("body"))
    return Delivering(deliver, _orders(settings.deliveries_queue_url))


@cache
def retry_webhook() -> Delivering:
    settings = settings_of(RetryWebhookSettings)
    deliver = _deliver(Lane.CAREFUL, settings, partial(fresh_body, url_of=output_urls(settings)))
    return Delivering(deliver, _orders(settings.retries_queue_url))


def _orders(url: str) -> OrderQueue:
    from shoal.adapters.aws.webhook_queues import SqsOrderQueue

    return SqsOrderQueue(client("sqs"), url)


def _deliver(lane: Lane, settings: AttemptSettings, body_of: Callable[[Delivery], str]) -> DeliverWebhook:
    from shoal.adapters.aws.eventbridge import EventBridgeBus
    from shoal.adapters.aws.webhook_queues import ScheduledRetries, ScheduleTarget, SqsDeliveryQueue
    from shoal.adapters.dynamodb.deliveries import DynamoDbDeliveries
    from shoal.adapters.dynamodb.hosts import DynamoDbHostCounts
    from shoal.adapters.dynamodb.slots import DynamoDbSlots
    from shoal.adapters.dynamodb.webhooks import DynamoDbSubscriptions
    from shoal.adapters.http.vetted_http import VettedHttp
    from shoal.adapters.http.webhook_http import VettedWebhookHttp
    from shoal.domain.addresses import LOCAL_RULES, AddressRules
    from shoal.domain.delivery import RetryLadder
    from shoal.use_cases.webhooks.deliver_webhook import DeliverWebhook

    table = named_table(settings.table)
    queue = SqsDeliveryQueue(client("sqs"), {Lane.CAREFUL: settings.retries_queue_url})
    target = ScheduleTarget(
        group=settings.retry_schedule_group,
        role_arn=settings.retry_schedule_role_arn,
        queue_url=settings.retries_queue_url,
        dead_letters_arn=settings.async_failures_queue_arn,
    )
    return DeliverWebhook(
        lane=lane,
        body_of=body_of,
        subscriptions=DynamoDbSubscriptions(table),
        deliveries=DynamoDbDeliveries(table),
        slots=DynamoDbSlots(table),
        queue=queue,
        retries=ScheduledRetries(queue, client("scheduler"), target),
        secret_box=_secret_box(settings.webhook_key_arn),
        http=VettedWebhookHttp(VettedHttp(LOCAL_RULES if settings.loopback_allowed else AddressRules())),
        bus=EventBridgeBus(client("events"), settings.event_bus),
        ladder=RetryLadder(settings.webhook_retry_s),
        host_counts=DynamoDbHostCounts(table),
        unpaid_sends_max=settings.unpaid_sends_max,
        clock=clock,
    )


def _secret_box(key_arn: str) -> KmsSecretBox:
    from shoal.adapters.aws.kms import KmsSecretBox

    return KmsSecretBox(client("kms"), key_arn)


def _new_secret() -> str:
    return new_secret(secrets.token_bytes(SECRET_BYTES))
