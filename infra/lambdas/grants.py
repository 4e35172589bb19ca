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
    "catalog_documents",
    "staging_bucket",
    "staging_objects",
    "file_objects",
    "output_images",
    "outputs_bucket",
    "videos_bucket",
    "video_objects",
    "poll_queue",
    "simulated_poll_queue",
    "poll_queues",
    "closed_executions_queue",
    "async_failures_queue",
    "callback_secret",
    "stripe_secret",
    "provider_secrets",
    "moderator_secret",
    "bedrock_models",
    "bedrock_work",
    "polly",
    "sagemaker_endpoints",
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

CONSUME_LOOKS = (*CONSUME, "sqs:ChangeMessageVisibility")

RESOLVE_TASK = ("states:SendTaskSuccess", "states:SendTaskFailure")


@dataclass(frozen=True, kw_only=True)
class Grant:
    """Leave to do exactly these actions on one resource.

    `leading_keys`: patterns that an item's partition key must match; none for any item of a table.
    `attributes`: all that a request may name of an item, in its expressions too; none for any.
    `passed_to`: the only service that a role may be handed to, for `iam:PassRole`.
    """

    target: Target
    actions: tuple[str, ...]
    leading_keys: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    passed_to: str = ""


def allow(target: Target, *actions: str) -> Grant:
    """The grant of `actions` on `target`."""
    return Grant(target=target, actions=actions)


def on_table(*operations: str, keys: tuple[str, ...] = (), attributes: tuple[str, ...] = ()) -> Grant:
    """The grant of DynamoDB operations on items with these partition keys, on all items if none are named.

    A transaction is allowed by the operations it consists of. The names of the table's keys belong to the
    attributes of every request.
    """
    actions = tuple(f"dynamodb:{operation}" for operation in operations)
    named = ("pk", "sk", *attributes) if attributes else ()
    return Grant(target="table", actions=actions, leading_keys=keys, attributes=named)


ACCOUNTS = ("ACCOUNT#*",)
"""An account with its jobs, its usage and the list of its keys, by which nobody gets in."""

WALLETS = ("WALLET#*",)
"""A wallet with its entries and payments."""

KEYS = ("KEY#*",)
"""What an API key is known by: who writes all of one makes a key."""

PEOPLE = ("PERSON#*",)
"""Which account is a person's."""

SESSIONS = ("SESSION#*",)

QUOTES = ("QUOTE#*",)

SUBSCRIPTIONS = ("WEBHOOKS#*",)
"""The subscriptions of an account and its webhook secret."""

DELIVERIES = ("WEBHOOK#*",)
"""The deliveries of a subscription, its slots, and what goes to a host in a minute."""

RECORDS = ("IDEMPOTENCY#*",)

GRANTS = ("GRANT#*",)
"""Who granted what to an account, and why."""

PENDING_GRANTS = ("GRANTS",)
"""The grants that wait for a second operator."""

RUNS = ("MODEL#*",)
"""How long a model's recent jobs took."""

SCENES = ("JOB#*",)
"""The scenes of a video."""

ROUTE_ITEMS = ("ROUTE#*", "PROVIDER#*")
"""The breakers of routes, and which providers have a key."""

LOOK_AT_BOARD = on_table("BatchGetItem", keys=ROUTE_ITEMS)

READ_CATALOG = (
    on_table("GetItem", keys=("CATALOG",)),
    allow("catalog_documents", "s3:GetObject"),
)
"""What is published, and its documents."""

OUTBOX = ("OUTBOX",)
"""What the bus is still to be told."""

HAVE_TOLD = on_table("UpdateItem", keys=OUTBOX, attributes=("events",))
"""A part of the transactions of which the bus is told: of money, keys and breakers."""

USE_ROUTES = (
    on_table("BatchGetItem", keys=ROUTE_ITEMS),
    on_table("UpdateItem", keys=("ROUTE#*",)),
    HAVE_TOLD,
)

READ_KEYS = allow("provider_secrets", "secretsmanager:GetSecretValue")

JUDGE_REQUESTS = (
    allow("moderator_secret", "secretsmanager:GetSecretValue"),
    allow("guardrail", "bedrock:ApplyGuardrail"),
)

USE_BEDROCK = (
    allow("bedrock_models", "bedrock:InvokeModel"),
    allow("bedrock_work", "bedrock:GetAsyncInvoke"),
)

USE_SAGEMAKER = allow("sagemaker_endpoints", "sagemaker:InvokeEndpointAsync")
"""What an endpoint reads and writes is in the staging bucket."""

