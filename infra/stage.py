"""What differs from stage to stage: `stages/<name>.toml` says it, checked here before anything is made of it.

Nothing else in `infra` asks for a stage's name or kind to decide something.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from pydantic_core import ErrorDetails

from shoal.domain.api_key import KEYS_MAX
from shoal.domain.delivery import RETRY_DELAYS_S
from shoal.domain.rate_limit import OPEN_REQUESTS_PER_MINUTE, REQUESTS_PER_MINUTE_MAX
from shoal.domain.webhook import SUBSCRIPTIONS_MAX
from shoal.settings import Moderation, StageKind

from .errors import SynthesisError

STAGES = Path("stages")
"""Where the files of stages are, seen from the folder that the CDK runs in."""
LOCAL_URL = "http://localhost:8787"
STRIPE_URL = "https://api.stripe.com"
NAME = r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?"
"""It begins the names of functions, which may have 64 characters."""
ORIGIN = r"^(https://[a-z0-9.-]+(:\d+)?|http://(localhost|127\.0\.0\.1)(:\d+)?)$"
ROOT_URL = r"^https?://[^/]+$"
PROVIDER_DEADLINE_SECONDS = 180
FETCHED_MB_MAX = 300
FILES_MB_MAX = 1_000
"""Thirty pictures of the largest size; a smaller one counts as what it has."""
SIGNED_URL_SECONDS = 3600
"""Well within the hours for which the credentials of the function that signs it hold."""
LOG_DAYS: Mapping[int, logs.RetentionDays] = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    5: logs.RetentionDays.FIVE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    731: logs.RetentionDays.TWO_YEARS,
    1827: logs.RetentionDays.FIVE_YEARS,
    3653: logs.RetentionDays.TEN_YEARS,
}


class InvalidStage(SynthesisError):
    """The stage's name or one of its settings can't be used; the message says which and why."""


def _base_urls(urls: dict[str, str]) -> dict[str, str]:
    if not all(re.match("https?://", url) for url in urls.values()):
        raise ValueError("must be base URLs by a provider's name")
    return urls


def _log_days(days: int) -> int:
    if days not in LOG_DAYS:
        raise ValueError(f"must be one of {', '.join(map(str, LOG_DAYS))}")
    return days


Count = Annotated[int, Field(ge=1)]
Concurrency = Annotated[int, Field(ge=2, le=1000)]
"""What an event source mapping of SQS takes (AWS Lambda Developer Guide, "Maximum concurrency")."""
Deadline = Annotated[int, Field(ge=1, le=3600)]
Pause = Annotated[int, Field(ge=1, le=999_999)]
Origin = Annotated[str, StringConstraints(pattern=ORIGIN)]
RootUrl = Annotated[str, StringConstraints(pattern=ROOT_URL)]
Domain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]
AccountId = Annotated[str, StringConstraints(pattern=r"^\d{12}$")]
OrganizationId = Annotated[str, StringConstraints(pattern=r"^o-[a-z0-9]{10,32}$")]
TopicArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+$")]
IdentityArn = Annotated[
    str, StringConstraints(pattern=r"^arn:aws[a-z-]*:ses:[a-z0-9-]+:\d{12}:identity/\S+$")
]
Sender = Annotated[str, StringConstraints(pattern=r"^([^<>@]+ <[^@\s<>]+@[^@\s<>]+>|[^@\s<>]+@[^@\s<>]+)$")]
Endpoint = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$")]
Guardrail = Annotated[str, StringConstraints(pattern=r"^([^:\s]+:[^:\s]+)?$")]
CertificateArn = Annotated[
    str, StringConstraints(pattern=r"^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/[\w-]+$")
]
CdnCertificateArn = Annotated[
    str, StringConstraints(pattern=r"^arn:aws[a-z-]*:acm:us-east-1:\d{12}:certificate/[\w-]+$")
]
"""CloudFront takes certificates of us-east-1 alone (Developer Guide, "Requirements for certificates")."""
KeyArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[\w-]+$")]
PolicyArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:policy/\S+$")]
ZoneId = Annotated[str, StringConstraints(pattern=r"^Z[A-Z0-9]+$")]
Name = Annotated[str, StringConstraints(pattern=f"^{NAME}$")]
Canary = Literal["off", "10-percent-5-minutes", "10-percent-10-minutes"]


def setting(description: str, **options: Any) -> Any:
    """A field of `Stage` with its row in the table of settings."""
    return Field(description=description, **options)


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid", strict=True))
class Stage:
    """Settings of one stage. What a file leaves out has the default of the stage's kind, or that of here."""

    name: Name
    kind: StageKind = setting(
        "`prod` takes real money and keeps what it holds when it is deleted, `dev` does neither,"
        " `local` is for this machine"
    )
    alarm_email: Email | None = setting(
        "who is told of alarms; `prod` needs this or `alarm_topic_arn`", default=None
    )
    alarm_topic_arn: TopicArn | None = setting(
        "an SNS topic of yours that is told of alarms too, such as that of a pager", default=None
    )
    account_concurrency: Annotated[int, Field(ge=10)] = setting(
        "functions that the AWS account may run at once in this region, of which an alarm tells four fifths:"
        " what Service Quotas says of `L-B99A9384`; new accounts have 10",
        default=1000,
    )
    mail_identity_arn: IdentityArn | None = setting(
        "the verified identity of SES by which codes are mailed; `prod` needs one. Without it the user pool"
        " sends about 50 mails a day",
        default=None,
    )
    mail_from: Sender | None = setting(
        "whose address stands on these mails: `Name <no-reply@example.com>`, of the identity", default=None
    )
    domain: Domain | None = setting(
        "name of the API and the dashboard, such as `api.example.com`: callers, callbacks and links use it,"
        " and the gateway's own address is closed. `prod` needs one, or `generated_addresses`",
        default=None,
    )
    certificate_arn: CertificateArn | None = setting(
        "certificate of ACM for `domain`, in the stage's region", default=None
    )
    files_domain: Domain | None = setting(
        "name of the CDN, such as `files.example.com`, by which pictures are found for ever", default=None
    )
    files_certificate_arn: CdnCertificateArn | None = setting(
        "certificate of ACM for `files_domain`, in us-east-1", default=None
    )
    hosted_zone_id: ZoneId | None = setting(
        "zone of Route 53 in which both names are set; unset, outputs tell what to set them to", default=None
    )
    generated_addresses: Literal[True] | None = setting(
        "`true` lets a stage of kind `prod` do without `domain`: its addresses are AWS's, and others after a"
        " rebuild",
        default=None,
    )
    permissions_boundary: PolicyArn | None = setting(
        "an IAM policy that bounds every role the stage makes, such as that of infra/policies/boundary.json",
        default=None,
    )
    key_arn: KeyArn | None = setting(
        "a key of KMS in the stage's region, with the policy of infra/policies/key.json, under which table,"
        " buckets, queues, secrets, logs and the bus's archive are kept; unset, keys that AWS owns",
        default=None,
    )
    tags: dict[str, str] = setting("what all that the stage makes is tagged with", default_factory=dict)
    sign_up_domains: tuple[Domain, ...] = setting(
        "whose e-mail addresses may register on the dashboard; anybody's if empty", default=()
    )
    operators_second_factor: bool = setting(
        "whether the operators' pages are closed to who signed in with a password alone", default=False
    )
    grant_cap_usd: Count | None = setting(
        "dollars above which a second operator confirms a grant or a refund; unset where there is but"
        " one operator",
        default=None,
    )
    grant_cap_credits: Count | None = setting("the same of credits", default=None)
    cors_origins: tuple[Origin, ...] = setting(
        "web pages that may call the API; none as a rule, because a key has no business in a page",
        default=(),
    )
    waf_requests_max: Annotated[int, Field(ge=10, le=2_000_000_000)] | None = setting(
        "requests from one address in five minutes beyond which a firewall blocks it; no firewall if unset."
        " Needs us-east-1",
        default=None,
    )
    moderation: Moderation = setting("who judges requests before money is held", default="keywords")
    moderation_fail_open: bool = setting(
        "whether requests pass when there is no verdict; they are refused otherwise", default=False
    )
    guardrail: Guardrail = setting(
        "id and version of a Bedrock guardrail, with a colon between them; for `moderation` by `bedrock`",
        default="",
    )
    iam_providers: tuple[Literal["bedrock", "polly"], ...] = setting(
        "providers that are used with the functions' own roles", default=()
    )
    sagemaker_endpoints: tuple[Endpoint, ...] = setting(
        "names of asynchronous endpoints of SageMaker in the stage's account and region that routes of the"
        " provider `sagemaker` ask; their output goes to the staging bucket",
        default=(),
    )
    espeak: bool = setting(
        "whether narrations may be spoken by espeak-ng, which is under the GPL and loaded in-process",
        default=False,
    )
    simulator_allowed: bool = setting(
        "whether the simulator stands in for providers without a key", default=False
    )
    api_rate_limit: Count = setting("requests per second over all callers")
    api_burst_limit: Count = setting("requests at once over all callers")
    poll_concurrency_max: Concurrency = setting("polls of providers at once")
    simulated_concurrency_max: Concurrency = setting(
        "functions at once that do simulated work: those that poll, and those that make and check"
    )
    simulated_reserved: bool = setting(
        "whether that many are reserved for each of both; the AWS account must let 100 run beside them",
        default=False,
    )
    delivery_concurrency_max: Concurrency = setting("functions that deliver webhooks, in each lane")
    fetched_mb_max: Annotated[int, Field(ge=50)] = setting(
        "megabytes that come in for one account in a minute: pictures fetched to be edited, files sent with "
        "their requests",
        default=FETCHED_MB_MAX,
    )
    files_mb_max: Annotated[int, Field(ge=10)] = setting(
        "megabytes of files that one account keeps at once; the smallest counts as 0.1",
        default=FILES_MB_MAX,
    )
    open_requests_max: Annotated[int, Field(ge=1, le=REQUESTS_PER_MINUTE_MAX)] = setting(
        "requests to the API a minute from one address that name no key, or none that is good",
        default=OPEN_REQUESTS_PER_MINUTE,
    )
    open_jobs_max: Annotated[int, Field(ge=1, le=1_000)] = setting(
        "jobs of one account that are not done at once, in each mode", default=200
    )
    failures_multiple: Annotated[int, Field(ge=0, le=1_000)] = setting(
        "an account that cancels, or whose prompts providers refuse, may cost the stage so many times what it"
        " pays in a day, and at least $1",
        default=1,
    )
    keys_max: Count = setting("API keys of one account that are not revoked", default=KEYS_MAX)
    webhooks_max: Count = setting("webhooks of one account", default=SUBSCRIPTIONS_MAX)
    unpaid_sends_max: Count = setting(
        "requests of webhooks a minute to one host, of an account that never had money", default=5
    )
    webhook_retry_s: Annotated[tuple[Pause, ...], Field(min_length=1, max_length=10)] = setting(
        "pauses before the retries of a delivery, in seconds", default=RETRY_DELAYS_S
    )
    provider_deadline_s: Deadline = setting(
        "what a provider may take for an output, in seconds", default=PROVIDER_DEADLINE_SECONDS
    )
    clip_deadline_s: Deadline = setting(
        "what a provider may take for a scene of a video, in seconds", default=PROVIDER_DEADLINE_SECONDS
    )
    signed_url_s: Annotated[int, Field(ge=60, le=43_200)] = setting(
        "how long the address of a private file holds, in seconds", default=SIGNED_URL_SECONDS
    )
    retention_days: Count | None = setting("days that outputs are kept; for ever if unset", default=None)
    log_days: Annotated[int, AfterValidator(_log_days)] = setting(
        f"days that logs are kept: {', '.join(map(str, LOG_DAYS))}"
    )
    archive_days: Count = setting("days that the bus keeps its events for a replay")
    bus_accounts: tuple[AccountId, ...] = setting(
        "AWS accounts that may have rules on the bus, and so see every event; only the stage's own if empty",
        default=(),
    )
    bus_organization: OrganizationId | None = setting(
        "an organization of AWS all of whose accounts may, too: `o-…`", default=None
    )
    versions: bool = setting(
        "whether functions and state machines are called by published versions, which a deployment moves"
        " together and `make rollback` takes back",
        default=True,
    )
    canary: Canary = setting(
        "how the API's functions move to a new version, by CodeDeploy: a tenth of the requests first, and the"
        " rest when no alarm rang for five or ten minutes; `off` is at once",
        default="off",
    )
    point_in_time_recovery: bool = setting("whether the table can be restored to any second")
    deletion_protection: bool = setting("whether AWS refuses to delete stacks, table and user pool")
    tracing: bool = setting("whether X-Ray traces functions and workflows", default=True)
    event_schemas: bool = setting(
        "whether a schema registry tells subscribers what events hold", default=True
    )
    stripe_url: RootUrl = setting("root of Stripe's API, or of what stands for it", default=STRIPE_URL)
    provider_base_urls: Annotated[dict[str, str], AfterValidator(_base_urls)] = setting(
        "base URLs by a provider's name, where it is not at its usual address", default_factory=dict
    )
    local_url: RootUrl | None = setting(
        "root of the local front, which stands for API and CDN; `local` alone has one", default=None
    )

    @property
    def layers(self) -> bool:
        """Whether functions bring their packages; the local cloud has them in its own environment."""
        return self.local_url is None

    @property
    def keyless_providers(self) -> tuple[str, ...]:
        """Those that the functions' own roles may ask."""
        return (*self.iam_providers, *(("sagemaker",) if self.sagemaker_endpoints else ()))

    @property
    def loopback_allowed(self) -> bool:
        """Whether addresses callers choose may be http and of this machine: on this machine alone."""
        return self.local_url is not None

    @property
    def sign_ups_confirmed(self) -> bool:
        """Whether people may sign in without the code from an e-mail: where none can be sent."""
        return self.local_url is not None

    @property
    def removal_policy(self) -> RemovalPolicy:
        """A first deployment that fails leaves nothing behind; what `prod` has once held is never deleted."""
        kept = self.kind == "prod"
        return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if kept else RemovalPolicy.DESTROY

    @property
    def emptied(self) -> bool:
        """Whether buckets are emptied when they are deleted, which the local cloud can't do."""
        return self.removal_policy == RemovalPolicy.DESTROY and self.local_url is None

    @property
    def log_retention(self) -> logs.RetentionDays:
        """How long log groups keep their lines."""
        return LOG_DAYS[self.log_days]

    @property
    def prefix(self) -> str:
        """First part of every fixed name of the stage, and the name of its bus."""
        return f"shoal-{self.name}"


