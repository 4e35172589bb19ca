"""Every Lambda of the stack as data: its code, its size, who calls it and what it may touch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from shoal import settings
from shoal.handlers.http.routes import ROUTES

Group = Literal["http", "workflow", "consumers"]
Target = Literal[
    "table",
    "open_jobs",
    "machines",
    "executions",
    "bus",
    "staging_bucket",
    "staging_objects",
    "output_images",
    "poll_queue",
    "closed_executions_queue",
    "async_failures_queue",
    "callback_secret",
]

HTTP_TIMEOUT_SECONDS = 15
"""Half of the 30 s after which the HTTP API gives up on a function."""
WAITING_TIMEOUT_SECONDS = 29
"""For functions that wait for a job to end when asked to: just below those 30 s."""
MEDIA_MEMORY_MB = 1769
"""The memory size at which Lambda gives a whole vCPU; drawing and decoding pictures needs one."""
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
RUNS = ("MODEL#*",)
"""How long a model's recent jobs took."""
COUNT_REQUEST = on_table("UpdateItem", keys=("KEY#*",))
"""The write that authenticates an API key and limits its rate."""
# Functions that move no money are let to no wallet, and so to no ledger entry, by their roles.
READ_MISSING = allow("staging_bucket", "s3:ListBucket")
"""Without it S3 answers AccessDenied where an object is missing."""
USE_JOB = on_table("GetItem", "UpdateItem", keys=ACCOUNTS)
MOVE_MONEY = on_table("GetItem", "PutItem", "UpdateItem")


@dataclass(frozen=True, kw_only=True)
class Function:
    """One Lambda: handler `shoal.handlers.<group>.<verb>.handler`.

    `media`: the function draws or checks pictures and gets Pillow.
    """

    verb: str
    group: Group
    grants: tuple[Grant, ...] = ()
    memory_mb: int = 512
    timeout_seconds: int = HTTP_TIMEOUT_SECONDS
    media: bool = False

    @property
    def handler(self) -> str:
        """Where Lambda finds the code."""
        return f"shoal.handlers.{self.group}.{self.verb}.handler"

    @property
    def routes(self) -> tuple[str, ...]:
        """Keys of the HTTP API that lead here."""
        return tuple(route for route, verb in ROUTES.items() if verb == self.verb)

    @property
    def camel(self) -> str:
        """The verb as part of a class name and of logical ids: `SubmitJob`."""
        return "".join(word.capitalize() for word in self.verb.split("_"))

    @property
    def settings(self) -> type[BaseModel]:
        """The model by which the code reads its environment."""
        model: type[BaseModel] = getattr(settings, f"{self.camel}Settings")
        return model


HTTP = (
    Function(
        verb="submit_job",
        group="http",
        timeout_seconds=WAITING_TIMEOUT_SECONDS,
        grants=(
            MOVE_MONEY,
            allow("machines", "states:StartExecution"),
            allow("staging_objects", "s3:PutObject"),
        ),
    ),
    Function(
        verb="read_task",
        group="http",
        timeout_seconds=WAITING_TIMEOUT_SECONDS,
        grants=(on_table("GetItem", keys=ACCOUNTS), COUNT_REQUEST),
    ),
    Function(
        verb="list_tasks",
        group="http",
        grants=(on_table("Query", keys=ACCOUNTS), COUNT_REQUEST),
    ),
    Function(verb="read_models", group="http", grants=(COUNT_REQUEST,)),
    Function(
        verb="quote_job",
        group="http",
        grants=(on_table("GetItem", keys=RUNS), COUNT_REQUEST),
    ),
    Function(
        verb="summarize_usage",
        group="http",
        grants=(on_table("Query", keys=ACCOUNTS), COUNT_REQUEST),
    ),
    Function(
        verb="read_job",
        group="http",
        grants=(on_table("GetItem", keys=ACCOUNTS), COUNT_REQUEST),
    ),
    Function(
        verb="cancel_job",
        group="http",
        grants=(
            MOVE_MONEY,
            allow("bus", "events:PutEvents"),
            allow("executions", "states:StopExecution"),
        ),
    ),
    Function(
        verb="read_wallet",
        group="http",
        grants=(on_table("GetItem", keys=("WALLET#*",)), COUNT_REQUEST),
    ),
    Function(
        verb="list_jobs",
        group="http",
        grants=(on_table("Query", keys=ACCOUNTS), COUNT_REQUEST),
    ),
    Function(
        verb="receive_callback",
        group="http",
        grants=(
            USE_JOB,
            allow("poll_queue", "sqs:SendMessage"),
            allow("callback_secret", "secretsmanager:GetSecretValue"),
        ),
    ),
    Function(verb="read_health", group="http"),
    Function(verb="reject_route", group="http"),
)

