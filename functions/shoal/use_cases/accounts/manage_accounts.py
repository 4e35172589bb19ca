"""What an operator does: open accounts, make and revoke keys, credit wallets."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shoal.domain import wallet
from shoal.domain.api_key import KEYS_MAX, SECRET_LENGTH, ApiKey, KeyPrefix, Once, Scope, digest_of
from shoal.domain.errors import KeyExists
from shoal.domain.grant import Decision
from shoal.domain.money import AMOUNT_MAX, Asset
from shoal.domain.rate_limit import RateLimit
from shoal.ports.accounts import Account, Accounts, Keys
from shoal.ports.system import Clock, Ids
from shoal.use_cases.money.give_grant import GiveGrant

AGAIN_MS = 60_000
"""How long after it was made a key is shown again to who asks for the same: a double click, a lost answer."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key and its secret, which is shown this once and never stored."""

    key: ApiKey
    secret: str


@dataclass(frozen=True, slots=True)
class ManageAccounts:
    accounts: Accounts
    keys: Keys
    give_grant: GiveGrant
    clock: Clock
    ids: Ids
    keys_max: int = KEYS_MAX

    def open(
        self, email: str, *, usd_micros: int = 0, credits: int = 0, decision: Decision | None = None
    ) -> tuple[Account, NewKey]:
        """A new account with its first key, its grant, three free trials and play money.

        Raises `ValidationFailed` for a decision about a grant that a second operator has to confirm.
        """
        now_ms = self.clock.now_ms()
        account = Account(self.ids.new("acc", now_ms), email, now_ms)
        first = self._new_key(account.id, KeyPrefix.LIVE, RateLimit(), frozenset(Scope))
        grants = opening_grants(account, usd_micros, credits)
        records = self.give_grant.opening(grants, decision) if decision else []
        self.accounts.open(account, first.key, grants, records)
        return account, first

    def create_key(
        self,
        account_id: str,
        prefix: KeyPrefix,
        limit: RateLimit,
        scopes: frozenset[Scope],
        *,
        name: str = "",
        once: Once | None = None,
    ) -> NewKey:
        """With `once`, what is asked for twice is made once, and both answers hold the same secret.

        Raises `NotFound` for an unknown account, `Forbidden` for a suspended one, `KeyExists` where `once`
        made another key, or this one a while ago, `TooManyKeys`.
        """
        new = self._new_key(account_id, prefix, limit, scopes, name, once)
        try:
            self.keys.add(new.key, self.keys_max)
        except KeyExists:
            return self._again(new)
        return new

    def revoke_key(self, account_id: str, key_id: str) -> None:
        """The key stops working at once and for good. Raises `NotFound` for an unknown account or key."""
        self.accounts.get(account_id)
        self.keys.revoke(account_id, key_id, self.clock.now_ms())

    def grant(
        self, account_id: str, asset: Asset, amount: int, decision: Decision, reference: str | None = None
    ) -> bool:
        """Credit a wallet. The same `reference` credits once: False the second time.

        Raises `NotFound` for an unknown account, ValueError for an amount out of bounds, `ValidationFailed`
        for a reference that stood for something else, `ConfirmationNeeded` above the cap.
        """
        if not 0 < amount <= AMOUNT_MAX:
            raise ValueError("the amount must be positive and below a billion dollars")
        self.accounts.get(account_id)
        now_ms = self.clock.now_ms()
        reference = reference or self.ids.new("top", now_ms).partition("_")[2]
        movement = wallet.Movement(
            account_id,
            asset,
            wallet.EntryKind.TOP_UP,
            reference,
            now_ms,
            balance_delta=amount,
            note="operator",
        )
        return self.give_grant(movement, decision)

    def _new_key(
        self,
        account_id: str,
        prefix: KeyPrefix,
        limit: RateLimit,
        scopes: frozenset[Scope],
        name: str = "",
        once: Once | None = None,
    ) -> NewKey:
        secret = prefix + (once.secret() if once else self.ids.secret(SECRET_LENGTH))
        digest = digest_of(secret)
        if digest is None:
            raise ValueError("the id port made a malformed secret")
        now_ms = self.clock.now_ms()
        key_id = f"key_{once.ulid}" if once else self.ids.new("key", now_ms)
        key = ApiKey(key_id, account_id, digest, prefix, secret[-4:], scopes, limit, now_ms, name=name)
        return NewKey(key, secret)

    def _again(self, new: NewKey) -> NewKey:
        """The key that was made a moment ago of all the same. Raises `KeyExists`, which names both, if that
        was another."""
        for key in self.keys.of_account(new.key.account_id):
            same = key == replace(new.key, created_at_ms=key.created_at_ms)
            if same and abs(new.key.created_at_ms - key.created_at_ms) <= AGAIN_MS:
                return NewKey(key, new.secret)
            if key.id == new.key.id:
                raise KeyExists.of(key.told, new.key.told)
        raise KeyExists.of("a key that is gone", new.key.told)


def opening_grants(account: Account, usd_micros: int = 0, credits: int = 0) -> list[wallet.Movement]:
    """The first entry of each of an account's wallets: three free trials and play money among them."""
    amounts = {
        Asset.USD: usd_micros,
        Asset.CREDIT: credits,
        Asset.TEST_USD: wallet.TEST_GRANT_USD,
        Asset.TEST_CREDIT: wallet.TEST_GRANT_CREDIT,
    }
    return [_grant(account, asset, amount) for asset, amount in amounts.items()]


def _grant(account: Account, asset: Asset, amount: int) -> wallet.Movement:
    return wallet.Movement(
        account.id,
        asset,
        wallet.EntryKind.TOP_UP,
        account.id.partition("_")[2],
        account.created_at_ms,
        balance_delta=amount,
        free_generations_delta=wallet.FREE_GENERATIONS if asset in (Asset.USD, Asset.TEST_USD) else 0,
        note="grant",
    )
