"""Where accounts and their keys are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shoal.domain.api_key import ApiKey, Caller
from shoal.domain.grant import Grant
from shoal.domain.rate_limit import ONE_REQUEST, Ask
from shoal.domain.wallet import Movement


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    email: str
    created_at_ms: int
    suspended: bool = False


class Accounts(Protocol):
    def open(
        self, account: Account, key: ApiKey, grants: Sequence[Movement], records: Sequence[Grant]
    ) -> None:
        """Write the account, its first key and its wallets with their first entries, all or nothing.

        `records` say who granted what, and why.
        """

    def get(self, account_id: str) -> Account:
        """Raises `NotFound`."""


class Keys(Protocol):
    def admit(self, digest: str, now_ms: int, ask: Ask = ONE_REQUEST) -> Caller:
        """Authenticate and count one request, and how long it is to be held, in one conditional write.

        Raises `Unauthorized` for an unknown or revoked key, `RateLimited` when its rate is used up,
        `Forbidden` when its account is suspended.
        """

    def add(self, key: ApiKey, keys_max: int) -> None:
        """Raises `NotFound` without an account, `Forbidden` when it is suspended, `KeyExists`.

        Raises `TooManyKeys` for an account with `keys_max` keys that are not revoked.
        """

    def revoke(self, account_id: str, key_id: str, now_ms: int) -> None:
        """Raises `NotFound`. Revoking twice is the same as once."""

    def of_account(self, account_id: str) -> list[ApiKey]:
        """Every key of an account, oldest first."""
