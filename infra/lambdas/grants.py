"""What Lambdas may touch: grants of actions on the stage's parts, and those that several functions have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Target = Literal[
    "table",
    "open_jobs",
    "failed_jobs",
    "machines",
    "executions",
    "bus",
    "staging_bucket",
    "staging_objects",
    "output_images",
    "outputs_bucket",
    "videos_bucket",
    "video_objects",
    "poll_queue",
    "closed_executions_queue",
    "async_failures_queue",
    "callback_secret",
    "stripe_secret",
    "provider_secrets",
    "moderator_secret",
    "bedrock_models",
    "bedrock_work",
    "polly",
    "guardrail",
    "webhook_key",
    "webhook_events_queue",
    "deliveries_queue",
    "retries_queue",
    "retry_schedules",
    "retry_schedule_role",
    "user_pool",
]

CONSUME = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")

RESOLVE_TASK = ("states:SendTaskSuccess", "states:SendTaskFailure")


@dataclass(frozen=True, kw_only=True)
class Grant:
    """Leave to do exactly these actions on one resource.

    `leading_keys`: patterns that an item's partition key must match; none for any item of a table.
    """

    target: Target
    actions: tuple[str, ...]
    leading_keys: tuple[str, ...] = ()


def allow(target: Target, *actions: str) -> Grant:
    """The grant of `actions` on `target`."""
    return Grant(target=target, actions=actions)


def on_table(*operations: str, keys: tuple[str, ...] = ()) -> Grant:
    """The grant of DynamoDB operations on items with these partition keys, on all items if none are named.

    A transaction is allowed by the operations it consists of.
    """
    actions = tuple(f"dynamodb:{operation}" for operation in operations)
    return Grant(target="table", actions=actions, leading_keys=keys)


ACCOUNTS = ("ACCOUNT#*",)
"""An account with its jobs and its usage."""

SUBSCRIPTIONS = ("WEBHOOKS#*",)
"""The subscriptions of an account and its webhook secret."""

DELIVERIES = ("WEBHOOK#*",)
"""The deliveries of a subscription, and its slots."""

RECORDS = ("IDEMPOTENCY#*",)

RUNS = ("MODEL#*",)
"""How long a model's recent jobs took."""

SCENES = ("JOB#*",)
"""The scenes of a video."""

ROUTE_ITEMS = ("ROUTE#*", "PROVIDER#*")
"""The breakers of routes, and which providers have a key."""

LOOK_AT_BOARD = on_table("BatchGetItem", keys=ROUTE_ITEMS)

USE_ROUTES = (on_table("BatchGetItem", keys=ROUTE_ITEMS), on_table("UpdateItem", keys=("ROUTE#*",)))

READ_KEYS = allow("provider_secrets", "secretsmanager:GetSecretValue")

JUDGE_REQUESTS = (
    allow("moderator_secret", "secretsmanager:GetSecretValue"),
    allow("guardrail", "bedrock:ApplyGuardrail"),
)

USE_BEDROCK = (
    allow("bedrock_models", "bedrock:InvokeModel"),
    allow("bedrock_work", "bedrock:GetAsyncInvoke"),
)

DIRECTORY = ("ACCOUNTS",)
"""The list of all accounts."""

COUNT_REQUEST = on_table("UpdateItem", keys=("KEY#*",))
"""The write that authenticates an API key and limits its rate."""

# The roles of functions that move no money reach no wallet, and so no ledger entry.
READ_MISSING = allow("staging_bucket", "s3:ListBucket")
"""Without it S3 answers AccessDenied where an object is missing."""

SIGN_VIDEO_URL = allow("video_objects", "s3:GetObject")
"""Who fetches a signed address does what its signer may do."""

DELETE_VIDEO = (
    allow("videos_bucket", "s3:ListBucket"),
    allow("video_objects", "s3:DeleteObject"),
    READ_MISSING,
    allow("staging_objects", "s3:DeleteObject"),
)

USE_JOB = on_table("GetItem", "UpdateItem", keys=ACCOUNTS)

ASK_PROVIDERS = (
    USE_JOB,
    *USE_ROUTES,
    READ_KEYS,
    *USE_BEDROCK,
    allow("staging_objects", "s3:PutObject", "s3:GetObject"),
    READ_MISSING,
    allow("poll_queue", "sqs:SendMessage"),
    allow("callback_secret", "secretsmanager:GetSecretValue"),
    allow("machines", *RESOLVE_TASK),
)
"""What asking the providers of pictures and clips takes, and telling the state that waits."""

MOVE_MONEY = on_table("GetItem", "PutItem", "UpdateItem")

TAKE_PAYMENTS = allow("stripe_secret", "secretsmanager:GetSecretValue")

SETTLE_PAYMENTS = on_table("GetItem", "PutItem", "UpdateItem", keys=("WALLET#*",))
"""Wallets with their entries and payments: no account, no job, no key."""
