"""The composition root: the one place that knows both the use cases and the adapters.

Every builder reads its Lambda's settings and imports its adapters when it is first called, so a function
pays only for what its route needs, and importing a handler needs no environment.
"""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from shoal.adapters.system import RandomIds, SystemClock
from shoal.domain.provider import SIMULATOR
from shoal.settings import (
    AuditLedgerSettings,
    CallProviderSettings,
    CancelJobSettings,
    CloseExecutionSettings,
    ListJobsSettings,
    ListTasksSettings,
    PollProviderSettings,
    QuoteJobSettings,
    ReadJobSettings,
    ReadTaskSettings,
    ReadWalletSettings,
    ReceiveCallbackSettings,
    ReleaseHoldSettings,
    Settings,
    SettleWalletSettings,
    StoreOutputSettings,
    SubmitJobSettings,
    SummarizeUsageSettings,
    SweepJobsSettings,
)

if TYPE_CHECKING:
    from shoal.adapters.callback_urls import MacCallbackUrls
    from shoal.adapters.dynamodb_accounts import DynamoDbKeys
    from shoal.adapters.dynamodb_jobs import DynamoDbJobs
    from shoal.adapters.dynamodb_ledger import DynamoDbLedger
    from shoal.adapters.dynamodb_table import Table
    from shoal.adapters.dynamodb_usage import DynamoDbRuns
    from shoal.adapters.providers.registry import ProviderRegistry
    from shoal.adapters.sqs import SqsPollQueue
    from shoal.adapters.stepfunctions import (
        StepFunctionsTaskTokens,
        StepFunctionsWorkflow,
    )
    from shoal.use_cases.audit_ledger import AuditLedger
    from shoal.use_cases.authenticate import Authenticate
    from shoal.use_cases.await_job import AwaitJob
    from shoal.use_cases.call_provider import CallProvider
    from shoal.use_cases.cancel_job import CancelJob
    from shoal.use_cases.close_execution import CloseExecution
    from shoal.use_cases.close_job import CloseJob
    from shoal.use_cases.manage_accounts import ManageAccounts
    from shoal.use_cases.note_low_balance import NoteLowBalance
    from shoal.use_cases.poll_provider import PollProvider
    from shoal.use_cases.prepare_submission import PrepareSubmission
    from shoal.use_cases.quote import QuoteJob
    from shoal.use_cases.read_job import ListJobs, ReadJob, ReadWallet
    from shoal.use_cases.receive_callback import ReceiveCallback
    from shoal.use_cases.release_hold import ReleaseHold
    from shoal.use_cases.resolve_answer import ResolveAnswer
    from shoal.use_cases.settle_wallet import SettleWallet
    from shoal.use_cases.store_output import StoreOutput
    from shoal.use_cases.submit_job import SubmitJob
    from shoal.use_cases.summarize_usage import SummarizeUsage
    from shoal.use_cases.sweep_jobs import SweepJobs

clock = SystemClock()
ids = RandomIds()

SettingsOf = TypeVar("SettingsOf", bound=Settings)


@cache
def settings_of(model: type[SettingsOf]) -> SettingsOf:
    """The Lambda's settings, read when first asked for and then kept."""
    return model.from_environment()


@cache
def authenticate(table_name: str) -> Authenticate:
    from shoal.use_cases.authenticate import Authenticate

    return Authenticate(_keys(table_name), clock)


@cache
def submit_job() -> SubmitJob:
    from shoal.use_cases.submit_job import SubmitJob

    settings = settings_of(SubmitJobSettings)
    return SubmitJob(
        ledger=_ledger(settings.table),
        workflow=_workflow(settings),
        prepare=_prepare_submission(settings),
        clock=clock,
        ids=ids,
        provider_deadline_s=settings.provider_deadline_s,
    )


@cache
def read_job() -> ReadJob:
    from shoal.use_cases.read_job import ReadJob

    return ReadJob(_jobs(settings_of(ReadJobSettings).table))


@cache
def list_jobs() -> ListJobs:
    from shoal.use_cases.read_job import ListJobs

    return ListJobs(_jobs(settings_of(ListJobsSettings).table))


@cache
def await_job(table_name: str) -> AwaitJob:
    from shoal.use_cases.await_job import AwaitJob

    return AwaitJob(_jobs(table_name), clock, time.sleep)


@cache
def read_task() -> ReadJob:
    from shoal.use_cases.read_job import ReadJob

    return ReadJob(_jobs(settings_of(ReadTaskSettings).table))


@cache
def list_tasks() -> ListJobs:
    from shoal.use_cases.read_job import ListJobs

    return ListJobs(_jobs(settings_of(ListTasksSettings).table))


@cache
def quote_job() -> QuoteJob:
    from shoal.domain.catalog import load_catalog
    from shoal.use_cases.quote import QuoteJob

    return QuoteJob(_runs(settings_of(QuoteJobSettings).table), clock, load_catalog())


