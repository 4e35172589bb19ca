"""Builders of the webhook functions."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from operator import attrgetter
from typing import TYPE_CHECKING

from shoal import settings as environment
from shoal.composition import parts
from shoal.composition.parts import client, clock, ids, named_table, output_urls, settings_of
from shoal.domain.delivery import Delivery, fresh_body
from shoal.domain.webhook import SECRET_BYTES, new_secret
from shoal.ports.webhooks import Lane

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
    from shoal.adapters.dynamodb import idempotency, webhooks
    from shoal.adapters.http.caller_http import VettedCallerHttp
    from shoal.use_cases.webhooks.manage_webhooks import ManageWebhooks

    settings = settings_of(environment.ManageWebhooksSettings)
    table = named_table(settings.table)
    return ManageWebhooks(
        subscriptions=webhooks.DynamoDbSubscriptions(table),
        records=idempotency.DynamoDbIdempotencyRecords(table),
        secret_box=_secret_box(settings.webhook_key_arn),
        http=VettedCallerHttp(loopback_allowed=settings.loopback_allowed),
        new_secret=_new_secret,
        clock=clock,
        ids=ids,
        subscriptions_max=settings.webhooks_max,
    )


@cache
def manage_webhook_secret() -> ManageWebhookSecret:
    from shoal.adapters.dynamodb import idempotency, webhooks
    from shoal.use_cases.webhooks.manage_webhook_secret import ManageWebhookSecret

    settings = settings_of(environment.ManageWebhookSecretSettings)
    table = named_table(settings.table)
    return ManageWebhookSecret(
        account_secrets=webhooks.DynamoDbAccountSecrets(table),
        records=idempotency.DynamoDbIdempotencyRecords(table),
        secret_box=_secret_box(settings.webhook_key_arn),
        new_secret=_new_secret,
        clock=clock,
    )


@cache
def manage_deliveries() -> ManageDeliveries:
    from shoal.adapters.aws.webhook_queues import SqsDeliveryQueue, SqsRecoverQueue
    from shoal.adapters.dynamodb import deliveries, hosts, idempotency, slots, webhooks
    from shoal.use_cases.webhooks.manage_deliveries import ManageDeliveries

    settings = settings_of(environment.ManageDeliveriesSettings)
    table = named_table(settings.table)
    return ManageDeliveries(
        subscriptions=webhooks.DynamoDbSubscriptions(table),
        deliveries=deliveries.DynamoDbDeliveries(table),
        queue=SqsDeliveryQueue(client("sqs"), {Lane.CAREFUL: settings.retries_queue_url}),
        recover_queue=SqsRecoverQueue(client("sqs"), settings.webhook_events_queue_url),
        slots=slots.DynamoDbSlots(table),
        funds=hosts.DynamoDbFunds(table),
        records=idempotency.DynamoDbIdempotencyRecords(table),
        clock=clock,
        ids=ids,
        sleep=time.sleep,
    )


@cache
def fan_out_event() -> FanOutEvent:
    from shoal.adapters.aws.webhook_queues import SqsDeliveryQueue
    from shoal.adapters.dynamodb import deliveries, hosts, webhooks
    from shoal.use_cases.webhooks.fan_out_event import FanOutEvent

    settings = settings_of(environment.FanOutEventSettings)
    table = named_table(settings.table)
    urls = {Lane.QUICK: settings.deliveries_queue_url, Lane.CAREFUL: settings.retries_queue_url}
    return FanOutEvent(
        subscriptions=webhooks.DynamoDbSubscriptions(table),
        account_secrets=webhooks.DynamoDbAccountSecrets(table),
        deliveries=deliveries.DynamoDbDeliveries(table),
        queue=SqsDeliveryQueue(client("sqs"), urls),
        jobs=parts.jobs(settings.table),
        secret_box=_secret_box(settings.webhook_key_arn),
        new_secret=_new_secret,
        funds=hosts.DynamoDbFunds(table),
        clock=clock,
    )


def fanning_out() -> FanningOut:
    return FanningOut(fan_out_event(), recover_deliveries)


@cache
def recover_deliveries() -> RecoverDeliveries:
    from shoal.adapters.aws.webhook_queues import SqsDeliveryQueue, SqsRecoverQueue
    from shoal.adapters.dynamodb.deliveries import DynamoDbDeliveries
    from shoal.use_cases.webhooks.recover_deliveries import RecoverDeliveries

    settings = settings_of(environment.FanOutEventSettings)
    return RecoverDeliveries(
        deliveries=DynamoDbDeliveries(named_table(settings.table)),
        queue=SqsDeliveryQueue(client("sqs"), {Lane.CAREFUL: settings.retries_queue_url}),
        recover_queue=SqsRecoverQueue(client("sqs"), settings.webhook_events_queue_url),
        clock=clock,
    )


@cache
def deliver_webhook() -> Delivering:
    settings = settings_of(environment.DeliverWebhookSettings)
    deliver = _deliver(Lane.QUICK, settings, attrgetter("body"))
    return Delivering(deliver, _orders(settings.deliveries_queue_url))


@cache
def retry_webhook() -> Delivering:
    settings = settings_of(environment.RetryWebhookSettings)
    deliver = _deliver(Lane.CAREFUL, settings, partial(fresh_body, url_of=output_urls(settings)))
    return Delivering(deliver, _orders(settings.retries_queue_url))


def _orders(url: str) -> OrderQueue:
    from shoal.adapters.aws.webhook_queues import SqsOrderQueue

    return SqsOrderQueue(client("sqs"), url)


def _deliver(
    lane: Lane, settings: environment.AttemptSettings, body_of: Callable[[Delivery], str]
) -> DeliverWebhook:
    from shoal.adapters.aws.eventbridge import EventBridgeBus
    from shoal.adapters.aws.webhook_queues import ScheduledRetries, ScheduleTarget, SqsDeliveryQueue
    from shoal.adapters.dynamodb import deliveries, hosts, slots, webhooks
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
        subscriptions=webhooks.DynamoDbSubscriptions(table),
        deliveries=deliveries.DynamoDbDeliveries(table),
        slots=slots.DynamoDbSlots(table),
        queue=queue,
        retries=ScheduledRetries(queue, client("scheduler"), target),
        secret_box=_secret_box(settings.webhook_key_arn),
        http=VettedWebhookHttp(VettedHttp(LOCAL_RULES if settings.loopback_allowed else AddressRules())),
        bus=EventBridgeBus(client("events"), settings.event_bus),
        ladder=RetryLadder(settings.webhook_retry_s),
        host_counts=hosts.DynamoDbHostCounts(table),
        unpaid_sends_max=settings.unpaid_sends_max,
        clock=clock,
    )


def _secret_box(key_arn: str) -> KmsSecretBox:
    from shoal.adapters.aws.kms import KmsSecretBox

    return KmsSecretBox(client("kms"), key_arn)


def _new_secret() -> str:
    return new_secret(secrets.token_bytes(SECRET_BYTES))
