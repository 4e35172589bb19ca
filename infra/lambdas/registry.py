"""Every Lambda of the stack; those of videos, webhooks and pages are in registries of their own."""

from __future__ import annotations

from collections.abc import Iterator

from . import dashboard as web_registry
from . import videos as video_registry
from . import webhooks as webhook_registry
from .agents import serve_mcp
from .function import (
    ASK_TIMEOUT_SECONDS,
    MEDIA_MEMORY_MB,
    STITCH_TIMEOUT_SECONDS,
    STRIPE_MEMORY_MB,
    VIDEO_DISK_MB,
    VIDEO_MEMORY_MB,
    WAITING_MEMORY_MB,
    WAITING_TIMEOUT_SECONDS,
    Function,
)
from .grants import (
    ACCOUNTS,
    ASK_PROVIDERS,
    AUDIT,
    CLOSE_JOB,
    CONSUME,
    CONSUME_LOOKS,
    COUNT_REQUEST,
    COUNT_SOURCE,
    DELETE_VIDEO,
    FILES,
    JUDGE_REQUESTS,
    LIMITS,
    LOOK_AGAIN,
    LOOK_AT_BOARD,
    NOTE_AUDITED,
    OPEN_FILES,
    OUTBOX,
    READ_CATALOG,
    READ_KEYS,
    READ_MISSING,
    RECORDS,
    RESOLVE_TASK,
    RUNS,
    SCENES,
    SETTLE_PAYMENTS,
    SIGN_VIDEO_URL,
    SIMULATE,
    TAKE_JOB,
    TAKE_PAYMENTS,
    USE_JOB,
    WALLETS,
    allow,
    on_table,
)