_stage = TypeAdapter(Stage)

KINDS: Mapping[StageKind, Mapping[str, object]] = {
    "local": {
        "account_concurrency": 100,
        "api_rate_limit": 1000,
        "api_burst_limit": 1000,
        "poll_concurrency_max": 5,
        "open_jobs_max": 1000,
        "open_requests_max": REQUESTS_PER_MINUTE_MAX,
        "simulated_concurrency_max": 5,
        "delivery_concurrency_max": 3,
        "log_days": 1,
        "archive_days": 1,
        "point_in_time_recovery": False,
        "deletion_protection": False,
        "tracing": False,
        "event_schemas": False,
        "versions": False,
        "espeak": True,
        "simulator_allowed": True,
        "moderation": "off",
        "local_url": LOCAL_URL,
    },
    "dev": {
        "api_rate_limit": 50,
        "api_burst_limit": 100,
        "poll_concurrency_max": 5,
        "simulated_concurrency_max": 5,
        "delivery_concurrency_max": 10,
        "log_days": 7,
        "archive_days": 7,
        "point_in_time_recovery": False,
        "deletion_protection": False,
        "simulator_allowed": True,
        "iam_providers": ["polly"],
    },
    "prod": {
        "api_rate_limit": 500,
        "api_burst_limit": 1000,
        "poll_concurrency_max": 50,
        "simulated_concurrency_max": 20,
        "simulated_reserved": True,
        "canary": "10-percent-10-minutes",
        "delivery_concurrency_max": 100,
        "log_days": 90,
        "archive_days": 30,
        "point_in_time_recovery": True,
        "deletion_protection": True,
        "operators_second_factor": True,
        "iam_providers": ["polly"],
    },
}
"""The defaults of each kind."""

