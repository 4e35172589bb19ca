"""The Lambdas of the videos. Those that make or check clips and sound have layer, memory and disk for it."""

from __future__ import annotations

from .function import (
    ASK_TIMEOUT_SECONDS,
    STITCH_TIMEOUT_SECONDS,
    VIDEO_DISK_MB,
    VIDEO_MEMORY_MB,
    WAITING_MEMORY_MB,
    Function,
)
from .grants import (
    ASK_PROVIDERS,
    READ_CATALOG,
    READ_KEYS,
    READ_MISSING,
    SCENES,
    SIGN_VIDEO_URL,
    SPEAK,
    USE_BEDROCK,
    USE_JOB,
    USE_ROUTES,
    allow,
    on_table,
)

WORKFLOW = (
    Function(
        verb="write_script",
        group="workflow",
        timeout_seconds=120,
        grants=(
            USE_JOB,
            *READ_CATALOG,
            *USE_ROUTES,
            READ_KEYS,
            *USE_BEDROCK,
            on_table("PutItem", "Query", keys=SCENES),
            allow("bus", "events:PutEvents"),
        ),
    ),
    Function(
        verb="narrate",
        group="workflow",
        memory_mb=VIDEO_MEMORY_MB,
        disk_mb=VIDEO_DISK_MB,
        timeout_seconds=120,
        media=True,
        video=True,
        voice=True,
        grants=(
            USE_JOB,
            *READ_CATALOG,
            *USE_ROUTES,
            READ_KEYS,
            SPEAK,
            on_table("Query", keys=SCENES),
            allow("video_objects", "s3:PutObject"),
            allow("staging_objects", "s3:PutObject"),
        ),
    ),
    Function(
        verb="render_scene",
        group="workflow",
        memory_mb=WAITING_MEMORY_MB,
        timeout_seconds=ASK_TIMEOUT_SECONDS,
        grants=(*ASK_PROVIDERS, on_table("GetItem", keys=SCENES)),
    ),
    Function(
        verb="store_clip",
        group="workflow",
        memory_mb=VIDEO_MEMORY_MB,
        disk_mb=VIDEO_DISK_MB,
        timeout_seconds=120,
        media=True,
        video=True,
        grants=(
            USE_JOB,
            on_table("GetItem", "UpdateItem", keys=SCENES),
            allow("staging_objects", "s3:GetObject"),
            READ_MISSING,
            allow("video_objects", "s3:PutObject"),
            SIGN_VIDEO_URL,
        ),
    ),
    Function(
        verb="stitch_video",
        group="workflow",
        memory_mb=VIDEO_MEMORY_MB,
        disk_mb=VIDEO_DISK_MB,
        timeout_seconds=STITCH_TIMEOUT_SECONDS,
        media=True,
        video=True,
        grants=(
            USE_JOB,
            allow("staging_objects", "s3:GetObject"),
            READ_MISSING,
            allow("video_objects", "s3:GetObject", "s3:PutObject"),
            allow("videos_bucket", "s3:ListBucket"),
        ),
    ),
)
