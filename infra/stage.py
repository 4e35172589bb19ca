"""What differs from stage to stage. Nothing else in `infra` asks for a stage's name to decide something."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, cast, get_args

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs

from shoal.domain.delivery import RETRY_DELAYS_S
from shoal.domain.webhook import SUBSCRIPTIONS_MAX
from shoal.settings import Moderation

StageName = Literal["local", "dev", "prod"]

PROVIDER_DEADLINE_SECONDS = 180
PROVIDER_DEADLINE_SECONDS_MAX = 3600
SIGNED_URL_SECONDS = 3600
"""Well within the hours for which the credentials of the function that signs it hold."""
RETRIES_MAX = 10
IAM_PROVIDERS = frozenset({"bedrock", "polly"})
WAF_REQUESTS_MIN, WAF_REQUESTS_MAX = 10, 2_000_000_000
"""What a rate-based rule takes (AWS WAF API Reference, RateBasedStatement)."""
LOCAL_URL = "http://localhost:8787"
STRIPE_URL = "https://api.stripe.com"


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
    `event_schemas`: whether the stack publishes what its events hold; the local cloud has no registry for it.
    `retention_days`: how long outputs are kept; for ever if none. `signed_url_s`: how long the address of a
    video holds, in seconds.
    `stripe_url`: root of Stripe's API, or locally of what stands for it.
    `simulator_allowed`: models whose providers have no key here are simulated instead of being unavailable.
    `iam_providers`: AWS's own, `bedrock` and `polly`, that this stage uses with its functions' roles.
    `moderation` judges requests before money is held; without a verdict they are refused, or let through if
    `moderation_fail_open`. `guardrail` is the id and version of Bedrock's, with a colon between them.
    `provider_base_urls`, by name: where providers are instead of at their usual addresses, locally alone.
    `provider_deadline_s`: what a provider may take for an output; `clip_deadline_s`: for a scene of a video.
    `cors_origins`: web pages that may call the API; none as a rule, because a key has no business in a page.
    `waf_requests_max`: requests from one address in five minutes beyond which a web ACL blocks it; no web ACL
    if none.
    `sign_up_domains`: whose e-mail addresses may register on the dashboard; anybody's if there are none.
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
    event_schemas: bool = True
    retention_days: int | None = None
    webhooks_max: int = SUBSCRIPTIONS_MAX
    webhook_retry_s: tuple[int, ...] = RETRY_DELAYS_S
    provider_deadline_s: int = PROVIDER_DEADLINE_SECONDS
    clip_deadline_s: int = PROVIDER_DEADLINE_SECONDS
    signed_url_s: int = SIGNED_URL_SECONDS
    stripe_url: str = STRIPE_URL
    simulator_allowed: bool = False
    iam_providers: tuple[str, ...] = ()
    moderation: Moderation = "keywords"
    moderation_fail_open: bool = False
    guardrail: str = ""
    provider_base_urls: tuple[tuple[str, str], ...] = ()
    sign_up_domains: tuple[str, ...] = ()
    local_url: str | None = None
    alarm_email: str | None = None
    cors_origins: tuple[str, ...] = ()
    waf_requests_max: int | None = None

    @property
    def loopback_allowed(self) -> bool:
        """Whether addresses callers choose may be http and of this machine: on this machine alone."""
        return self.local_url is not None

    @property
    def sign_ups_confirmed(self) -> bool:
        """Whether people may sign in without the code from an e-mail: where none can be sent."""
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
    event_schemas=False,
    simulator_allowed=True,
    moderation="off",
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
    simulator_allowed=True,
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


def stage_named(
    name: str, *, environ: Mapping[str, str], alarm_email: str | None = None, cors: str = "", waf: str = ""
) -> Stage:
    """The stage `name`, on the local one with the overrides of `environ`. Raises `InvalidStage`.

    `cors`: origins with commas between them. `waf`: requests from one address in five minutes.
    """
    if name not in STAGES:
        raise InvalidStage(f"unknown stage {name!r}: choose one of {', '.join(get_args(StageName))}")
    stage = replace(
        STAGES[name],
        alarm_email=alarm_email,
        cors_origins=tuple(map(_origin, filter(None, cors.split(",")))),
        waf_requests_max=_waf_limit(waf) if waf else None,
    )
    if stage.local_url is None:
        return stage
    base_urls = _base_urls(environ.get("SHOAL_PROVIDER_BASE_URLS", "{}"))
    return replace(
        stage,
        provider_base_urls=base_urls,
        iam_providers=tuple(name for name, _ in base_urls if name in IAM_PROVIDERS),
        moderation=_moderation(environ.get("SHOAL_MODERATION", stage.moderation)),
        provider_deadline_s=_deadline("SHOAL_PROVIDER_DEADLINE_S", environ),
        clip_deadline_s=_deadline("SHOAL_CLIP_DEADLINE_S", environ),
        webhook_retry_s=_pauses(
            environ.get("SHOAL_WEBHOOK_RETRY_S", ",".join(map(str, stage.webhook_retry_s)))
        ),
        stripe_url=_root_url(environ, "SHOAL_STRIPE_URL", stage.stripe_url),
        local_url=_root_url(environ, "SHOAL_LOCAL_URL", stage.local_url),
    )


def _base_urls(text: str) -> tuple[tuple[str, str], ...]:
    refused = InvalidStage(f"SHOAL_PROVIDER_BASE_URLS={text!r}: must be JSON, base URLs by a provider's name")
    try:
        urls = json.loads(text)
    except ValueError:
        raise refused from None
    if not isinstance(urls, dict) or not all(re.match("https?://", str(url)) for url in urls.values()):
        raise refused
    return tuple(sorted(urls.items()))


def _moderation(text: str) -> Moderation:
    for known in get_args(Moderation):
        if text == known:
            return cast("Moderation", text)
    raise InvalidStage(f"SHOAL_MODERATION={text!r}: must be one of {', '.join(get_args(Moderation))}")


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


def _origin(text: str) -> str:
    if re.fullmatch(r"https://[a-z0-9.-]+(:\d+)?|http://(localhost|127\.0\.0\.1)(:\d+)?", text):
        return text
    raise InvalidStage(f"cors={text!r}: must be origins such as https://app.example.com, commas between them")


def _waf_limit(text: str) -> int:
    if text.isdecimal() and WAF_REQUESTS_MIN <= int(text) <= WAF_REQUESTS_MAX:
        return int(text)
    raise InvalidStage(f"waf={text!r}: must be from {WAF_REQUESTS_MIN} to {WAF_REQUESTS_MAX} requests")


def _root_url(environ: Mapping[str, str], variable: str, usual: str) -> str:
    text = environ.get(variable, usual)
    if text.startswith(("http://", "https://")) and text.count("/") == 2:
        return text
    raise InvalidStage(f"{variable}={text!r}: must be a root such as {usual}, without a path")