NEEDED: Mapping[StageKind, tuple[tuple[tuple[str, ...], str], ...]] = {
    "prod": (
        (("alarm_email", "alarm_topic_arn"), "nobody would be told of its alarms"),
        (("mail_identity_arn",), "the user pool alone sends about 50 mails a day"),
        (("domain", "generated_addresses"), "every address is another one after a rebuild"),
    )
}
"""Settings of which a stage of that kind has one of each, which only its owner can say, and why."""

TOGETHER = (
    ("mail_from", "mail_identity_arn"),
    ("domain", "certificate_arn", "files_domain", "files_certificate_arn"),
)
"""Settings of which a stage has all or none."""

_OVERRIDES: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "SHOAL_LOCAL_URL": ("local_url", str),
    "SHOAL_STRIPE_URL": ("stripe_url", str),
    "SHOAL_MODERATION": ("moderation", str),
    "SHOAL_PROVIDER_DEADLINE_S": ("provider_deadline_s", int),
    "SHOAL_CLIP_DEADLINE_S": ("clip_deadline_s", int),
    "SHOAL_WEBHOOK_RETRY_S": ("webhook_retry_s", lambda text: [int(part) for part in text.split(",")]),
    "SHOAL_SAGEMAKER_ENDPOINTS": ("sagemaker_endpoints", lambda text: text.split(",")),
    "SHOAL_PROVIDER_BASE_URLS": ("provider_base_urls", json.loads),
    "SHOAL_VERSIONS": ("versions", json.loads),
}
"""What the environment may change of a local stage, and how its text is read."""


