"""Builds what the dashboard's pages use: one builder for each of its functions, named as it is.

A use case is made when a page first asks for it: a page needs few of them, and each loads modules of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urlsplit

from shoal.adapters.aws.client import client
from shoal.composition import accounts, jobs, money, parts, providers
from shoal.composition.parts import clock, ids, settings_of
from shoal.domain.events import UrlOf
from shoal.domain.video import FOLDER
from shoal.settings import (
    BoardSettings,
    DashboardSettings,
    OperateSettings,
    SignUpSettings,
    TopUpSettings,
)

if TYPE_CHECKING:
    from shoal.adapters.dynamodb.table import Table
    from shoal.dialects.spoken import View
    from shoal.domain.catalog import Catalog
    from shoal.ports.accounts import Accounts
    from shoal.ports.people import IdentityProvider
    from shoal.ports.routing import LookAtRoutes
    from shoal.ports.system import Clock, Ids
    from shoal.use_cases.accounts.inspect_account import InspectAccount
    from shoal.use_cases.accounts.limit_rates import LimitRates
    from shoal.use_cases.accounts.manage_accounts import ManageAccounts
    from shoal.use_cases.jobs.cancel_job import CancelJob
    from shoal.use_cases.jobs.quote import QuoteJob
    from shoal.use_cases.jobs.read_job import ListJobs, ReadJob, ReadWallet
    from shoal.use_cases.jobs.submit_job import SubmitJob
    from shoal.use_cases.money.audit_ledger import AuditLedger
    from shoal.use_cases.money.give_grant import GiveGrant
    from shoal.use_cases.payments.confirm_checkout import ConfirmCheckout
    from shoal.use_cases.payments.create_checkout import CreateCheckout
    from shoal.use_cases.people.look_around import LookAround
    from shoal.use_cases.people.operate import Operate
    from shoal.use_cases.people.second_factor import SecondFactor
    from shoal.use_cases.people.sign_in import SignIn
    from shoal.use_cases.webhooks.manage_deliveries import ManageDeliveries
    from shoal.use_cases.webhooks.manage_webhooks import ManageWebhooks

Use = TypeVar("Use")
Use_co = TypeVar("Use_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard(Generic[Use_co]):
    """What all pages use; `use` is what only those of one function do.

    `media_origins` are the origins that outputs are fetched from. `second_factor_required`: of operators.
    `front_token` is what a firewall before the API sends, empty where there is none.
    """

    clock: Clock
    ids: Ids
    api_url: str
    url_of: UrlOf
    media_origins: tuple[str, ...]
    front_token: str
    catalog: Callable[[], Catalog]
    sign_in: Callable[[], SignIn]
    accounts: Callable[[], Accounts]
    second_factor_required: bool
    limit_rates: Callable[[], LimitRates]
    use: Use_co


@dataclass(frozen=True, slots=True, kw_only=True)
class ForMembers:
    """For people who are signed in, and for guests who are about to be."""

    identity: Callable[[], IdentityProvider]
    sign_up: SignUpSettings
    look_around: Callable[[], LookAround]
    second_factor: Callable[[], SecondFactor]
    manage_accounts: Callable[[], ManageAccounts]
    board: Callable[[], LookAtRoutes]
    submit_job: Callable[[], SubmitJob]
    quote_job: Callable[[], QuoteJob]
    read_job: Callable[[], ReadJob]
    list_jobs: Callable[[], ListJobs]
    cancel_job: Callable[[], CancelJob]
    view: Callable[[], View]
    read_wallet: Callable[[], ReadWallet]
    manage_webhooks: Callable[[], ManageWebhooks]
    manage_deliveries: Callable[[], ManageDeliveries]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForOperators:
    """For people of the operators' group."""

    operate: Callable[[], Operate]
    inspect_account: Callable[[], InspectAccount]
    manage_accounts: Callable[[], ManageAccounts]
    give_grant: Callable[[], GiveGrant]
    audit_ledger: Callable[[], AuditLedger]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForBuyers:
    """For people who buy balance or credits. `stripe_url` is the root of Stripe's API."""

    stripe_url: str
    create_checkout: Callable[[], CreateCheckout]
    confirm_checkout: Callable[[], ConfirmCheckout]


@cache
def show_dashboard() -> Dashboard[ForMembers]:
    from shoal.composition import webhooks

    use = ForMembers(
        identity=_identity,
        sign_up=settings_of(SignUpSettings),
        look_around=_look_around,
        second_factor=_second_factor,
        manage_accounts=_manage_accounts,
        board=lambda: providers.board(settings_of(BoardSettings)),
        submit_job=jobs.submit_job,
        quote_job=jobs.quote_job,
        read_job=jobs.read_job,
        list_jobs=jobs.list_jobs,
        cancel_job=jobs.cancel_job,
        view=parts.view(parts.output_urls(settings_of(DashboardSettings)), _name()),
        read_wallet=money.read_wallet,
        manage_webhooks=webhooks.manage_webhooks,
        manage_deliveries=webhooks.manage_deliveries,
    )
    return _dashboard(use)


