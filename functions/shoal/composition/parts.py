"""What the builders share: adapters by their settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from shoal import settings as environment
from shoal.adapters.system import RandomIds, SystemClock, at_once
from shoal.domain.events import UrlOf, output_url
from shoal.domain.rate_limit import OPEN_REQUESTS_PER_MINUTE, RateLimit

if TYPE_CHECKING:
    from shoal.adapters.aws.s3_documents import S3Documents
    from shoal.adapters.aws.s3_videos import S3VideoFiles
    from shoal.adapters.aws.sqs import SqsPollQueue
    from shoal.adapters.aws.stepfunctions import StepFunctionsTaskTokens, StepFunctionsWorkflow
    from shoal.adapters.dynamodb.accounts import DynamoDbKeys
    from shoal.adapters.dynamodb.jobs import DynamoDbJobs
    from shoal.adapters.dynamodb.ledger import DynamoDbLedger
    from shoal.adapters.dynamodb.limits import DynamoDbOpenJobs
    from shoal.adapters.dynamodb.outbox import DynamoDbOutbox
    from shoal.adapters.dynamodb.scenes import DynamoDbScenes
    from shoal.adapters.dynamodb.table import Table
    from shoal.adapters.dynamodb.usage import DynamoDbRuns
    from shoal.adapters.http.callback_urls import MacCallbackUrls
    from shoal.dialects.spoken import View
    from shoal.domain.catalog import Catalog
    from shoal.use_cases.accounts.inspect_account import InspectAccount
    from shoal.use_cases.accounts.limit_rates import LimitRates
    from shoal.use_cases.accounts.tell_events import TellEvents
    from shoal.use_cases.catalogs.publish_catalog import PublishCatalog
    from shoal.use_cases.catalogs.read_catalogs import ReadCatalogs
    from shoal.use_cases.jobs.clean_up import CleanUp
    from shoal.use_cases.jobs.close_job import CloseJob
    from shoal.use_cases.jobs.finish_canceled import FinishCanceled
    from shoal.use_cases.jobs.limit_jobs import LimitJobs, NoteClosed
    from shoal.use_cases.jobs.prepare_submission import PrepareSubmission
    from shoal.use_cases.jobs.start_again import StartAgain
    from shoal.use_cases.jobs.sweep_jobs import SweepJobs
    from shoal.use_cases.money.audit_ledger import AuditLedger
    from shoal.use_cases.money.note_low_balance import NoteLowBalance

clock = SystemClock()
ids = RandomIds()

SettingsOf = TypeVar("SettingsOf", bound=environment.Settings)


_settings: dict[type[environment.Settings], environment.Settings] = {}


def settings_of(model: type[SettingsOf]) -> SettingsOf:
    """The Lambda's settings, read when first asked for and then kept.

    `functools.cache` would forget the type: every field would pass the type check, a misspelt one too.
    """
    if model not in _settings:
        _settings[model] = model.from_environment()
    return cast("SettingsOf", _settings[model])


def client(service: str) -> Any:
    from shoal.adapters.aws.client import client as client_of

    return client_of(service)


def catalog() -> Catalog:
    from shoal.domain.catalog import load_catalog

    return load_catalog()


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a builder builds: what makes the clients of AWS services, and the catalog of the code there."""

    client: Callable[..., Any]
    catalog: Callable[[], Catalog]


HERE = Stage(client, catalog)
"""The stage whose function this process is. The operator's command is in no stage: it says which."""


def catalogs(settings: environment.CatalogSettings, at: Stage = HERE) -> ReadCatalogs:
    """What is published on the stage: one for all that a process asks of it."""
    return _catalogs(settings.table, settings.catalog_bucket, at)


@cache
def _catalogs(table: str, bucket: str, at: Stage) -> ReadCatalogs:
    from shoal.adapters.dynamodb.publications import DynamoDbPublications
    from shoal.adapters.system import beside
    from shoal.domain.catalog import catalog_of
    from shoal.observability import count_unusable_catalog
    from shoal.use_cases.catalogs.read_catalogs import ReadCatalogs

    return ReadCatalogs(
        packaged=at.catalog(),
        publications=DynamoDbPublications(named_table(table, at)),
        documents=catalog_documents(bucket, at),
        parse=catalog_of,
        alarm=count_unusable_catalog,
        clock=clock,
        beside=beside,
    )


