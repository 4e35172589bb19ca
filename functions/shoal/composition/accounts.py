"""Builders around accounts: who is asking, and the operator's use case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from shoal.composition import parts
from shoal.settings import ErrorSettings, KeySettings

if TYPE_CHECKING:
    from shoal.adapters.dynamodb.table import Table
    from shoal.domain.api_key import Caller
    from shoal.use_cases.accounts.authenticate import Authenticate
    from shoal.use_cases.accounts.manage_accounts import ManageAccounts


@dataclass(frozen=True, slots=True)
class Gate:
    """What an endpoint needs before its use case, each asked for only by routes that need it.

    `authenticate` takes an `Authorization` header and raises what `Authenticate` raises. `api_url` is where
    the page that explains errors is.
    """

    authenticate: Callable[[str | None], Caller]
    api_url: Callable[[], str]


@cache
def _authenticate() -> Authenticate:
    from shoal.use_cases.accounts.authenticate import Authenticate

    return Authenticate(parts.keys(parts.settings_of(KeySettings).table), parts.clock)


def authenticate(authorization: str | None) -> Caller:
    return _authenticate()(authorization)


def api_url() -> str:
    return parts.settings_of(ErrorSettings).api_url


GATE = Gate(authenticate, api_url)


def manage_accounts(table: Table) -> ManageAccounts:
    """For the operator command, which brings its own table."""
    from shoal.adapters.dynamodb.accounts import DynamoDbAccounts, DynamoDbKeys
    from shoal.adapters.dynamodb.ledger import DynamoDbLedger
    from shoal.use_cases.accounts.manage_accounts import ManageAccounts

    accounts, keys, ledger = DynamoDbAccounts(table), DynamoDbKeys(table), DynamoDbLedger(table)
    return ManageAccounts(accounts, keys, ledger, parts.clock, parts.ids)
