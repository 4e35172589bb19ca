"""Accounts and API keys in the table."""

from __future__ import annotations

from collections.abc import Sequence

from shoal.adapters.dynamodb import items
from shoal.adapters.dynamodb.outbox import outbox_updates
from shoal.adapters.dynamodb.table import ConditionFailed, Item, Put, Table, TransactionRefused, Update
from shoal.domain import errors
from shoal.domain.api_key import ApiKey, Caller, KeyPrefix, Scope
from shoal.domain.events import Event, key_created_event, key_revoked_event, movement_event
from shoal.domain.grant import Grant
from shoal.domain.rate_limit import HELD_S_PER_MINUTE, ONE_REQUEST, Allowance, Ask, RateLimit
from shoal.domain.wallet import Movement, Wallet
from shoal.ports.accounts import Account

SUSPENDED = "This account is suspended."
HELD = "held#"
MAY_HAVE_KEYS = "attribute_not_exists(suspended) AND (attribute_not_exists(last_key) OR last_key = :seen)"
ADD_TRIES = 5

# `#tat` is of the key, or of its polls. The two ways in are disjoint, and it only grows: tried in this order,
# a request that loses a race for the first way still has the second. The other order would answer 429 to it.
_SAME_KEY = (
    "revoked = :no AND attribute_not_exists(suspended) AND requests_per_minute = :rate AND burst = :burst"
)
IDLE = f"{_SAME_KEY} AND (attribute_not_exists(#tat) OR #tat <= :now)"
WITHIN_BURST = f"{_SAME_KEY} AND #tat > :now AND #tat <= :latest"


class DynamoDbAccounts:
    """Implements the `Accounts` port."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def open(
        self, account: Account, key: ApiKey, grants: Sequence[Movement], records: Sequence[Grant]
    ) -> None:
        parts = account_puts(account, grants) + [Put(items.grant_item(record)) for record in records]
        parts += [Put(items.api_key_item(key)), Put(items.account_api_key_item(key))]
        told = outbox_updates([key_created_event(key), *opening_events_of(grants)])
        self._table.transact([*parts, *told])

    def get(self, account_id: str) -> Account:
        item = self._table.get(*items.account_key(account_id))
        if item is None:
            raise errors.NotFound("No such account.")
        return items.account_of(item)


def account_puts(account: Account, grants: Sequence[Movement]) -> list[Put]:
    """The account with its wallets, each with its first entry: parts of one transaction."""
    parts = [Put(item) for item in items.account_items(account)]
    for grant in grants:
        wallet = Wallet(
            grant.account_id,
            grant.asset,
            balance=grant.balance_delta,
            free_generations=grant.free_generations_delta,
        )
        parts += [Put(items.wallet_item(wallet)), Put(items.entry_item(grant))]
    return parts


def opening_events_of(grants: Sequence[Movement]) -> list[Event]:
    """What the bus is told of an account's first entries: of those that brought money."""
    return [movement_event(grant) for grant in grants if grant.net]


