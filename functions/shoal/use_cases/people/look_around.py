"""What a person sees on the dashboard that no route of the API tells: day by day, and entry by entry."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.domain.api_key import ApiKey, Caller
from shoal.domain.money import Asset
from shoal.ports.accounts import Accounts, Keys
from shoal.ports.money import Rollup, UsageRollups
from shoal.ports.people import Entries, EntryPage, KeyUses
from shoal.ports.system import Clock

DAY_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class UsedKey:
    """A key, and about when it was last used: None if it never was."""

    key: ApiKey
    last_used_ms: int | None


@dataclass(frozen=True, slots=True)
class LookAround:
    accounts: Accounts
    keys: Keys
    key_uses: KeyUses
    rollups: UsageRollups
    entries: Entries
    clock: Clock

    def usage(self, caller: Caller, from_day: str, to_day: str) -> list[Rollup]:
        """Day by day and model by model, from one UTC day (`2026-01-31`) to another, both included."""
        assets = {caller.asset(Asset.USD), caller.asset(Asset.CREDIT)}
        found = self.rollups.between(caller.account_id, from_day, to_day)
        return sorted(
            (rollup for rollup in found if rollup.asset in assets),
            key=lambda rollup: (rollup.day, rollup.model),
        )

    def ledger(self, caller: Caller, asset: Asset, *, limit: int, cursor: str | None) -> EntryPage:
        """The entries of a wallet, newest first. Raises `ValidationFailed` for an unknown cursor."""
        return self.entries.page(caller.account_id, caller.asset(asset), limit=limit, cursor=cursor)

    def new_keys(self, account_id: str) -> list[ApiKey]:
        """The keys that were made in the last day, newest first, revoked ones too."""
        since_ms = self.clock.now_ms() - DAY_MS
        made = [key for key in self.keys.of_account(account_id) if key.created_at_ms >= since_ms]
        return sorted(made, key=lambda key: key.id, reverse=True)

    def used_keys(self, caller: Caller) -> list[UsedKey]:
        """The keys of the account, newest first, revoked ones last."""
        keys = self.keys.of_account(caller.account_id)
        uses = self.key_uses.last_used_ms([key.digest for key in keys], self.clock.now_ms())
        newest_first = sorted(keys, key=lambda key: key.id, reverse=True)
        newest_first.sort(key=lambda key: key.revoked)
        return [UsedKey(key, uses.get(key.digest)) for key in newest_first]
