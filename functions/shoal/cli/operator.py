"""The composition root of the operator's command: the use cases of one stage on that stage's resources."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shoal import bootstrap
from shoal.adapters.dynamodb_accounts import DynamoDbAccounts, DynamoDbKeys
from shoal.adapters.dynamodb_jobs import DynamoDbJobs
from shoal.adapters.dynamodb_ledger import DynamoDbLedger
from shoal.adapters.dynamodb_table import Table
from shoal.adapters.eventbridge import EventBridgeBus
from shoal.adapters.s3 import S3Outputs
from shoal.adapters.stepfunctions import StepFunctionsWorkflow
from shoal.domain.catalog import load_catalog
from shoal.settings import SweepJobsSettings
from shoal.use_cases.audit_ledger import AuditLedger
from shoal.use_cases.close_job import CloseJob
from shoal.use_cases.inspect_account import InspectAccount
from shoal.use_cases.manage_accounts import ManageAccounts
from shoal.use_cases.note_low_balance import NoteLowBalance
from shoal.use_cases.sweep_jobs import SweepJobs


@dataclass(frozen=True, slots=True)
class Operator:
    """All that an operator can do on a stage."""

    manage: ManageAccounts
    inspect: InspectAccount
    sweep: SweepJobs
    audit: AuditLedger


def operator_of(settings: SweepJobsSettings, client: Callable[[str], Any]) -> Operator:
    """The operator of the stage that the settings describe; `client` makes the boto3 client of a service."""
    table = Table(client("dynamodb"), settings.table)
    jobs, ledger = DynamoDbJobs(table), DynamoDbLedger(table)
    workflow = StepFunctionsWorkflow(client("stepfunctions"), settings.state_machine_arn)
    bus = EventBridgeBus(client("events"), settings.event_bus)
    note_low = NoteLowBalance(ledger, load_catalog().low_balance)
    close_job = CloseJob(jobs, ledger, bus, workflow, note_low, bootstrap.clock, settings.public_url)
    return Operator(
        manage=bootstrap.manage_accounts(table),
        inspect=InspectAccount(DynamoDbAccounts(table), DynamoDbKeys(table), jobs, ledger),
        sweep=SweepJobs(
            jobs, workflow, S3Outputs(client("s3"), settings.outputs_bucket), close_job, bootstrap.clock
        ),
        audit=AuditLedger(ledger),
    )
