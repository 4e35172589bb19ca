"""What differs from stage to stage. Nothing else in `infra` asks for a stage's name to decide something."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs

from shoal.domain.delivery import RETRY_DELAYS_S
from shoal.domain.webhook import SUBSCRIPTIONS_MAX

StageName = Literal["local", "dev", "prod"]

PROVIDER_DEADLINE_SECONDS = 180
PROVIDER_DEADLINE_SECONDS_MAX = 3600
SIGNED_URL_SECONDS = 3600
"""Well within the hours for which the credentials of the function that signs it hold."""
RETRIES_MAX = 10
LOCAL_URL = "http://localhost:8787"


class InvalidStage(ValueError):
    """The stage's name or one of its overrides can't be used; the message says which and why."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Settings of one stage.

    `api_rate_limit` is in requests per second over all callers, `api_burst_limit` in requests;
    `poll_concurrency_max` bounds how many polls of providers run at once, `delivery_concurrency_max` how many
    functions deliver webhooks in each lane.
    `webhooks_max` is per account; `webhook_retry_s` are the pauses before the retries of a delivery.
    `archive_days`: how long the bus keeps its events for a replay.
    `retention_days`: how long outputs are kept; for ever if none. `signed_url_s`: how long the address of a
    video holds, in seconds.
    `provider_deadline_s`: what a provider may take for an output; `clip_deadline_s`: for a scene of a video.
    `local_url`: root of the local front, which stands for API and CDN; none on AWS.
    """

    name: StageName
    removal_policy: RemovalPolicy
    point_in_time_recovery: bool
    deletion_protection: bool
    log_retention: logs.RetentionDays
    api_rate_limit: int
    api_burst_limit: int
    poll_concurrency_max: int
    delivery_concurrency_max: int
    layers: bool = True
    tracing: bool = True
    archive_days: int
    retention_days: int | None = None
    webhooks_max: int = SUBSCRIPTIONS_MAX
    webhook_retry_s: tuple[int, ...] = RETRY_DELAYS_S
    provider_deadline_s: int = PROVIDER_DEADLINE_SECONDS
    clip_deadline_s: int = PROVIDER_DEADLINE_SECONDS
    signed_url_s: int = SIGNED_URL_SECONDS
    local_url: str | None = None
    alarm_email: str | None = None

    @property
    def loopback_allowed(self) -> bool:
        """Whether addresses callers choose may be http and of this machine: on this machine alone."""
        return self.local_url is not None

    @property
    def prefix(self) -> str:
        """First part of every fixed name of the stage, and the name of its stack and bus."""
        return f"shoal-{self.name}"


# MiniStack runs Lambdas in its own environment, where the third-party packages already are: no layers.
LOCAL = Stage(
    name="local",
    removal_policy=RemovalPolicy.DESTROY,
    point_in_time_recovery=False,
    deletion_protection=False,
    log_retention=logs.RetentionDays.ONE_DAY,
    api_rate_limit=1000,
    api_burst_limit=1000,
    poll_concurrency_max=5,
    delivery_concurrency_max=3,
    layers=False,
    tracing=False,
    archive_days=1,
    local_url=LOCAL_URL,
)
DEV = Stage(
    name="dev",
    removal_policy=RemovalPolicy.DESTROY,
    point_in_time_recovery=False,
    deletion_protection=False,
    log_retention=logs.RetentionDays.ONE_WEEK,
    api_rate_limit=50,
    api_burst_limit=100,
    poll_concurrency_max=5,
    delivery_concurrency_max=10,
    archive_days=7,
)
PROD = Stage(
    name="prod",
    # A first deployment that fails leaves nothing behind; what has once held data is never deleted.
    removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    point_in_time_recovery=True,
    deletion_protection=True,
    log_retention=logs.RetentionDays.THREE_MONTHS,
    api_rate_limit=500,
    api_burst_limit=1000,
    poll_concurrency_max=50,
    delivery_concurrency_max=100,
    archive_days=30,
)
STAGES: Mapping[str, Stage] = {stage.name: stage for stage in (LOCAL, DEV, PROD)}


def stage_named(name: str, *, environ: Mapping[str, str], alarm_email: str | None = None) -> Stage:
    """The stage `name`, on the local one with the overrides of `environ`. Raises `InvalidStage`."""
    if name not in STAGES:
        raise InvalidStage(f"unknown stage {name!r}: choose one of {', '.join(get_args(StageName))}")
    stage = replace(STAGES[name], alarm_email=alarm_email)
    if stage.local_url is None:
        return stage
    return replace(
        stage,
        provider_deadline_s=_deadline("SHOAL_PROVIDER_DEADLINE_S", environ),
        clip_deadline_s=_deadline("SHOAL_CLIP_DEADLINE_S", environ),
        webhook_retry_s=_pauses(
            environ.get("SHOAL_WEBHOOK_RETRY_S", ",".join(map(str, stage.webhook_retry_s)))
        ),
        local_url=_root_url(environ.get("SHOAL_LOCAL_URL", stage.local_url)),
    )


def _deadline(name: str, environ: Mapping[str, str]) -> int:
    text = environ.get(name, str(PROVIDER_DEADLINE_SECONDS))
    if text.isdecimal() and 1 <= int(text) <= PROVIDER_DEADLINE_SECONDS_MAX:
        return int(text)
    raise InvalidStage(f"{name}={text!r}: must be whole seconds from 1 to {PROVIDER_DEADLINE_SECONDS_MAX}")


def _pauses(text: str) -> tuple[int, ...]:
    pauses = text.split(",")
    if len(pauses) <= RETRIES_MAX and all(re.fullmatch("[0-9]{1,6}", each) and int(each) for each in pauses):
        return tuple(map(int, pauses))
    raise InvalidStage(
        f"SHOAL_WEBHOOK_RETRY_S={text!r}: must be at most {RETRIES_MAX} pauses in whole seconds like 1,2,5"
    )


def _root_url(text: str) -> str:
    if text.startswith(("http://", "https://")) and text.count("/") == 2:
        return text
    raise InvalidStage(f"SHOAL_LOCAL_URL={text!r}: must be a root such as {LOCAL_URL}, without a path")
