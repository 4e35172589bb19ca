"""Builders of the job functions."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from shoal.composition import parts
from shoal.composition import providers as upstreams
from shoal.domain.catalog import load_catalog
from shoal.settings import (
    AuditLedgerSettings,
    BoardSettings,
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
    SettleWalletSettings,
    StoreOutputSettings,
    SubmitJobSettings,
    SummarizeUsageSettings,
    SweepJobsSettings,
)

if TYPE_CHECKING:
    from shoal.adapters.dynamodb.board import DynamoDbBoard
    from shoal.adapters.dynamodb.table import Table
    from shoal.domain.submission import Submission
    from shoal.use_cases.accounts.authenticate import Authenticate
    from shoal.use_cases.accounts.manage_accounts import ManageAccounts
    from shoal.use_cases.jobs.await_job import AwaitJob
    from shoal.use_cases.jobs.cancel_job import CancelJob
    from shoal.use_cases.jobs.close_execution import CloseExecution
    from shoal.use_cases.jobs.quote import QuoteJob
    from shoal.use_cases.jobs.read_job import ListJobs, ReadJob, ReadWallet
    from shoal.use_cases.jobs.release_hold import ReleaseHold
    from shoal.use_cases.jobs.settle_wallet import SettleWallet
    from shoal.use_cases.jobs.store_output import StoreOutput
    from shoal.use_cases.jobs.submit_job import SubmitJob
    from shoal.use_cases.jobs.sweep_jobs import SweepJobs
    from shoal.use_cases.money.audit_ledger import AuditLedger
    from shoal.use_cases.money.summarize_usage import SummarizeUsage
    from shoal.use_cases.providers.call_provider import CallProvider
    from shoal.use_cases.providers.poll_provider import PollProvider
    from shoal.use_cases.providers.receive_callback import ReceiveCallback


clock, ids = parts.clock, parts.ids
settings_of, output_urls, public_urls = parts.settings_of, parts.output_urls, parts.public_urls


@cache
def authenticate(table_name: str) -> Authenticate:
    from shoal.use_cases.accounts.authenticate import Authenticate

    return Authenticate(parts.keys(table_name), clock)


@cache
def submit_job() -> SubmitJob:
    from shoal.use_cases.jobs.submit_job import SubmitJob

    settings = settings_of(SubmitJobSettings)

    def prepare(submission: Submission) -> Submission:
        """Made for the few submissions that need it: S3 would be a third of a cold start."""
        return parts.prepare_submission(settings)(submission)

    return SubmitJob(
        ledger=parts.ledger(settings.table),
        workflow=parts.workflow(settings),
        prepare=prepare,
        moderate=upstreams.moderate(settings),
        board=upstreams.board(settings),
        catalog=load_catalog(),
        clock=clock,
        ids=ids,
        provider_deadline_s=settings.provider_deadline_s,
        clip_deadline_s=settings.clip_deadline_s,
    )


@cache
def read_job() -> ReadJob:
    from shoal.use_cases.jobs.read_job import ReadJob

    return ReadJob(parts.jobs(settings_of(ReadJobSettings).table))


@cache
def list_jobs() -> ListJobs:
    from shoal.use_cases.jobs.read_job import ListJobs

    return ListJobs(parts.jobs(settings_of(ListJobsSettings).table))


@cache
def await_job(table_name: str) -> AwaitJob:
    from shoal.use_cases.jobs.await_job import AwaitJob

    return AwaitJob(parts.jobs(table_name), clock, time.sleep)


@cache
def read_task() -> ReadJob:
    from shoal.use_cases.jobs.read_job import ReadJob

    return ReadJob(parts.jobs(settings_of(ReadTaskSettings).table))


@cache
def list_tasks() -> ListJobs:
    from shoal.use_cases.jobs.read_job import ListJobs

    return ListJobs(parts.jobs(settings_of(ListTasksSettings).table))


@cache
def quote_job() -> QuoteJob:
    from shoal.use_cases.jobs.quote import QuoteJob

    return QuoteJob(parts.runs(settings_of(QuoteJobSettings).table), clock, load_catalog())


@cache
def summarize_usage() -> SummarizeUsage:
    from shoal.adapters.dynamodb.usage import DynamoDbUsage
    from shoal.use_cases.money.summarize_usage import SummarizeUsage

    return SummarizeUsage(DynamoDbUsage(parts.table_named(settings_of(SummarizeUsageSettings).table)))


def board(settings: BoardSettings) -> DynamoDbBoard:
    """What is known of all routes."""
    return upstreams.board(settings)


@cache
def read_wallet() -> ReadWallet:
    from shoal.use_cases.jobs.read_job import ReadWallet

    return ReadWallet(parts.ledger(settings_of(ReadWalletSettings).table))


@cache
def cancel_job() -> CancelJob:
    from shoal.use_cases.jobs.cancel_job import CancelJob
    from shoal.use_cases.jobs.read_job import ReadJob

    settings = settings_of(CancelJobSettings)
    return CancelJob(ReadJob(parts.jobs(settings.table)), parts.close_job(settings))


@cache
def receive_callback() -> ReceiveCallback:
    from shoal.use_cases.providers.receive_callback import ReceiveCallback

    settings = settings_of(ReceiveCallbackSettings)
    secret = parts.secret_at(settings.callback_secret_arn)
    return ReceiveCallback(
        jobs=parts.jobs(settings.table),
        providers=upstreams.providers(settings, secret, draws=False),
        callback_urls=parts.callback_urls(secret),
        poll_queue=parts.poll_queue(settings.poll_queue_url),
        clock=clock,
    )


@cache
def call_provider() -> CallProvider:
    from shoal.adapters.aws.eventbridge import EventBridgeBus
    from shoal.use_cases.providers.call_provider import CallProvider

    settings = settings_of(CallProviderSettings)
    secret = parts.secret_at(settings.callback_secret_arn)
    return CallProvider(
        jobs=parts.jobs(settings.table),
        bus=EventBridgeBus(parts.client("events"), settings.event_bus),
        resolve=upstreams.resolve(settings, secret),
        clock=clock,
    )


@cache
def poll_provider() -> PollProvider:
    from shoal.use_cases.providers.poll_provider import PollProvider

    settings = settings_of(PollProviderSettings)
    secret = parts.secret_at(settings.callback_secret_arn)
    return PollProvider(
        jobs=parts.jobs(settings.table),
        providers=upstreams.providers(settings, secret),
        resolve=upstreams.resolve(settings, secret),
    )


@cache
def store_output() -> StoreOutput:
    from shoal.adapters.aws.s3 import S3Outputs, S3Staging
    from shoal.adapters.outputs.studio import inspect_clip
    from shoal.media.picture import inspect_picture
    from shoal.use_cases.jobs.store_output import StoreOutput

    settings = settings_of(StoreOutputSettings)
    s3 = parts.client("s3")
    return StoreOutput(
        jobs=parts.jobs(settings.table),
        staging=S3Staging(s3, settings.staging_bucket),
        outputs=S3Outputs(s3, settings.outputs_bucket),
        inspect=inspect_picture,
        inspect_clip=inspect_clip,
        retention_s=parts.retention_s(settings),
    )


@cache
def settle_wallet() -> SettleWallet:
    from shoal.use_cases.jobs.settle_wallet import SettleWallet

    settings = settings_of(SettleWalletSettings)
    return SettleWallet(
        jobs=parts.jobs(settings.table),
        ledger=parts.ledger(settings.table),
        runs=parts.runs(settings.table),
        note_low_balance=parts.note_low_balance(settings.table),
        clock=clock,
        url_of=output_urls(settings),
        retention_s=parts.retention_s(settings),
    )


@cache
def release_hold() -> ReleaseHold:
    from shoal.use_cases.jobs.release_hold import ReleaseHold

    settings = settings_of(ReleaseHoldSettings)
    return ReleaseHold(
        jobs=parts.jobs(settings.table),
        ledger=parts.ledger(settings.table),
        clean_up=parts.clean_up(settings),
        clock=clock,
        url_of=output_urls(settings),
    )


@cache
def sweep_jobs() -> SweepJobs:
    return parts.sweep_jobs(settings_of(SweepJobsSettings))


@cache
def close_execution() -> CloseExecution:
    from shoal.use_cases.jobs.close_execution import CloseExecution

    settings = settings_of(CloseExecutionSettings)
    return CloseExecution(parts.jobs(settings.table), parts.close_job(settings))


@cache
def audit_ledger() -> AuditLedger:
    from shoal.use_cases.money.audit_ledger import AuditLedger

    return AuditLedger(parts.ledger(settings_of(AuditLedgerSettings).table))


def manage_accounts(table: Table) -> ManageAccounts:
    """For the operator command, which brings its own table."""
    from shoal.adapters.dynamodb.accounts import DynamoDbAccounts, DynamoDbKeys
    from shoal.adapters.dynamodb.ledger import DynamoDbLedger
    from shoal.use_cases.accounts.manage_accounts import ManageAccounts

    return ManageAccounts(DynamoDbAccounts(table), DynamoDbKeys(table), DynamoDbLedger(table), clock, ids)
