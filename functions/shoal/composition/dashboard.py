"""The composition root of the dashboard's own use cases; those it shares with the API are in the others."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shoal.composition import parts
from shoal.composition import providers as upstreams
from shoal.composition.jobs import clock, ids, settings_of
from shoal.domain.catalog import load_catalog
from shoal.domain.video import FOLDER
from shoal.settings import BoardSettings, DashboardSettings

if TYPE_CHECKING:
    from shoal.adapters.aws.cognito import CognitoIdentity
    from shoal.ports.accounts import Accounts
    from shoal.ports.people import IdentityProvider
    from shoal.ports.routing import LookAtRoutes
    from shoal.use_cases.accounts.inspect_account import InspectAccount
    from shoal.use_cases.accounts.manage_accounts import ManageAccounts
    from shoal.use_cases.money.audit_ledger import AuditLedger
    from shoal.use_cases.people.look_around import LookAround
    from shoal.use_cases.people.operate import Operate
    from shoal.use_cases.people.sign_in import SignIn


def settings() -> DashboardSettings:
    found: DashboardSettings = settings_of(DashboardSettings)
    return found


@cache
def identity() -> IdentityProvider:
    return _identity()


def _identity() -> CognitoIdentity:
    from shoal.adapters.aws.cognito import CognitoIdentity, pool_keys

    client, pool_id = parts.client("cognito-idp"), settings().user_pool_id
    return CognitoIdentity(
        client,
        pool_id=pool_id,
        client_id=settings().user_pool_client_id,
        signing_key=pool_keys(client.meta.endpoint_url, pool_id),
    )


class LateIdentity:
    """Makes the identity provider's client, and loads what verifies tokens, when it is first asked for."""

    def __getattr__(self, name: str) -> object:
        return getattr(identity(), name)


@cache
def sign_in() -> SignIn:
    from shoal.adapters.dynamodb.people import DynamoDbPeople, DynamoDbSessions
    from shoal.use_cases.people.sign_in import SignIn

    table = parts.table_named(settings().table)
    late: IdentityProvider = LateIdentity()  # type: ignore[assignment]
    return SignIn(late, DynamoDbPeople(table), DynamoDbSessions(table), clock, ids)


@cache
def accounts() -> Accounts:
    from shoal.adapters.dynamodb.accounts import DynamoDbAccounts

    return DynamoDbAccounts(parts.table_named(settings().table))


def board() -> LookAtRoutes:
    """What is known of all routes."""
    return upstreams.board(settings_of(BoardSettings))


@cache
def look_around() -> LookAround:
    from shoal.adapters.dynamodb.directory import DynamoDbEntries, DynamoDbKeyUses
    from shoal.adapters.dynamodb.usage import DynamoDbUsage
    from shoal.use_cases.people.look_around import LookAround

    table = parts.table_named(settings().table)
    return LookAround(
        accounts=accounts(),
        keys=parts.keys(settings().table),
        key_uses=DynamoDbKeyUses(table),
        rollups=DynamoDbUsage(table),
        entries=DynamoDbEntries(table),
        clock=clock,
    )


@cache
def manage_accounts() -> ManageAccounts:
    from shoal.composition import jobs as bootstrap

    return bootstrap.manage_accounts(parts.table_named(settings().table))


@cache
def inspect_account() -> InspectAccount:
    return parts.inspect_account(settings().table)


@cache
def operate() -> Operate:
    from shoal.adapters.dynamodb.directory import DynamoDbDirectory
    from shoal.use_cases.people.operate import Operate

    table = settings().table
    directory = DynamoDbDirectory(parts.table_named(table))
    return Operate(
        accounts(), directory, parts.jobs(table), parts.ledger(table), board(), load_catalog(), clock
    )


@cache
def audit_ledger() -> AuditLedger:
    from shoal.use_cases.money.audit_ledger import AuditLedger

    return AuditLedger(parts.ledger(settings().table))


@cache
def media_origins() -> tuple[str, ...]:
    """Where the pages fetch outputs: the CDN's origin, and that of signed addresses."""
    urls = settings().public_url, parts.output_urls(settings())(f"{FOLDER}any")
    origins = (urlsplit(url) for url in urls)
    return tuple(dict.fromkeys(f"{origin.scheme}://{origin.netloc}" for origin in origins))
