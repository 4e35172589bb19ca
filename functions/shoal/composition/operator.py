"""The composition root of the operator's command: the use cases of one stage on that stage's resources."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shoal.adapters.aws.eventbridge import EventBridgeBus
from shoal.adapters.aws.s3 import S3Outputs
from shoal.adapters.aws.s3_videos import S3VideoFiles, SignedUrls
from shoal.adapters.aws.statistics import CloudWatchStatistics
from shoal.adapters.aws.stepfunctions import StepFunctionsWorkflow
from shoal.adapters.dynamodb.accounts import DynamoDbAccounts, DynamoDbKeys
from shoal.adapters.dynamodb.jobs import DynamoDbJobs
from shoal.adapters.dynamodb.ledger import DynamoDbLedger
from shoal.adapters.dynamodb.table import Table
from shoal.adapters.outputs.urls import OutputUrls
from shoal.composition import jobs as bootstrap
from shoal.composition import payments as bootstrap_payments
from shoal.composition import providers as upstreams
from shoal.domain.catalog import Catalog
from shoal.settings import OperatorSettings
from shoal.use_cases.accounts.inspect_account import InspectAccount
from shoal.use_cases.accounts.manage_accounts import ManageAccounts
from shoal.use_cases.jobs.clean_up import CleanUp
from shoal.use_cases.jobs.close_job import CloseJob
from shoal.use_cases.jobs.sweep_jobs import SweepJobs
from shoal.use_cases.money.audit_ledger import AuditLedger
from shoal.use_cases.money.note_low_balance import NoteLowBalance
from shoal.use_cases.payments.manage_stripe import ManageStripe
from shoal.use_cases.providers.manage_providers import ManageProviders


@dataclass(frozen=True, slots=True)
class Operator:
    """All that an operator can do on a stage."""

    manage: ManageAccounts
    inspect: InspectAccount
    sweep: SweepJobs
    audit: AuditLedger
    stripe: Callable[[], ManageStripe]
    providers: Callable[[], ManageProviders]
    now_ms: Callable[[], int]


def operator_of(settings: OperatorSettings, client: Callable[[str], Any], catalog: Catalog) -> Operator:
    """The operator of the stage that the settings describe, which sells the catalog.

    `client` makes the boto3 client of a service.
    """
    table = Table(client("dynamodb"), settings.table)
    jobs, ledger = DynamoDbJobs(table), DynamoDbLedger(table)
    workflow = StepFunctionsWorkflow(client("stepfunctions"), settings.state_machine_arn)
    bus = EventBridgeBus(client("events"), settings.event_bus)
    s3, clock = client("s3"), bootstrap.clock
    video_files = S3VideoFiles(
        s3, staging_bucket=settings.staging_bucket, videos_bucket=settings.videos_bucket
    )
    signed = SignedUrls(s3, settings.videos_bucket, expires_s=settings.signed_url_s)
    url_of = OutputUrls(settings.public_url, signed)
    note_low = NoteLowBalance(ledger, catalog.low_balance)
    close_job = CloseJob(jobs, ledger, bus, workflow, note_low, CleanUp(video_files), clock, url_of)
    return Operator(
        manage=bootstrap.manage_accounts(table),
        inspect=InspectAccount(DynamoDbAccounts(table), DynamoDbKeys(table), jobs, ledger),
        sweep=SweepJobs(
            jobs, workflow, S3Outputs(s3, settings.outputs_bucket), video_files, close_job, clock
        ),
        audit=AuditLedger(ledger),
        stripe=lambda: bootstrap_payments.manage_stripe(
            settings.stage,
            settings.stripe_url,
            table,
            client("secretsmanager"),
            real_money=settings.stage_kind == "prod",
        ),
        providers=lambda: upstreams.manage_providers(
            settings,
            table,
            CloudWatchStatistics(client("cloudwatch"), f"shoal-{settings.stage}"),
            client,
            routes=catalog.all_routes(),
        ),
        now_ms=clock.now_ms,
    )