def publish_catalog(settings: environment.CatalogSettings, at: Stage = HERE) -> PublishCatalog:
    from shoal.adapters.dynamodb.publications import DynamoDbPublications
    from shoal.domain.models.files import read_document
    from shoal.use_cases.catalogs.publish_catalog import PublishCatalog

    return PublishCatalog(
        publications=DynamoDbPublications(named_table(settings.table, at)),
        documents=catalog_documents(settings.catalog_bucket, at),
        packaged=read_document(),
        parse=checked_catalog,
        clock=clock,
    )


def checked_catalog(document: bytes) -> Catalog:
    """The catalog of a document. Raises `ValueError` with a line for each rule that is broken."""
    import json

    from shoal.composition.upstreams import PROVIDERS
    from shoal.dialects.parameters import refusals
    from shoal.domain.catalog import catalog_of
    from shoal.domain.models.problems import field_text
    from shoal.domain.models.rules import check_catalog
    from shoal.domain.provider import SIMULATOR

    told = json.loads(document)
    if not isinstance(told, dict) or not isinstance(told.get("models"), dict):
        raise ValueError("a catalog is an object with models")
    wrong = check_catalog(told, refusals, {*PROVIDERS, SIMULATOR})
    if lines := "\n".join(f"{field_text(each.field)}: {each.reason}" for each in wrong):
        raise ValueError(lines)
    return catalog_of(document)


def catalog_documents(bucket: str, at: Stage = HERE) -> S3Documents:
    from shoal.adapters.aws.s3_documents import S3Documents

    return S3Documents(partial(at.client, "s3"), bucket, light=at is HERE)


def stage() -> str:
    """Its name."""
    return settings_of(environment.ReadHealthSettings).stage


@dataclass(frozen=True, slots=True)
class Documents:
    """What the API says of itself: the folder of the files, and the stage's own address."""

    folder: Path
    api_url: str


def documents() -> Documents:
    return Documents(
        Path(__file__).parents[1] / "documents", settings_of(environment.ReadDocumentSettings).api_url
    )


def view(url_of: UrlOf, table: str) -> Callable[[], View]:
    """How jobs of a table are shown, with the time at which it is called."""
    from shoal.dialects.spoken import View

    return lambda: View(url_of, clock.now_ms(), partial(scenes, table))


def output_urls(settings: environment.AddressSettings, at: Stage = HERE) -> UrlOf:
    """Addresses of all outputs; S3 is only loaded for one that has to be signed."""
    from shoal.adapters.outputs.urls import OutputUrls

    def sign(key: str) -> str:
        from shoal.adapters.aws.s3_videos import SignedUrls

        return SignedUrls(at.client("s3"), settings.videos_bucket, expires_s=settings.signed_url_s)(key)

    return OutputUrls(settings.public_url, sign)


def public_urls(public_url: str) -> UrlOf:
    """Addresses where no video can be among the outputs."""
    return partial(output_url, public_url=public_url)


def clean_up(
    settings: environment.CloseJobSettings | environment.ReleaseHoldSettings, at: Stage = HERE
) -> CleanUp:
    from shoal.use_cases.jobs.clean_up import CleanUp

    return CleanUp(video_files(settings.staging_bucket, settings.videos_bucket, at))


def finish_canceled(table: str, at: Stage = HERE) -> FinishCanceled:
    from shoal.use_cases.jobs.finish_canceled import FinishCanceled

    return FinishCanceled(ledger(table, at), scenes(table, at), clock)


def video_files(staging_bucket: str, videos_bucket: str, at: Stage = HERE) -> S3VideoFiles:
    from shoal.adapters.aws.s3_videos import S3VideoFiles

    return S3VideoFiles(at.client("s3"), staging_bucket=staging_bucket, videos_bucket=videos_bucket)


def scenes(table: str, at: Stage = HERE) -> DynamoDbScenes:
    from shoal.adapters.dynamodb.scenes import DynamoDbScenes

    return DynamoDbScenes(named_table(table, at))