SUBMIT_JOB = Function(
    verb="submit_job",
    group="http",
    timeout_seconds=WAITING_TIMEOUT_SECONDS,
    grants=(
        *TAKE_JOB,
        *READ_CATALOG,
        COUNT_REQUEST,
        LOOK_AT_BOARD,
        allow("machines", "states:StartExecution"),
        allow("staging_objects", "s3:PutObject", "s3:DeleteObject"),
        *OPEN_FILES,
        *JUDGE_REQUESTS,
    ),
)
HTTP = (
    SUBMIT_JOB,
    serve_mcp(SUBMIT_JOB),
    Function(verb="read_models", group="http", grants=(COUNT_REQUEST, LOOK_AT_BOARD, *READ_CATALOG)),
    Function(
        verb="quote_job",
        group="http",
        grants=(on_table("GetItem", keys=RUNS), COUNT_REQUEST, *READ_CATALOG),
    ),
    Function(
        verb="summarize_usage",
        group="http",
        grants=(on_table("Query", keys=ACCOUNTS), COUNT_REQUEST),
    ),
    Function(
        verb="read_job",
        group="http",
        timeout_seconds=WAITING_TIMEOUT_SECONDS,
        grants=(
            on_table("GetItem", keys=ACCOUNTS),
            on_table("Query", keys=SCENES),
            COUNT_REQUEST,
            SIGN_VIDEO_URL,
        ),
    ),
    Function(
        verb="cancel_job",
        group="http",
        grants=(
            *CLOSE_JOB,
            on_table("GetItem", "PutItem", keys=RECORDS),
            COUNT_REQUEST,
            on_table("Query", keys=SCENES),
            allow("bus", "events:PutEvents"),
            allow("executions", "states:StopExecution"),
            *DELETE_VIDEO,
        ),
    ),
    Function(
        verb="read_wallet",
        group="http",
        grants=(on_table("GetItem", keys=WALLETS), COUNT_REQUEST),
    ),
    Function(
        verb="list_jobs",
        group="http",
        grants=(
            on_table("Query", keys=ACCOUNTS),
            on_table("BatchGetItem", keys=SCENES),
            COUNT_REQUEST,
            SIGN_VIDEO_URL,
        ),
    ),
    Function(
        verb="manage_files",
        group="http",
        grants=(
            on_table("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", keys=FILES),
            on_table("GetItem", "PutItem", keys=RECORDS),
            on_table("UpdateItem", keys=LIMITS),
            COUNT_REQUEST,
            allow("file_objects", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
            READ_MISSING,
        ),
    ),
    Function(
        verb="receive_callback",
        group="http",
        grants=(
            USE_JOB,
            COUNT_SOURCE,
            READ_KEYS,
            LOOK_AGAIN,
            allow("callback_secret", "secretsmanager:GetSecretValue"),
        ),
    ),
    Function(
        verb="receive_payment",
        group="http",
        memory_mb=STRIPE_MEMORY_MB,
        timeout_seconds=WAITING_TIMEOUT_SECONDS,
        stripe=True,
        grants=(*SETTLE_PAYMENTS, TAKE_PAYMENTS, COUNT_SOURCE),
    ),
    *webhook_registry.HTTP,
    Function(verb="read_document", group="http", grants=(COUNT_SOURCE,)),
    *web_registry.HTTP,
    Function(verb="read_health", group="http", grants=(COUNT_SOURCE,)),
    Function(verb="reject_route", group="http", grants=(COUNT_SOURCE,)),
)

DRAWING_TIMEOUT_SECONDS = 60
"""For drawing one output, a clip above all: nobody answers late."""
SIMULATED = Function(
    verb="simulate",
    group="workflow",
    memory_mb=VIDEO_MEMORY_MB,
    disk_mb=VIDEO_DISK_MB,
    timeout_seconds=STITCH_TIMEOUT_SECONDS,
    media=True,
    video=True,
    voice=True,
    simulates=True,
    grants=(
        *SIMULATE,
        on_table("GetItem", "PutItem", "UpdateItem", "Query", keys=SCENES),
        allow("bus", "events:PutEvents"),
        allow("output_images", "s3:PutObject"),
        allow("videos_bucket", "s3:ListBucket"),
        allow("video_objects", "s3:GetObject", "s3:PutObject"),
    ),
)
CALL_PROVIDER = Function(
    verb="call_provider",
    group="workflow",
    memory_mb=WAITING_MEMORY_MB,
    timeout_seconds=ASK_TIMEOUT_SECONDS,
    grants=(*ASK_PROVIDERS, allow("bus", "events:PutEvents")),
)
WORKFLOW = (
    SIMULATED,
    CALL_PROVIDER,
    Function(
        verb="store_output",
        group="workflow",
        memory_mb=MEDIA_MEMORY_MB,
        timeout_seconds=60,
        media=True,
        video=True,
        grants=(
            on_table("GetItem", keys=ACCOUNTS),
            allow("staging_objects", "s3:GetObject"),
            READ_MISSING,
            allow("output_images", "s3:PutObject"),
        ),
    ),
    *video_registry.WORKFLOW,
    Function(
        verb="settle_wallet",
        group="workflow",
        grants=(*CLOSE_JOB, on_table("UpdateItem", keys=RUNS), SIGN_VIDEO_URL),
    ),
    Function(
        verb="release_hold",
        group="workflow",
        grants=(*CLOSE_JOB, on_table("Query", keys=SCENES), SIGN_VIDEO_URL, *DELETE_VIDEO),
    ),
)

LOOKS_END = "A look orders the next one only while its job waits, which ends by the job's deadline."

POLL_PROVIDER = Function(
    verb="poll_provider",
    group="consumers",
    memory_mb=WAITING_MEMORY_MB,
    timeout_seconds=ASK_TIMEOUT_SECONDS,
    loop_ends=LOOKS_END,
    grants=(*ASK_PROVIDERS, on_table("GetItem", keys=SCENES), allow("poll_queue", *CONSUME_LOOKS)),
)
POLL_SIMULATED = Function(
    verb="poll_simulated",
    group="consumers",
    memory_mb=VIDEO_MEMORY_MB,
    timeout_seconds=DRAWING_TIMEOUT_SECONDS,
    media=True,
    video=True,
    simulates=True,
    loop_ends=LOOKS_END,
    grants=(*SIMULATE, on_table("GetItem", keys=SCENES), allow("simulated_poll_queue", *CONSUME_LOOKS)),
)
SWEEP_JOBS = Function(
    verb="sweep_jobs",
    group="consumers",
    timeout_seconds=50,
    memory_mb=MEDIA_MEMORY_MB,
    grants=(
        *CLOSE_JOB,
        on_table("Query", keys=SCENES),
        on_table("Query", "DeleteItem", keys=OUTBOX),
        allow("open_jobs", "dynamodb:Query"),
        allow("staging_objects", "s3:GetObject"),
        allow("bus", "events:PutEvents"),
        allow("machines", "states:StartExecution", *RESOLVE_TASK),
        allow("executions", "states:DescribeExecution", "states:StopExecution"),
        allow("output_images", "s3:DeleteObject"),
        allow("outputs_bucket", "s3:ListBucket"),
        SIGN_VIDEO_URL,
        *DELETE_VIDEO,
        LOOK_AGAIN,
        allow("async_failures_queue", "sqs:SendMessage"),
    ),
)
CLOSE_EXECUTION = Function(
    verb="close_execution",
    group="consumers",
    loop_ends="It starts another execution of a job once, which the job counts.",
    grants=(
        *CLOSE_JOB,
        on_table("Query", keys=SCENES),
        allow("bus", "events:PutEvents"),
        allow("machines", "states:StartExecution"),
        allow("executions", "states:StopExecution"),
        allow("closed_executions_queue", *CONSUME),
        SIGN_VIDEO_URL,
        *DELETE_VIDEO,
    ),
)
AUDIT_LEDGER = Function(
    verb="audit_ledger",
    group="consumers",
    timeout_seconds=900,
    memory_mb=MEDIA_MEMORY_MB,
    grants=(AUDIT, *NOTE_AUDITED, allow("async_failures_queue", "sqs:SendMessage")),
)
CONSUMERS = (
    POLL_PROVIDER,
    POLL_SIMULATED,
    SWEEP_JOBS,
    CLOSE_EXECUTION,
    AUDIT_LEDGER,
    *webhook_registry.CONSUMERS,
    *web_registry.CONSUMERS,
)


def functions() -> Iterator[Function]:
    """All Lambdas of the stack."""
    yield from (*HTTP, *WORKFLOW, *CONSUMERS)
