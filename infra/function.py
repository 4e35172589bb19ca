"""What a Lambda of the stack is, as data: its code, its size, who calls it and what it may touch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel

from shoal import settings
from shoal.handlers.http.routes import ROUTES

if TYPE_CHECKING:  # the CDK takes seconds to load, which what only looks at this data need not wait for
    from .stage import Stage

Group = Literal["http", "web", "workflow", "consumers"]
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

HTTP_TIMEOUT_SECONDS = 15
"""Half of the 30 s after which the HTTP API gives up on a function."""
WAITING_TIMEOUT_SECONDS = 29
"""For functions that wait for a job to end when asked to: just below those 30 s."""
MEDIA_MEMORY_MB = 1769
"""The memory size at which Lambda gives a whole vCPU; drawing and decoding pictures needs one."""
VIDEO_MEMORY_MB = 3008
"""Nearly two vCPUs, and the most that every account may use: encoding clips is what takes the time."""
VIDEO_DISK_MB = 4096
"""For the clips of the longest video, their narration and the file that is made of them."""
STRIPE_MEMORY_MB = 1024
"""Importing Stripe's package is most of what its functions do; half a vCPU more halves that."""
CONSUME = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
RESOLVE_TASK = ("states:SendTaskSuccess", "states:SendTaskFailure")


def route_key(route: str) -> str:
    """The key by which the HTTP API knows a route: `ANY /v1/jobs/{id}`, or the route itself.

    A path has one key as a rule: its function checks the method. Where methods lead to several functions, the
    one that reads gets `ANY`; API Gateway prefers a key with the method itself.
    """
    _, _, path = route.partition(" ")
    verb = ROUTES[route]
    return f"ANY {path}" if path and ROUTES.get(f"GET {path}", verb) == verb else route


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
ASK_TIMEOUT_SECONDS = 175
"""Beyond the longest wait for an answer, and within a provider's deadline."""
DIRECTORY = ("ACCOUNTS",)
"""The list of all accounts."""
COUNT_REQUEST = on_table("UpdateItem", keys=("KEY#*",))
"""The write that authenticates an API key and limits its rate."""
# Functions that move no money are let to no wallet, and so to no ledger entry, by their roles.
READ_MISSING = allow("staging_bucket", "s3:ListBucket")
"""Without it S3 answers AccessDenied where an object is missing."""
SIGN_VIDEO_URL = allow("video_objects", "s3:GetObject")
"""Whoever fetches a signed address does what its maker may do."""
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


@dataclass(frozen=True, kw_only=True)
class Function:
    """One Lambda: handler `shoal.handlers.<group>.<verb>.handler`.

    `media`: the function draws or checks pictures and gets Pillow. `video`: it also makes or checks clips or
    sound and gets PyAV. `voice`: it speaks, and gets espeak-ng where the stage asks for it. `stripe`: it
    calls Stripe and gets its package. `web`: it makes pages, verifies tokens and gets what does both.
    `mcp`: it serves tools to agents and gets their protocol.
    `disk_mb` is the size of its /tmp.
    """

    verb: str
    group: Group
    grants: tuple[Grant, ...] = ()
    memory_mb: int = 512
    timeout_seconds: int = HTTP_TIMEOUT_SECONDS
    media: bool = False
    video: bool = False
    voice: bool = False
    stripe: bool = False
    web: bool = False
    mcp: bool = False
    disk_mb: int = 512

    @property
    def handler(self) -> str:
        """Where Lambda finds the code."""
        return f"shoal.handlers.{self.group}.{self.verb}.handler"

    def name_on(self, stage: Stage) -> str:
        """Its name on a stage; fixed, so that what is made before the function may be told of it."""
        return f"{stage.prefix}-{self.verb.replace('_', '-')}"

    @property
    def routes(self) -> tuple[str, ...]:
        """Keys of the HTTP API that lead here."""
        return tuple(dict.fromkeys(route_key(route) for route, verb in ROUTES.items() if verb == self.verb))

    @property
    def camel(self) -> str:
        """The verb as part of a class name and of logical ids: `SubmitJob`."""
        return "".join(word.capitalize() for word in self.verb.split("_"))

    @property
    def settings(self) -> type[BaseModel]:
        """The model by which the code reads its environment."""
        model: type[BaseModel] = getattr(settings, f"{self.camel}Settings")
        return model