def close_job(settings: environment.CloseJobSettings, at: Stage = HERE) -> CloseJob:
    from shoal.adapters.aws.eventbridge import EventBridgeBus
    from shoal.use_cases.jobs.close_job import CloseJob

    return CloseJob(
        jobs=jobs(settings.table, at),
        ledger=ledger(settings.table, at),
        bus=EventBridgeBus(at.client("events"), settings.event_bus),
        workflow=workflow(settings, at),
        note_low_balance=note_low_balance(settings, at),
        clean_up=clean_up(settings, at),
        note_closed=note_closed(settings, at),
        finish_canceled=finish_canceled(settings.table, at),
        clock=clock,
        url_of=output_urls(settings, at),
        videos_bucket=settings.videos_bucket,
    )


def sweep_jobs(settings: environment.SweepJobsSettings, at: Stage = HERE) -> SweepJobs:
    from shoal.adapters.aws.s3 import S3Outputs, S3Staging
    from shoal.use_cases.jobs.see_to_job import SeeToJob
    from shoal.use_cases.jobs.sweep_jobs import SweepJobs

    see_to_job = SeeToJob(
        jobs=jobs(settings.table, at),
        workflow=workflow(settings, at),
        tokens=task_tokens(at),
        poll_queue=poll_queue(settings, at),
        staging=S3Staging(at.client("s3"), settings.staging_bucket),
        outputs=S3Outputs(at.client("s3"), settings.outputs_bucket),
        video_files=video_files(settings.staging_bucket, settings.videos_bucket, at),
        close_job=close_job(settings, at),
        start_again=start_again(settings, at),
        clock=clock,
    )
    return SweepJobs(see_to_job.jobs, see_to_job, clock, at_once)


def tell_events(settings: environment.SweepJobsSettings, at: Stage = HERE) -> TellEvents:
    from shoal.adapters.aws.eventbridge import EventBridgeBus
    from shoal.use_cases.accounts.tell_events import TellEvents

    bus = EventBridgeBus(at.client("events"), settings.event_bus)
    return TellEvents(outbox(settings.table, at), bus)


def start_again(settings: environment.CloseJobSettings, at: Stage = HERE) -> StartAgain:
    from shoal.use_cases.jobs.start_again import StartAgain

    return StartAgain(jobs(settings.table, at), workflow(settings, at))


def audit_ledger(table: str, at: Stage = HERE) -> AuditLedger:
    from shoal.adapters.dynamodb.audit import DynamoDbAuditProgress
    from shoal.adapters.dynamodb.directory import DynamoDbDirectory
    from shoal.use_cases.money.audit_ledger import AuditLedger

    at_table = named_table(table, at)
    progress = DynamoDbAuditProgress(at_table)
    directory = DynamoDbDirectory(at_table)
    return AuditLedger(ledger(table, at), directory, progress, at_once, outbox(table, at), clock)


def outbox(table: str, at: Stage = HERE) -> DynamoDbOutbox:
    from shoal.adapters.dynamodb.outbox import DynamoDbOutbox

    return DynamoDbOutbox(named_table(table, at))


def note_closed(settings: environment.CatalogSettings, at: Stage = HERE) -> NoteClosed:
    from shoal.use_cases.jobs.limit_jobs import NoteClosed

    return NoteClosed(open_jobs(settings.table, at), catalogs(settings, at), clock)


def open_jobs(table: str, at: Stage = HERE) -> DynamoDbOpenJobs:
    from shoal.adapters.dynamodb.limits import DynamoDbOpenJobs

    return DynamoDbOpenJobs(named_table(table, at))


def limit_jobs(settings: environment.SubmitJobSettings) -> LimitJobs:
    from shoal.use_cases.jobs.limit_jobs import LimitJobs

    return LimitJobs(
        open_jobs=open_jobs(settings.table),
        note_closed=note_closed(settings),
        clock=clock,
        jobs_max=settings.open_jobs_max,
        failures_multiple=settings.failures_multiple,
    )


@cache
def limit_rates(table: str, open_requests_max: int = OPEN_REQUESTS_PER_MINUTE) -> LimitRates:
    from shoal.adapters.dynamodb.limits import DynamoDbRates
    from shoal.use_cases.accounts.limit_rates import LimitRates

    return LimitRates(DynamoDbRates(named_table(table)), clock, RateLimit.of_rate(open_requests_max))