SPEAK = allow("polly", "polly:SynthesizeSpeech")

LOOK_AT_FUNDS = on_table("GetItem", "Query", keys=("WALLET#*",))
"""Whether an account ever had money: to look at, not to move."""

DIRECTORY = ("ACCOUNTS",)
"""The list of all accounts."""

KEY_STATE = ("revoked", "suspended", "requests_per_minute", "burst")
"""What the write that counts a request compares of a key."""

LIMITS = ("LIMITS#*",)
"""Counters that bound load."""

COUNTED = ("tat", "poll_tat", "held#*", "expires_at")
"""What is counted of a key, and of its account."""

COUNT_REQUEST = on_table("UpdateItem", keys=(*KEYS, *LIMITS), attributes=(*KEY_STATE, *COUNTED))
"""The write that authenticates an API key and limits its rate.

It names neither an account, a scope nor a prefix: what only counts can neither make a key nor hand one over.
IAM does not tell what a request compares from what it sets, so the rate of a key is within reach.
"""

COUNT_SOURCE = on_table("UpdateItem", keys=LIMITS, attributes=("tat", "expires_at"))
"""The write that counts where a request without a key comes from."""

FILES = ("FILES#*",)
"""The files that an account keeps, and what they count for."""

# The roles of functions that move no money reach no wallet, and so no ledger entry.
READ_MISSING = allow("staging_bucket", "s3:ListBucket")
"""Without it S3 answers AccessDenied where an object is missing."""

OPEN_FILES = (on_table("GetItem", keys=FILES), allow("file_objects", "s3:GetObject"), READ_MISSING)
"""To take a caller's file as an input."""

SIGN_VIDEO_URL = allow("video_objects", "s3:GetObject")
"""Who fetches a signed address does what its signer may do."""

DELETE_VIDEO = (
    allow("videos_bucket", "s3:ListBucket"),
    allow("video_objects", "s3:DeleteObject"),
    READ_MISSING,
    allow("staging_objects", "s3:DeleteObject"),
)

USE_JOB = on_table("GetItem", "UpdateItem", keys=ACCOUNTS)

LOOK_AGAIN = allow("poll_queues", "sqs:SendMessage")
"""Both queues: in that of real work may be looks at simulated jobs, which an earlier version put there."""

SIMULATE = (
    USE_JOB,
    *READ_CATALOG,
    *USE_ROUTES,
    allow("staging_objects", "s3:PutObject", "s3:GetObject"),
    READ_MISSING,
    LOOK_AGAIN,
    allow("callback_secret", "secretsmanager:GetSecretValue"),
    allow("machines", *RESOLVE_TASK),
)
"""What asking the simulator takes, and telling the state that waits: no provider's key."""

ASK_PROVIDERS = (*SIMULATE, READ_KEYS, *USE_BEDROCK, USE_SAGEMAKER, SPEAK)
"""What asking the providers of pictures and clips takes, and telling the state that waits."""

TAKE_JOB = (
    on_table("GetItem", keys=(*ACCOUNTS, *WALLETS, *RECORDS)),
    on_table("PutItem", keys=(*ACCOUNTS, *WALLETS, *RECORDS)),
    on_table("UpdateItem", keys=(*WALLETS, *LIMITS)),
    on_table("BatchGetItem", keys=ACCOUNTS),
)
"""A submit: the job, the hold on its wallet with its entry, the record of the request, the open jobs."""

CLOSE_JOB = (
    *READ_CATALOG,
    on_table("GetItem", keys=(*ACCOUNTS, *WALLETS)),
    on_table("PutItem", keys=WALLETS),
    on_table("UpdateItem", keys=(*ACCOUNTS, *WALLETS, *LIMITS)),
)
"""Capture or release of a hold: the job, its account's usage, the wallet and a new entry."""

AUDIT = on_table("GetItem", "Query", keys=(*ACCOUNTS, *DIRECTORY, *WALLETS))
"""All accounts, what they hold and what they used."""

NOTE_AUDITED = (on_table("GetItem", "UpdateItem", keys=("AUDIT",)), HAVE_TOLD)
"""How far the audits of the stage have come, and what they found."""

TAKE_PAYMENTS = allow("stripe_secret", "secretsmanager:GetSecretValue")

SETTLE_PAYMENTS = (on_table("GetItem", "PutItem", "UpdateItem", keys=WALLETS), HAVE_TOLD)
"""Wallets with their entries and payments: no account, no job, no key."""
