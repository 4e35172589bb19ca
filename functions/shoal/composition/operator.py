"""The composition root of the operator's command: the use cases of one stage, reached from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from shoal.adapters.aws.client import config_of
from shoal.adapters.aws.statistics import CloudWatchStatistics
from shoal.composition import accounts, parts, payments, providers
from shoal.composition.parts import Stage
from shoal.domain.catalog import Catalog
from shoal.ports.limits import OpenJobs
from shoal.settings import OperatorSettings
from shoal.use_cases.accounts.inspect_account import InspectAccount
from shoal.use_cases.accounts.manage_accounts import ManageAccounts
from shoal.use_cases.accounts.tell_events import TellEvents
from shoal.use_cases.catalogs.publish_catalog import PublishCatalog
from shoal.use_cases.jobs.sweep_jobs import SweepJobs
from shoal.use_cases.money.audit_ledger import AuditLedger
from shoal.use_cases.payments.manage_stripe import ManageStripe
from shoal.use_cases.providers.manage_providers import ManageProviders

if TYPE_CHECKING:
    from boto3 import Session


@dataclass(frozen=True, slots=True)
class Operator:
    """All that an operator can do on a stage. `who` names whose credentials are used."""

    manage: ManageAccounts
    inspect: InspectAccount
    sweep: SweepJobs
    tell: TellEvents
    audit: AuditLedger
    open_jobs: OpenJobs
    stripe: Callable[[], ManageStripe]
    providers: Callable[[], ManageProviders]
    catalogs: Callable[[], PublishCatalog]
    now_ms: Callable[[], int]
    who: Callable[[], str]


def clients_of(session: Session, endpoint_url: str | None = None) -> Callable[..., Any]:
    """What makes a session's client of each service, configured as the functions' clients are."""

    @cache
    def client(service: str, endpoint_url: str | None = endpoint_url, region_name: str | None = None) -> Any:
        config = config_of(service, endpoint_url)
        return session.client(service, region_name, endpoint_url=endpoint_url, config=config)  # type: ignore[call-overload]

    return client


def operator_of(settings: OperatorSettings, client: Callable[..., Any], catalog: Catalog) -> Operator:
    """The operator of the stage that the settings describe, which sells the catalog.

    `client` makes the boto3 client of a service.
    """
    at = Stage(client, lambda: catalog)

    def manage_providers() -> ManageProviders:
        statistics = CloudWatchStatistics(client("cloudwatch"), f"shoal-{settings.stage}")
        return providers.manage_providers(settings, statistics, at)

    return Operator(
        manage=accounts.manage_accounts(parts.named_table(settings.table, at), settings),
        inspect=parts.inspect_account(settings.table, at),
        sweep=parts.sweep_jobs(settings, at),
        tell=parts.tell_events(settings, at),
        audit=parts.audit_ledger(settings.table, at),
        open_jobs=parts.open_jobs(settings.table, at),
        stripe=lambda: payments.manage_stripe(settings, at),
        providers=manage_providers,
        catalogs=lambda: parts.publish_catalog(settings, at),
        now_ms=parts.clock.now_ms,
        who=lambda: str(client("sts").get_caller_identity()["Arn"]),
    )
