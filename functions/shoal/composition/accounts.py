"""Builders around accounts: who is asking, and the operator's use case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from shoal.composition import parts
from shoal.domain.api_key import KEYS_MAX
from shoal.settings import ErrorSettings, GrantSettings, KeySettings

if TYPE_CHECKING:
    from shoal.adapters.dynamodb.table import Table
    from shoal.domain.api_key import Caller
    from shoal.domain.rate_limit import Ask
    from shoal.use_cases.accounts.authenticate import Authenticate
    from shoal.use_cases.accounts.limit_rates import LimitRates
    from shoal.use_cases.accounts.manage_accounts import ManageAccounts
    from shoal.use_cases.money.give_grant import GiveGrant


@dataclass(frozen=True, slots=True)
class Gate:
    """What an endpoint needs before its use case, each asked for only by routes that need it.

    `authenticate` takes an `Authorization` header, what the request asks of its key and where it comes from,
    and raises what `Authenticate` raises. `api_url` is where the page that explains errors is. `limit_open`
    counts a request without a key for where it comes from, and raises `RateLimited`. `front_token` is what a
    firewall before the API sends, empty where there is none.
    """

    authenticate: Callable[[str | None, Ask, str], Caller]
    api_url: Callable[[], str]
    limit_open: Callable[[str], None]
    front_token: Callable[[], str]


@cache
def _authenticate() -> Authenticate:
    from shoal.use_cases.accounts.authenticate import Authenticate

    return Authenticate(parts.keys(_settings().table), parts.clock, _limit_rates())


def _settings() -> KeySettings:
    return parts.settings_of(KeySettings)


@cache
def _limit_rates() -> LimitRates:
    return parts.limit_rates(_settings().table, _settings().open_requests_max)


def authenticate(authorization: str | None, ask: Ask, source: str) -> Caller:
    return _authenticate()(authorization, ask, source)


def limit_open(source: str) -> None:
    _limit_rates().of_open(source)


def front_token() -> str:
    return _settings().front_token


def api_url() -> str:
    return parts.settings_of(ErrorSettings).api_url


GATE = Gate(authenticate, api_url, limit_open, front_token)


def give_grant(table: Table, settings: GrantSettings | None) -> GiveGrant:
    """Without settings for functions that grant nothing, or on their own account."""
    from shoal.adapters.dynamodb.ledger import DynamoDbLedger
    from shoal.use_cases.money.give_grant import GiveGrant

    return GiveGrant(DynamoDbLedger(table), parts.clock, settings.grant_caps if settings else {})


def manage_accounts(
    table: Table, grants: GrantSettings | None = None, keys_max: int = KEYS_MAX
) -> ManageAccounts:
    """For the operator command, which brings its own table."""
    from shoal.adapters.dynamodb.accounts import DynamoDbAccounts, DynamoDbKeys
    from shoal.use_cases.accounts.manage_accounts import ManageAccounts

    accounts, keys = DynamoDbAccounts(table), DynamoDbKeys(table)
    return ManageAccounts(accounts, keys, give_grant(table, grants), parts.clock, parts.ids, keys_max)
