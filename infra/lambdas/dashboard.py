"""The Lambdas of the dashboard: its pages, its operators' pages, and who may register."""

from __future__ import annotations

from .function import WAITING_TIMEOUT_SECONDS, Function
from .grants import (
    ACCOUNTS,
    DELETE_VIDEO,
    JUDGE_REQUESTS,
    SETTLE_PAYMENTS,
    SIGN_VIDEO_URL,
    TAKE_PAYMENTS,
    allow,
    on_table,
)
from .webhooks import OPEN, SEAL

PAGE_MEMORY_MB = 1024
"""A page is rendered in a few milliseconds of a whole vCPU; people wait for it."""
ASK_POOL = allow("user_pool", "cognito-idp:AdminInitiateAuth", "cognito-idp:DescribeUserPoolClient")

SHOW_DASHBOARD = Function(
    verb="show_dashboard",
    group="web",
    memory_mb=PAGE_MEMORY_MB,
    timeout_seconds=WAITING_TIMEOUT_SECONDS,
    web=True,
    grants=(
        ASK_POOL,
        allow("user_pool", "cognito-idp:AdminSetUserPassword", "cognito-idp:AdminUserGlobalSignOut"),
        on_table("GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem", "Query"),
        allow("machines", "states:StartExecution"),
        allow("executions", "states:StopExecution"),
        allow("staging_objects", "s3:PutObject"),
        allow("bus", "events:PutEvents"),
        allow("webhook_events_queue", "sqs:SendMessage"),
        allow("retries_queue", "sqs:SendMessage"),
        SEAL,
        OPEN,
        *JUDGE_REQUESTS,
        SIGN_VIDEO_URL,
        *DELETE_VIDEO,
    ),
)
OPERATE = Function(
    verb="operate",
    group="web",
    memory_mb=PAGE_MEMORY_MB,
    timeout_seconds=WAITING_TIMEOUT_SECONDS,
    web=True,
    grants=(
        ASK_POOL,
        on_table("GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"),
        allow("open_jobs", "dynamodb:Query"),
        allow("failed_jobs", "dynamodb:Query"),
        SIGN_VIDEO_URL,
    ),
)
SESSIONS = ("SESSION#*",)
TOP_UP = Function(
    verb="top_up",
    group="web",
    memory_mb=PAGE_MEMORY_MB,
    timeout_seconds=WAITING_TIMEOUT_SECONDS,
    stripe=True,
    web=True,
    grants=(
        ASK_POOL,
        on_table("GetItem", keys=(*SESSIONS, *ACCOUNTS)),
        on_table("UpdateItem", "DeleteItem", keys=SESSIONS),
        SETTLE_PAYMENTS,
        TAKE_PAYMENTS,
    ),
)
"""Apart from the other pages, so that they neither hold Stripe's key nor carry its package."""
ADMIT_SIGN_UP = Function(verb="admit_sign_up", group="consumers", timeout_seconds=5)

HTTP = (SHOW_DASHBOARD, OPERATE, TOP_UP)
CONSUMERS = (ADMIT_SIGN_UP,)