def inspect_account(table: str, at: Stage = HERE) -> InspectAccount:
    from shoal.adapters.dynamodb.accounts import DynamoDbAccounts
    from shoal.use_cases.accounts.inspect_account import InspectAccount

    accounts = DynamoDbAccounts(named_table(table, at))
    return InspectAccount(accounts, keys(table, at), jobs(table, at), ledger(table, at))


def note_low_balance(settings: environment.CatalogSettings, at: Stage = HERE) -> NoteLowBalance:
    from shoal.use_cases.money.note_low_balance import NoteLowBalance

    published = catalogs(settings, at)
    return NoteLowBalance(
        ledger(settings.table, at), lambda job: published.of(job.catalog_version).low_balance
    )


def prepare_submission(settings: environment.SubmitJobSettings) -> PrepareSubmission:
    from shoal.adapters.aws.s3 import S3Staging
    from shoal.adapters.aws.s3_files import S3FileObjects
    from shoal.adapters.dynamodb.files import DynamoDbFiles
    from shoal.adapters.dynamodb.limits import DynamoDbFetching
    from shoal.adapters.http.caller_http import VettedCallerHttp
    from shoal.adapters.outputs.picture_header import check_picture_header
    from shoal.use_cases.files.open_file import OpenFile
    from shoal.use_cases.jobs.prepare_submission import PrepareSubmission

    s3, table = client("s3"), named_table(settings.table)
    return PrepareSubmission(
        http=VettedCallerHttp(loopback_allowed=settings.loopback_allowed),
        staging=S3Staging(s3, settings.staging_bucket),
        fetching=DynamoDbFetching(table, settings.fetched_mb_max * 1_000_000),
        open_file=OpenFile(DynamoDbFiles(table), S3FileObjects(s3, settings.staging_bucket), clock),
        check_picture=check_picture_header,
        clock=clock,
        ids=ids,
    )


def retention_s(days: int) -> int | None:
    return days * 24 * 3600 or None


def runs(table: str) -> DynamoDbRuns:
    from shoal.adapters.dynamodb.usage import DynamoDbRuns

    return DynamoDbRuns(named_table(table))


@cache
def named_table(name: str, at: Stage = HERE) -> Table:
    from shoal.adapters.dynamodb.table import Table

    return Table(at.client("dynamodb"), name)


@cache
def keys(table: str, at: Stage = HERE) -> DynamoDbKeys:
    from shoal.adapters.dynamodb.accounts import DynamoDbKeys

    return DynamoDbKeys(named_table(table, at))


def jobs(table: str, at: Stage = HERE) -> DynamoDbJobs:
    from shoal.adapters.dynamodb.jobs import DynamoDbJobs

    return DynamoDbJobs(named_table(table, at))


def ledger(table: str, at: Stage = HERE) -> DynamoDbLedger:
    from shoal.adapters.dynamodb.ledger import DynamoDbLedger

    return DynamoDbLedger(named_table(table, at))


def workflow(
    settings: environment.SubmitJobSettings | environment.CloseJobSettings, at: Stage = HERE
) -> StepFunctionsWorkflow:
    from shoal.adapters.aws.stepfunctions import StepFunctionsWorkflow

    client = at.client("stepfunctions")
    return StepFunctionsWorkflow(client, settings.state_machine_arn, settings.machine_versions)


def task_tokens(at: Stage = HERE) -> StepFunctionsTaskTokens:
    from shoal.adapters.aws.stepfunctions import StepFunctionsTaskTokens

    return StepFunctionsTaskTokens(at.client("stepfunctions"))


def poll_queue(settings: environment.PollQueueSettings, at: Stage = HERE) -> SqsPollQueue:
    from shoal.adapters.aws.sqs import SqsPollQueue

    return SqsPollQueue(at.client("sqs"), settings.poll_queue_url, settings.simulated_poll_queue_url)


def secret_at(arn: str) -> Any:
    from shoal.adapters.aws.secrets import Secret

    return Secret(client("secretsmanager"), arn, clock)


def callback_urls(secret: Any, api_url: str = "") -> MacCallbackUrls:
    from shoal.adapters.http.callback_urls import MacCallbackUrls

    return MacCallbackUrls(secret, api_url)
