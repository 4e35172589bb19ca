"""The Lambdas of the dashboard: its pages, its operators' pages, and who may register."""

from __future__ import annotations

from .function import WAITING_TIMEOUT_SECONDS, Function
from .grants import (
    ACCOUNTS,
    AUDIT,
    CLOSE_JOB,
    DELETE_VIDEO,
    DIRECTORY,
    GRANTS,
    HAVE_TOLD,
    JUDGE_REQUESTS,
    KEYS,
    LIMITS,
    LOOK_AT_BOARD,
    OPEN_FILES,
    PENDING_GRANTS,
    PEOPLE,
    READ_CATALOG,
    RUNS,
    SCENES,
    SESSIONS,
    SETTLE_PAYMENTS,
    SIGN_VIDEO_URL,
    TAKE_JOB,
    TAKE_PAYMENTS,
    WALLETS,
    allow,
    on_table,
)
from .webhooks import MANAGE_DELIVERIES, MANAGE_WEBHOOKS

PAGE_MEMORY_MB = 1024
"""A page is rendered in a few milliseconds of a whole vCPU; people wait for it."""
ASK_POOL = allow("user_pool", "cognito-idp:AdminInitiateAuth", "cognito-idp:DescribeUserPoolClient")

USE_SESSION = (
    on_table("GetItem", keys=(*SESSIONS, *ACCOUNTS)),
    on_table("UpdateItem", "DeleteItem", keys=SESSIONS),
    on_table("UpdateItem", keys=LIMITS),
)
"""To know who is there: a session ends where the pool no longer vouches for its person."""
LET_IN = (
    on_table("PutItem", keys=(*SESSIONS, *PEOPLE, *ACCOUNTS, *DIRECTORY, *WALLETS)),
    on_table("GetItem", "UpdateItem", "Query", keys=PEOPLE),
)
"""A sign-in: the first opens an account with its wallets. A reset ends all sessions of its person."""
MANAGE_KEYS = (
    on_table("PutItem", keys=KEYS),
    on_table("UpdateItem", keys=KEYS, attributes=("revoked",)),
    on_table("BatchGetItem", keys=KEYS),
    HAVE_TOLD,
)
"""The pages where a person makes and revokes keys: nothing else of the stage makes one."""
LOOK_AROUND = (
    on_table("Query", keys=(*ACCOUNTS, *WALLETS, *SCENES)),
    on_table("BatchGetItem", keys=SCENES),
    on_table("GetItem", keys=RUNS),
)
GRANT_AND_REFUND = (
    on_table("PutItem", "UpdateItem", keys=WALLETS),
    on_table("GetItem", "PutItem", keys=GRANTS),
    on_table("Query", "PutItem", "DeleteItem", keys=PENDING_GRANTS),
    HAVE_TOLD,
)
SUSPEND = (
    on_table("UpdateItem", keys=(*ACCOUNTS, *DIRECTORY)),
    on_table("UpdateItem", keys=KEYS, attributes=("suspended",)),
)

SHOW_DASHBOARD = Function(
    verb="show_dashboard",
    group="web",
    memory_mb=PAGE_MEMORY_MB,
    timeout_seconds=WAITING_TIMEOUT_SECONDS,
    web=True,
    grants=(
        ASK_POOL,
        allow(
            "user_pool",
            "cognito-idp:AdminSetUserPassword",
            "cognito-idp:AdminUserGlobalSignOut",
            "cognito-idp:AdminRespondToAuthChallenge",
            "cognito-idp:AdminGetUser",
        ),
        *USE_SESSION,
        *LET_IN,
        *TAKE_JOB,
        *CLOSE_JOB,
        *MANAGE_KEYS,
        *LOOK_AROUND,
        *MANAGE_WEBHOOKS,
        *MANAGE_DELIVERIES,
        LOOK_AT_BOARD,
        allow("machines", "states:StartExecution"),
        allow("executions", "states:StopExecution"),
        allow("staging_objects", "s3:PutObject"),
        *OPEN_FILES,
        allow("bus", "events:PutEvents"),
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
        *USE_SESSION,
        AUDIT,
        on_table("GetItem", "BatchGetItem", "Query", keys=(*ACCOUNTS, *DIRECTORY, *SCENES)),
        on_table("GetItem", keys=LIMITS),
        LOOK_AT_BOARD,
        *READ_CATALOG,
        *GRANT_AND_REFUND,
        *SUSPEND,
        allow("open_jobs", "dynamodb:Query"),
        allow("failed_jobs", "dynamodb:Query"),
        SIGN_VIDEO_URL,
    ),
)
TOP_UP = Function(
    verb="top_up",
    group="web",
    memory_mb=PAGE_MEMORY_MB,
    timeout_seconds=WAITING_TIMEOUT_SECONDS,
    stripe=True,
    web=True,
    grants=(
        ASK_POOL,
        *USE_SESSION,
        *SETTLE_PAYMENTS,
        TAKE_PAYMENTS,
        *READ_CATALOG,
    ),
)
"""Apart from the other pages, so that they neither hold Stripe's key nor carry its package."""
ADMIT_SIGN_UP = Function(verb="admit_sign_up", group="consumers", timeout_seconds=5)

HTTP = (SHOW_DASHBOARD, OPERATE, TOP_UP)
CONSUMERS = (ADMIT_SIGN_UP,)