def load_stage(
    file: Path,
    *,
    environ: Mapping[str, str] | None = None,
    owner: Mapping[str, object] | None = None,
) -> Stage:
    """The stage that a file describes; its name is the file's. Raises `InvalidStage`.

    `environ`: where a local stage's overrides are looked for. `owner`: what stands for settings that only the
    owner of a stage can say, where it is checked and not deployed.
    """
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        there = ", ".join(sorted(each.stem for each in file.parent.glob("*.toml"))) or "none"
        raise InvalidStage(f"there is no {file}: the stages of {file.parent} are {there}") from None
    except ValueError as error:
        raise InvalidStage(f"{file}: {error}") from None
    kind = next((known for known in KINDS if known == settings.get("kind")), None)
    if kind is None:
        raise InvalidStage(f"{file}: kind: must be one of {', '.join(KINDS)}")
    if "name" in settings:
        raise InvalidStage(f"{file}: name: a stage is named after its file")
    said = (owner or {}) if kind in NEEDED else {}
    stage = _check({**KINDS[kind], **said, **settings, "name": file.stem}, source=str(file))
    return _overridden(stage, environ or {}) if stage.kind == "local" else stage


def stage_of(name: str, kind: StageKind, **settings: object) -> Stage:
    """A stage described in code instead of by a file. Raises `InvalidStage`."""
    if kind not in KINDS:
        raise InvalidStage(f"stage {name}: kind: must be one of {', '.join(KINDS)}")
    return _check({**KINDS[kind], **settings, "name": name, "kind": kind}, source=f"stage {name}")