class DynamoDbKeys:
    """Implements the `Keys` port. Remembers the rates it has seen: a guess the condition checks."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._limits: dict[str, RateLimit] = {}

    def admit(self, digest: str, now_ms: int, ask: Ask = ONE_REQUEST) -> Caller:
        limit = self._limits.get(digest, RateLimit())
        try:
            return self._caller(self._count(digest, limit, now_ms, IDLE, ask), now_ms, ask)
        except ConditionFailed as failed:
            stored = _usable(failed.item)
        if stored != limit:
            self._limits[digest] = stored
            return self.admit(digest, now_ms, ask)
        try:
            return self._caller(self._count(digest, limit, now_ms, WITHIN_BURST, ask), now_ms, ask)
        except ConditionFailed as failed:
            if _usable(failed.item) != limit:
                return self.admit(digest, now_ms, ask)
            raise _rate_limit_error(failed.item, _counted(limit, ask), now_ms, _tat(ask)) from None

    def add(self, key: ApiKey, keys_max: int) -> None:
        for _ in range(ADD_TRIES):
            if self._add_to(self._table.get(*items.account_key(key.account_id)), key, keys_max):
                return
        raise errors.Unavailable(retry_after_seconds=1)

    def _add_to(self, account: Item | None, key: ApiKey, keys_max: int) -> bool:
        """False if the account got another key meanwhile."""
        if account is None:
            raise errors.NotFound("No such account.")
        others = [each.id for each in self.of_account(key.account_id) if not each.revoked]
        if len(others) >= keys_max and key.id not in others:
            raise errors.TooManyKeys(details={"keys_max": keys_max})
        there = Update(
            items.account_key(key.account_id),
            "SET keys_changed_at_ms = :now, last_key = :key",
            MAY_HAVE_KEYS,
            {":now": key.created_at_ms, ":key": key.id, ":seen": account.get("last_key", "")},
        )
        try:
            keys = Put(items.account_api_key_item(key)), Put(items.api_key_item(key))
            self._table.transact([there, *keys, *outbox_updates([key_created_event(key)])])
        except TransactionRefused as refused:
            if refused.failed(0):
                found = refused.reasons[0].item or {}
                if found.get("suspended"):
                    raise errors.Forbidden(SUSPENDED) from None
                return False
            if refused.failed(1):
                raise errors.KeyExists from None
            raise
        return True

    def revoke(self, account_id: str, key_id: str, now_ms: int) -> None:
        pointer = self._table.get(*items.account_api_key_key(account_id, key_id))
        if pointer is None:
            raise errors.NotFound("No such key.")
        if pointer["revoked"]:
            return
        keys = items.api_key_key(pointer["digest"]), items.account_api_key_key(account_id, key_id)
        told = outbox_updates([key_revoked_event(items.api_key_of(pointer), now_ms)])
        revoked = [Update(key, "SET revoked = :yes", "attribute_exists(pk)", {":yes": True}) for key in keys]
        self._table.transact([*revoked, *told])

    def of_account(self, account_id: str) -> list[ApiKey]:
        pages = self._table.query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :keys)",
            ConsistentRead=True,
            values={":pk": items.account_key(account_id)[0], ":keys": "KEY#"},
        )
        return [items.api_key_of(item) for some, _ in pages for item in some]

    def _count(self, digest: str, limit: RateLimit, now_ms: int, way: str, ask: Ask) -> Item:
        counted, names = _counted(limit, ask), {"#tat": _tat(ask)}
        values: dict[str, object] = {
            ":no": False,
            ":rate": limit.requests_per_minute,
            ":burst": limit.burst,
            ":now": now_ms,
        }
        if way is IDLE:
            expression, values[":next"] = "SET #tat = :next", now_ms + counted.emission_ms
        else:
            expression, values[":cost"] = "SET #tat = #tat + :cost", counted.emission_ms
            values[":latest"] = now_ms + counted.tolerance_ms
        if ask.drawn_s:
            expression += " ADD #held :held"
            names["#held"], values[":held"] = _held(now_ms), ask.drawn_s
        item = self._table.update(Update(items.api_key_key(digest), expression, way, values, names))
        if ask.drawn_s:
            self._forget_minutes(digest, item, now_ms)
        return item

    def _forget_minutes(self, digest: str, item: Item, now_ms: int) -> None:
        """What was held in minutes before is of no use: one more write at the first hold of a minute."""
        past = [name for name in item if name.startswith(HELD) and name != _held(now_ms)]
        if past:
            names = {f"#{n}": name for n, name in enumerate(past)}
            self._table.update(Update(items.api_key_key(digest), f"REMOVE {', '.join(names)}", names=names))

    def _caller(self, item: Item, now_ms: int, ask: Ask) -> Caller:
        limit, tat_ms = _counted(items.limit_of(item), ask), int(item[_tat(ask)])
        return Caller(
            account_id=item["account_id"],
            key_id=item["id"],
            scopes=frozenset(Scope(scope) for scope in item["scopes"]),
            test=item["prefix"] == KeyPrefix.TEST,
            allowance=Allowance(limit, tat_ms, now_ms),
            may_hold=int(item.get(_held(now_ms), 0)) <= HELD_S_PER_MINUTE if ask.drawn_s else True,
        )


def _tat(ask: Ask) -> str:
    return "poll_tat" if ask.polls else "tat"


def _counted(limit: RateLimit, ask: Ask) -> RateLimit:
    """The limit of the bucket that the request counts in."""
    return limit.of_polls if ask.polls else limit


def _held(now_ms: int) -> str:
    """The attribute with the seconds that requests of this minute are held."""
    return f"{HELD}{now_ms // 60_000}"


def _usable(item: Item | None) -> RateLimit:
    """The rate of the key that stood in the way.

    Raises `Unauthorized` if there is none, or it is revoked, `Forbidden` if its account is suspended.
    """
    if item is None or item["revoked"]:
        raise errors.Unauthorized()
    if item.get("suspended"):
        raise errors.Forbidden(SUSPENDED)
    return items.limit_of(item)


def _rate_limit_error(item: Item | None, limit: RateLimit, now_ms: int, tat: str) -> errors.RateLimited:
    tat_ms = int(item[tat]) if item else now_ms
    return errors.RateLimited(
        retry_after_seconds=limit.retry_after_s(tat_ms, now_ms),
        headers=Allowance(limit, tat_ms, now_ms).headers(),
    )