WORKFLOW = (
    Function(
        verb="call_provider",
        group="workflow",
        memory_mb=MEDIA_MEMORY_MB,
        timeout_seconds=150,
        media=True,
        grants=(
            USE_JOB,
            allow("bus", "events:PutEvents"),
            allow("staging_objects", "s3:PutObject", "s3:GetObject"),
            READ_MISSING,
            allow("poll_queue", "sqs:SendMessage"),
            allow("callback_secret", "secretsmanager:GetSecretValue"),
            allow("machines", *RESOLVE_TASK),
        ),
    ),
    Function(
        verb="store_output",
        group="workflow",
        memory_mb=MEDIA_MEMORY_MB,
        timeout_seconds=60,
        media=True,
        grants=(
            on_table("GetItem", keys=ACCOUNTS),
            allow("staging_objects", "s3:GetObject"),
            READ_MISSING,
            allow("output_images", "s3:PutObject"),
        ),
    ),
    Function(verb="settle_wallet", group="workflow", grants=(MOVE_MONEY,)),
    Function(verb="release_hold", group="workflow", grants=(MOVE_MONEY,)),
)

POLL_PROVIDER = Function(
    verb="poll_provider",
    group="consumers",
    memory_mb=MEDIA_MEMORY_MB,
    timeout_seconds=120,
    media=True,
    grants=(
        USE_JOB,
        allow("staging_objects", "s3:PutObject", "s3:GetObject"),
        READ_MISSING,
        allow("poll_queue", "sqs:SendMessage", *CONSUME),
        allow("callback_secret", "secretsmanager:GetSecretValue"),
        allow("machines", *RESOLVE_TASK),
    ),
)
SWEEP_JOBS = Function(
    verb="sweep_jobs",
    group="consumers",
    timeout_seconds=50,
    grants=(
        MOVE_MONEY,
        allow("open_jobs", "dynamodb:Query"),
        allow("bus", "events:PutEvents"),
        allow("machines", "states:StartExecution"),
        allow("executions", "states:DescribeExecution", "states:StopExecution"),
        allow("output_images", "s3:DeleteObject"),
        allow("async_failures_queue", "sqs:SendMessage"),
    ),
)
CLOSE_EXECUTION = Function(
    verb="close_execution",
    group="consumers",
    grants=(
        MOVE_MONEY,
        allow("bus", "events:PutEvents"),
        allow("executions", "states:StopExecution"),
        allow("closed_executions_queue", *CONSUME),
    ),
)
AUDIT_LEDGER = Function(
    verb="audit_ledger",
    group="consumers",
    timeout_seconds=300,
    grants=(on_table("Scan", "Query", "GetItem"), allow("async_failures_queue", "sqs:SendMessage")),
)
CONSUMERS = (POLL_PROVIDER, SWEEP_JOBS, CLOSE_EXECUTION, AUDIT_LEDGER)


def functions() -> Iterator[Function]:
    """All Lambdas of the stack."""
    yield from (*HTTP, *WORKFLOW, *CONSUMERS)