def _overridden(stage: Stage, environ: Mapping[str, str]) -> Stage:
    settings = {field.name: getattr(stage, field.name) for field in fields(stage)}
    for variable, (name, read) in _OVERRIDES.items():
        if variable in environ:
            text = environ[variable]
            try:
                settings = {**settings, name: read(text)}
            except ValueError:
                raise InvalidStage(f"{variable}={text!r} can't be read as {name}") from None
            _check(settings, source=f"{variable}={text!r}")
    if "SHOAL_PROVIDER_BASE_URLS" in environ:
        there = tuple(name for name in ("bedrock", "polly") if name in settings["provider_base_urls"])
        settings = {**settings, "iam_providers": there}
    return _check(settings, source="the environment")


def _check(settings: Mapping[str, object], *, source: str) -> Stage:
    """As JSON, in which a list does for a tuple and nothing else is taken for what it is not."""
    try:
        stage = _stage.validate_json(json.dumps(settings, default=str))
    except ValidationError as error:
        raise InvalidStage("\n".join(_line(source, each) for each in error.errors())) from None
    _agree(stage, source)
    return stage


def _agree(stage: Stage, source: str) -> None:
    """Raises `InvalidStage` where two settings contradict each other, or one lacks another."""
    _agree_where(stage, source)
    if stage.canary != "off" and not stage.versions:
        raise InvalidStage(f"{source}: canary: only versions can be moved to little by little")
    if stage.moderation == "bedrock" and not stage.guardrail:
        raise InvalidStage(f"{source}: guardrail: moderation by bedrock needs one")
    for group in TOGETHER:
        if len({getattr(stage, name) is None for name in group}) > 1:
            raise InvalidStage(f"{source}: {' and '.join(group)}: the one needs the other")
    for names, otherwise in NEEDED.get(stage.kind, ()):
        if all(getattr(stage, name) is None for name in names):
            raise InvalidStage(f"{source}: set {' or '.join(names)}: without it {otherwise}")
    if stage.provider_base_urls and stage.kind != "local":
        raise InvalidStage(f"{source}: provider_base_urls: for local stages alone")


def _agree_where(stage: Stage, source: str) -> None:
    """That only the stage of this machine is found as one."""
    if stage.name == "local" and stage.kind != "local":
        raise InvalidStage(f"{source}: name: `local` is the name of this machine's own stage")
    if stage.local_url is not None and stage.domain is not None:
        raise InvalidStage(f"{source}: domain: a local stage has `local_url` for that")
    if (stage.local_url is None) == (stage.kind == "local"):
        raise InvalidStage(f"{source}: local_url: a local stage has one, and no other stage")


def _line(source: str, error: ErrorDetails) -> str:
    where = ".".join(map(str, error["loc"])) or "settings"
    if error["type"] == "unexpected_keyword_argument":
        return f"{source}: {where}: there is no such setting"
    return f"{source}: {where}: {error['msg']}, not {error['input']!r}"
