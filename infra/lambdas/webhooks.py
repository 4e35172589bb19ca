"""The Lambdas of the webhooks.

Those that call customers' endpoints, `deliver_webhook` and `retry_webhook`, reach no partition that holds a
wallet, an account or a key. `retry_webhook` makes late attempts and signs the addresses of videos for each.
"""

from __future__ import annotations

from .function import WAITING_TIMEOUT_SECONDS, Function
from .grants import (
    ACCOUNTS,
    CONSUME,
    COUNT_REQUEST,
    DELIVERIES,
    LOOK_AT_FUNDS,
    RECORDS,
    SIGN_VIDEO_URL,
    SUBSCRIPTIONS,
    Grant,
    allow,
    on_table,
)

ATTEMPT_TIMEOUT_SECONDS = 60
"""An attempt takes 15 s at most, and what is written before and after; more are begun while some wait."""

SEAL = allow("webhook_key", "kms:Encrypt")
OPEN = allow("webhook_key", "kms:Decrypt")

MANAGE_WEBHOOKS = (
    on_table("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", keys=SUBSCRIPTIONS),
    on_table("GetItem", "PutItem", keys=RECORDS),
    SEAL,
    OPEN,
)
MANAGE_DELIVERIES = (
    on_table("GetItem", keys=SUBSCRIPTIONS),
    on_table("GetItem", "PutItem", "UpdateItem", "Query", keys=DELIVERIES),
    LOOK_AT_FUNDS,
    on_table("GetItem", "PutItem", "UpdateItem", keys=RECORDS),
    allow("webhook_events_queue", "sqs:SendMessage"),
    allow("retries_queue", "sqs:SendMessage"),
)

HTTP = (
    Function(verb="manage_webhooks", group="http", grants=(COUNT_REQUEST, *MANAGE_WEBHOOKS)),
    Function(
        verb="manage_deliveries",
        group="http",
        timeout_seconds=WAITING_TIMEOUT_SECONDS,
        grants=(COUNT_REQUEST, *MANAGE_DELIVERIES),
    ),
    Function(
        verb="manage_webhook_secret",
        group="http",
        grants=(
            COUNT_REQUEST,
            on_table("GetItem", "PutItem", keys=(*SUBSCRIPTIONS, *RECORDS)),
            SEAL,
            OPEN,
        ),
    ),
)

FAN_OUT_EVENT = Function(
    verb="fan_out_event",
    group="consumers",
    timeout_seconds=30,
    grants=(
        on_table("GetItem", keys=ACCOUNTS),
        LOOK_AT_FUNDS,
        on_table("GetItem", "PutItem", "Query", keys=SUBSCRIPTIONS),
        on_table("PutItem", "UpdateItem", "Query", keys=DELIVERIES),
        allow("webhook_events_queue", "sqs:SendMessage", *CONSUME),
        allow("deliveries_queue", "sqs:SendMessage"),
        allow("retries_queue", "sqs:SendMessage"),
        SEAL,
    ),
)


def _sender(verb: str, *grants: Grant) -> Function:
    return Function(
        verb=verb,
        group="consumers",
        timeout_seconds=ATTEMPT_TIMEOUT_SECONDS,
        grants=(
            # One request asks for both: a statement has to allow all of its keys.
            on_table("BatchGetItem", keys=(*SUBSCRIPTIONS, *DELIVERIES)),
            on_table("UpdateItem", keys=SUBSCRIPTIONS),
            on_table("GetItem", "UpdateItem", keys=DELIVERIES),
            *grants,
            allow("retry_schedules", "scheduler:CreateSchedule"),
            allow("retry_schedule_role", "iam:PassRole"),
            allow("bus", "events:PutEvents"),
            OPEN,
        ),
    )


DELIVER_WEBHOOK = _sender(
    "deliver_webhook", allow("deliveries_queue", *CONSUME), allow("retries_queue", "sqs:SendMessage")
)
RETRY_WEBHOOK = _sender("retry_webhook", allow("retries_queue", "sqs:SendMessage", *CONSUME), SIGN_VIDEO_URL)
CONSUMERS = (FAN_OUT_EVENT, DELIVER_WEBHOOK, RETRY_WEBHOOK)