@cache
def summarize_usage() -> SummarizeUsage:
    from shoal.adapters.dynamodb_usage import DynamoDbUsage
    from shoal.use_cases.summarize_usage import SummarizeUsage

    return SummarizeUsage(DynamoDbUsage(_table(settings_of(SummarizeUsageSettings).table)))


def available_providers() -> frozenset[str]:
    """The providers this stage can call."""
    return frozenset({SIMULATOR})


@cache
def read_wallet() -> ReadWallet:
    from shoal.use_cases.read_job import ReadWallet

    return ReadWallet(_ledger(settings_of(ReadWalletSettings).table))


@cache
def cancel_job() -> CancelJob:
    from shoal.use_cases.cancel_job import CancelJob

    settings = settings_of(CancelJobSettings)
    return CancelJob(_jobs(settings.table), _close_job(settings))


@cache
def receive_callback() -> ReceiveCallback:
    from shoal.use_cases.receive_callback import ReceiveCallback

    settings = settings_of(ReceiveCallbackSettings)
    secret = _secret(settings.callback_secret_arn)
    return ReceiveCallback(
        jobs=_jobs(settings.table),
        providers=_providers(secret, draws=False),
        callback_urls=_callback_urls(secret),
        poll_queue=_poll_queue(settings.poll_queue_url),
        clock=clock,
    )


@cache
def call_provider() -> CallProvider:
    from shoal.adapters.eventbridge import EventBridgeBus
    from shoal.use_cases.call_provider import CallProvider

    settings = settings_of(CallProviderSettings)
    secret = _secret(settings.callback_secret_arn)
    return CallProvider(
        jobs=_jobs(settings.table),
        bus=EventBridgeBus(_client("events"), settings.event_bus),
        providers=_providers(secret),
        resolve=_resolve(settings, secret),
        clock=clock,
    )


@cache
def poll_provider() -> PollProvider:
    from shoal.use_cases.poll_provider import PollProvider

    settings = settings_of(PollProviderSettings)
    secret = _secret(settings.callback_secret_arn)
    return PollProvider(
        jobs=_jobs(settings.table),
        providers=_providers(secret),
        resolve=_resolve(settings, secret),
    )


@cache
def store_output() -> StoreOutput:
    from shoal.adapters.s3 import S3Outputs, S3Staging
    from shoal.media.picture import inspect_picture
    from shoal.use_cases.store_output import StoreOutput

    settings = settings_of(StoreOutputSettings)
    s3 = _client("s3")
    return StoreOutput(
        jobs=_jobs(settings.table),
        staging=S3Staging(s3, settings.staging_bucket),
        outputs=S3Outputs(s3, settings.outputs_bucket),
        inspect=inspect_picture,
        retention_s=_retention_s(settings),
    )


@cache
def settle_wallet() -> SettleWallet:
    from shoal.use_cases.settle_wallet import SettleWallet

    settings = settings_of(SettleWalletSettings)
    return SettleWallet(
        jobs=_jobs(settings.table),
        ledger=_ledger(settings.table),
        runs=_runs(settings.table),
        note_low_balance=_note_low_balance(settings.table),
        clock=clock,
        public_url=settings.public_url,
        retention_s=_retention_s(settings),
    )


@cache
def release_hold() -> ReleaseHold:
    from shoal.use_cases.release_hold import ReleaseHold

    settings = settings_of(ReleaseHoldSettings)
    return ReleaseHold(_jobs(settings.table), _ledger(settings.table), clock, settings.public_url)


@cache
def sweep_jobs() -> SweepJobs:
    from shoal.adapters.s3 import S3Outputs
    from shoal.use_cases.sweep_jobs import SweepJobs

    settings = settings_of(SweepJobsSettings)
    outputs = S3Outputs(_client("s3"), settings.outputs_bucket)
    jobs = _jobs(settings.table)
    return SweepJobs(jobs, _workflow(settings), outputs, _close_job(settings), clock)


@cache
def close_execution() -> CloseExecution:
    from shoal.use_cases.close_execution import CloseExecution

    settings = settings_of(CloseExecutionSettings)
    return CloseExecution(_jobs(settings.table), _close_job(settings))


@cache
def audit_ledger() -> AuditLedger:
    from shoal.use_cases.audit_ledger import AuditLedger

    return AuditLedger(_ledger(settings_of(AuditLedgerSettings).table))


def manage_accounts(table: Table) -> ManageAccounts:
    """For the operator command, which brings its own table."""
    from shoal.adapters.dynamodb_accounts import DynamoDbAccounts, DynamoDbKeys
    from shoal.adapters.dynamodb_ledger import DynamoDbLedger
    from shoal.use_cases.manage_accounts import ManageAccounts

    return ManageAccounts(DynamoDbAccounts(table), DynamoDbKeys(table), DynamoDbLedger(table), clock, ids)


