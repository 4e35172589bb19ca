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

TIMEOUT_SECONDS = 25
"""An attempt takes 10 s at most, and what is written before and after; more are begun while some wait. What a
killed function did not do is done again 30 s after it was given the order."""

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
    timeout_seconds=TIMEOUT_SECONDS,
    loop_ends="An order to recover carries how many deliveries are left; an event is fanned out once.",
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


def _sender(verb: str, *grants: Grant, loop_ends: str) -> Function:
    return Function(
        verb=verb,
        group="consumers",
        timeout_seconds=TIMEOUT_SECONDS,
        loop_ends=loop_ends,
        grants=(
            # One request asks for both: a statement has to allow all of its keys.
            on_table("BatchGetItem", keys=(*SUBSCRIPTIONS, *DELIVERIES)),
            on_table("UpdateItem", keys=SUBSCRIPTIONS),
            on_table("GetItem", "UpdateItem", keys=DELIVERIES),
            *grants,
            allow("retry_schedules", "scheduler:CreateSchedule"),
            Grant(
                target="retry_schedule_role",
                actions=("iam:PassRole",),
                passed_to="scheduler.amazonaws.com",
            ),
            allow("bus", "events:PutEvents"),
            OPEN,
        ),
    )


DELIVER_WEBHOOK = _sender(
    "deliver_webhook",
    allow("deliveries_queue", *CONSUME),
    allow("retries_queue", "sqs:SendMessage"),
    loop_ends="What it announces is that a webhook was disabled, once for each.",
)
RETRY_WEBHOOK = _sender(
    "retry_webhook",
    allow("retries_queue", "sqs:SendMessage", *CONSUME),
    SIGN_VIDEO_URL,
    loop_ends="A delivery has so many attempts; one that is put off waits for a slot, whose lease runs out.",
)
CONSUMERS = (FAN_OUT_EVENT, DELIVER_WEBHOOK, RETRY_WEBHOOK)