@cache
def operate() -> Dashboard[ForOperators]:
    use = ForOperators(
        operate=_operate,
        inspect_account=lambda: parts.inspect_account(_name()),
        manage_accounts=_manage_and_grant,
        give_grant=_give_grant,
        audit_ledger=money.audit_ledger,
    )
    return _dashboard(use)


@cache
def top_up() -> Dashboard[ForBuyers]:
    from shoal.composition import payments

    settings = settings_of(TopUpSettings)
    use = ForBuyers(
        stripe_url=settings.stripe_url,
        create_checkout=partial(payments.create_checkout, settings),
        confirm_checkout=partial(payments.confirm_checkout, settings),
    )
    return _dashboard(use)


def _dashboard(use: Use) -> Dashboard[Use]:
    settings = settings_of(DashboardSettings)
    url_of = parts.output_urls(settings)
    return Dashboard(
        clock=clock,
        ids=ids,
        api_url=settings.api_url,
        url_of=url_of,
        media_origins=_origins(settings.public_url, url_of(f"{FOLDER}any")),
        sign_in=_sign_in,
        accounts=_accounts,
        second_factor_required=settings.operators_second_factor,
        limit_rates=partial(parts.limit_rates, settings.table),
        front_token=settings.front_token,
        catalog=parts.catalogs(settings).current,
        use=use,
    )


def _origins(*urls: str) -> tuple[str, ...]:
    """Of the CDN, and of signed addresses; one if they are the same."""
    split = (urlsplit(url) for url in urls)
    return tuple(dict.fromkeys(f"{url.scheme}://{url.netloc}" for url in split))


def _name() -> str:
    return settings_of(DashboardSettings).table


def _table() -> Table:
    return parts.named_table(_name())


@cache
def _identity() -> IdentityProvider:
    from shoal.adapters.aws.cognito import CognitoIdentity, pool_keys

    cognito, settings = client("cognito-idp"), settings_of(DashboardSettings)
    return CognitoIdentity(
        cognito,
        pool_id=settings.user_pool_id,
        client_id=settings.user_pool_client_id,
        signing_key=pool_keys(cognito.meta.endpoint_url, settings.user_pool_id),
    )


@cache
def _sign_in() -> SignIn:
    from shoal.adapters.dynamodb.people import DynamoDbPeople, DynamoDbSessions
    from shoal.use_cases.people.sign_in import SignIn

    return SignIn(_identity, DynamoDbPeople(_table()), DynamoDbSessions(_table()), clock, ids)


@cache
def _second_factor() -> SecondFactor:
    from shoal.adapters.dynamodb.people import DynamoDbSessions
    from shoal.use_cases.people.second_factor import SecondFactor

    return SecondFactor(_identity, DynamoDbSessions(_table()), clock)


@cache
def _accounts() -> Accounts:
    from shoal.adapters.dynamodb.accounts import DynamoDbAccounts

    return DynamoDbAccounts(_table())


@cache
def _look_around() -> LookAround:
    from shoal.adapters.dynamodb.directory import DynamoDbEntries, DynamoDbKeyUses
    from shoal.adapters.dynamodb.usage import DynamoDbUsage
    from shoal.use_cases.people.look_around import LookAround

    return LookAround(
        accounts=_accounts(),
        keys=parts.keys(_name()),
        key_uses=DynamoDbKeyUses(_table()),
        rollups=DynamoDbUsage(_table()),
        entries=DynamoDbEntries(_table()),
        clock=clock,
    )


@cache
def _manage_accounts() -> ManageAccounts:
    return accounts.manage_accounts(_table(), keys_max=settings_of(DashboardSettings).keys_max)


@cache
def _manage_and_grant() -> ManageAccounts:
    settings = settings_of(OperateSettings)
    return accounts.manage_accounts(_table(), settings, settings.keys_max)


@cache
@cache
def _give_grant() -> GiveGrant:
    return accounts.give_grant(_table(), settings_of(OperateSettings))


@cache
def _operate() -> Operate:
    from shoal.adapters.dynamodb.directory import DynamoDbDirectory
    from shoal.use_cases.people.operate import Operate

    directory, table = DynamoDbDirectory(_table()), _name()
    board = providers.board(settings_of(BoardSettings))
    return Operate(
        accounts=_accounts(),
        directory=directory,
        jobs=parts.jobs(table),
        give_grant=_give_grant(),
        board=board,
        open_jobs_of=parts.open_jobs(table),
        catalogs=parts.catalogs(settings_of(OperateSettings)),
        clock=clock,
    )