def _close_job(
    settings: CancelJobSettings | SweepJobsSettings | CloseExecutionSettings,
) -> CloseJob:
    from shoal.adapters.eventbridge import EventBridgeBus
    from shoal.use_cases.close_job import CloseJob

    return CloseJob(
        jobs=_jobs(settings.table),
        ledger=_ledger(settings.table),
        bus=EventBridgeBus(_client("events"), settings.event_bus),
        workflow=_workflow(settings),
        note_low_balance=_note_low_balance(settings.table),
        clock=clock,
        public_url=settings.public_url,
    )


def _note_low_balance(table: str) -> NoteLowBalance:
    from shoal.domain.catalog import load_catalog
    from shoal.use_cases.note_low_balance import NoteLowBalance

    return NoteLowBalance(_ledger(table), load_catalog().low_balance)


def _resolve(settings: CallProviderSettings | PollProviderSettings, secret: Any) -> ResolveAnswer:
    from shoal.adapters.s3 import S3Staging
    from shoal.use_cases.resolve_answer import ResolveAnswer

    return ResolveAnswer(
        jobs=_jobs(settings.table),
        staging=S3Staging(_client("s3"), settings.staging_bucket),
        tokens=_task_tokens(),
        poll_queue=_poll_queue(settings.poll_queue_url),
        callback_urls=_callback_urls(secret, settings.api_url),
    )


def _prepare_submission(settings: SubmitJobSettings) -> PrepareSubmission:
    from shoal.adapters.caller_http import VettedCallerHttp
    from shoal.adapters.picture_header import check_picture_header
    from shoal.adapters.s3 import S3Staging
    from shoal.use_cases.prepare_submission import PrepareSubmission

    return PrepareSubmission(
        http=VettedCallerHttp(loopback_allowed=settings.loopback_allowed),
        staging=S3Staging(_client("s3"), settings.staging_bucket),
        check_picture=check_picture_header,
        clock=clock,
        ids=ids,
    )


def _retention_s(settings: StoreOutputSettings | SettleWalletSettings) -> int | None:
    return settings.retention_days * 24 * 3600 or None


def _runs(table: str) -> DynamoDbRuns:
    from shoal.adapters.dynamodb_usage import DynamoDbRuns

    return DynamoDbRuns(_table(table))


def _providers(secret: Any, *, draws: bool = True) -> ProviderRegistry:
    """`draws` is off where callbacks are only read: that function does not carry the media packages."""
    from shoal.adapters.providers import simulator
    from shoal.adapters.providers.registry import ProviderRegistry
    from shoal.adapters.providers.simulator_callbacks import SimulatorCallbacks

    callbacks = SimulatorCallbacks(secret, clock)
    embedded = simulator.Simulator(
        clock=clock,
        draw=_draw if draws else _no_drawing,
        edit=_edit if draws else _no_drawing,
        call_back=callbacks.send,
        verify=callbacks.verify,
    )
    return ProviderRegistry({SIMULATOR: embedded})


def _draw(**request: Any) -> bytes:
    from shoal.media.drawing import draw

    return draw(**request)


def _edit(**request: Any) -> bytes:
    from shoal.media.editing import edit

    return edit(**request)


def _no_drawing(**_: Any) -> bytes:
    raise RuntimeError("this function does not draw")


def _client(service: str) -> Any:
    from shoal.adapters.aws import client

    return client(service)


@cache
def _table(name: str) -> Table:
    from shoal.adapters.dynamodb_table import Table

    return Table(_client("dynamodb"), name)


@cache
def _keys(table: str) -> DynamoDbKeys:
    from shoal.adapters.dynamodb_accounts import DynamoDbKeys

    return DynamoDbKeys(_table(table))


def _jobs(table: str) -> DynamoDbJobs:
    from shoal.adapters.dynamodb_jobs import DynamoDbJobs

    return DynamoDbJobs(_table(table))


def _ledger(table: str) -> DynamoDbLedger:
    from shoal.adapters.dynamodb_ledger import DynamoDbLedger

    return DynamoDbLedger(_table(table))


def _workflow(
    settings: SubmitJobSettings | CancelJobSettings | SweepJobsSettings | CloseExecutionSettings,
) -> StepFunctionsWorkflow:
    from shoal.adapters.stepfunctions import StepFunctionsWorkflow

    return StepFunctionsWorkflow(_client("stepfunctions"), settings.state_machine_arn)


def _task_tokens() -> StepFunctionsTaskTokens:
    from shoal.adapters.stepfunctions import StepFunctionsTaskTokens

    return StepFunctionsTaskTokens(_client("stepfunctions"))


def _poll_queue(url: str) -> SqsPollQueue:
    from shoal.adapters.sqs import SqsPollQueue

    return SqsPollQueue(_client("sqs"), url)


def _secret(arn: str) -> Any:
    from shoal.adapters.secrets import Secret

    return Secret(_client("secretsmanager"), arn, clock)


def _callback_urls(secret: Any, api_url: str = "") -> MacCallbackUrls:
    from shoal.adapters.callback_urls import MacCallbackUrls

    return MacCallbackUrls(secret, api_url)
