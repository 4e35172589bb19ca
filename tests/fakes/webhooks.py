"""Subscriptions and secrets of accounts in memory, under the conditions of the adapters."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Concatenate, ParamSpec, TypeVar

from shoal.domain.delivery import Delivery
from shoal.domain.errors import TooManyWebhooks, Unavailable
from shoal.domain.idempotency import IdempotencyKey, IdempotencyRecord
from shoal.domain.webhook import (
    AccountSecret,
    Changes,
    DisabledReason,
    Secrets,
    Subscription,
    no_such_webhook,
)
from tests.fakes.network import Network, Reachable

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Reachable)


@dataclass
class RepeatingNetwork(Network):
    """Does the call with number `twice` two times, as a client does that never heard the first answer."""

    twice: int | None = None


def reached(method: Callable[Concatenate[F, P], R]) -> Callable[Concatenate[F, P], R]:
    """A method of a port, called over the network, perhaps repeated by it."""

    @functools.wraps(method)
    def call(self: F, /, *args: P.args, **kwargs: P.kwargs) -> R:
        repeats = getattr(self.network, "twice", None) == len(self.network.calls)
        with self.network.call(f"{self.port}.{method.__name__}"):
            if repeats:
                method(self, *args, **kwargs)
            return method(self, *args, **kwargs)

    return call


@dataclass
class WebhookTables:
    """All that is stored of webhooks, by id; account secrets by account, records by their key."""

    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    account_secrets: dict[tuple[str, bool], AccountSecret] = field(default_factory=dict)
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    records: dict[tuple[str, str, str], IdempotencyRecord] = field(default_factory=dict)

    def find_record(self, key: IdempotencyKey, now_ms: int) -> IdempotencyRecord | None:
        for spelling in key.spellings:
            earlier = self.records.get((key.account_id, key.route, spelling))
            if earlier and earlier.expires_at_ms > now_ms:
                return earlier.replay(key)
        return None

    def record(self, record: IdempotencyRecord | None) -> None:
        if record:
            self.records[record.key.account_id, record.key.route, record.key.key] = record


@dataclass
class FakeSubscriptions:
    network: Network
    tables: WebhookTables
    port: str = "subscriptions"

    @reached
    def create(
        self,
        subscription: Subscription,
        record: IdempotencyRecord | None,
        *,
        subscriptions_max: int,
        now_ms: int,
    ) -> IdempotencyRecord | None:
        if record and (earlier := self.tables.find_record(record.key, now_ms)):
            return earlier
        of_account = self._of(subscription.account_id)
        if sum(each.test == subscription.test for each in of_account) >= subscriptions_max:
            raise TooManyWebhooks(details={"webhooks_max": subscriptions_max})
        self.tables.subscriptions[subscription.id] = subscription
        self.tables.record(record)
        return None

    @reached
    def get(self, account_id: str, webhook_id: str) -> Subscription:
        return self._get(account_id, webhook_id)

    @reached
    def of_account(self, account_id: str) -> list[Subscription]:
        return self._of(account_id)

    @reached
    def change(self, account_id: str, webhook_id: str, changes: Changes, now_ms: int) -> Subscription:
        return self._store(self._get(account_id, webhook_id).with_changes(changes, now_ms))

    @reached
    def delete(self, subscription: Subscription) -> None:
        del self.tables.subscriptions[self._get(subscription.account_id, subscription.id).id]

    @reached
    def rotate(
        self, before: Subscription, secrets: Secrets, record: IdempotencyRecord | None, now_ms: int
    ) -> IdempotencyRecord | None:
        stored = self._get(before.account_id, before.id)
        if stored.secrets.current != before.secrets.current:
            raise Unavailable(retry_after_seconds=1)
        self._store(replace(stored, secrets=secrets, updated_at_ms=now_ms))
        self.tables.record(record)
        return None

    @reached
    def note_success(self, subscription: Subscription, good: bool, now_ms: int) -> None:
        self._note_of_address(subscription, good=good, cleared_at_ms=now_ms)

    @reached
    def note_failure(self, subscription: Subscription) -> None:
        self._note_of_address(subscription, good=False)

    @reached
    def disable(
        self, subscription: Subscription, reason: DisabledReason, since_ms: int, now_ms: int
    ) -> Subscription | None:
        stored = self.tables.subscriptions.get(subscription.id)
        moved = stored is not None and stored.url != subscription.url
        if stored is None or moved or not stored.enabled or stored.cleared_at_ms >= since_ms:
            return stored if stored and stored.disabled_at_ms == now_ms else None
        disabled: dict[str, Any] = {"disabled_reason": reason, "disabled_at_ms": now_ms}
        return self._store(
            replace(stored, enabled=False, announce_due=True, updated_at_ms=now_ms, **disabled)
        )

    @reached
    def mark_announced(self, subscription: Subscription) -> None:
        self._note(subscription, announce_due=False)

    def _of(self, account_id: str) -> list[Subscription]:
        mine = (each for each in self.tables.subscriptions.values() if each.account_id == account_id)
        return sorted(mine, key=lambda each: each.id)

    def _get(self, account_id: str, webhook_id: str) -> Subscription:
        stored = self.tables.subscriptions.get(webhook_id)
        if stored is None or stored.account_id != account_id:
            raise no_such_webhook()
        return stored

    def _note_of_address(self, subscription: Subscription, **changes: Any) -> None:
        stored = self.tables.subscriptions.get(subscription.id)
        if stored and stored.url == subscription.url:
            self._note(subscription, **changes)

    def _note(self, subscription: Subscription, **changes: Any) -> None:
        if stored := self.tables.subscriptions.get(subscription.id):
            self._store(replace(stored, **changes))

    def _store(self, subscription: Subscription) -> Subscription:
        self.tables.subscriptions[subscription.id] = subscription
        return subscription


@dataclass
class FakeAccountSecrets:
    network: Network
    tables: WebhookTables
    port: str = "account_secrets"

    @reached
    def get(self, account_id: str, *, test: bool) -> AccountSecret | None:
        return self.tables.account_secrets.get((account_id, test))

    @reached
    def put(
        self,
        secret: AccountSecret,
        before: AccountSecret | None,
        record: IdempotencyRecord | None,
        now_ms: int,
    ) -> IdempotencyRecord | None:
        if self.tables.account_secrets.get((secret.account_id, secret.test)) != before:
            raise Unavailable(retry_after_seconds=1)
        self.tables.account_secrets[secret.account_id, secret.test] = secret
        self.tables.record(record)
        return None


@dataclass
class FakeRecords:
    network: Network
    tables: WebhookTables
    port: str = "records"

    @reached
    def find_record(self, key: IdempotencyKey, now_ms: int) -> IdempotencyRecord | None:
        return self.tables.find_record(key, now_ms)

    @reached
    def add(self, record: IdempotencyRecord, now_ms: int) -> IdempotencyRecord | None:
        if earlier := self.tables.find_record(record.key, now_ms):
            return earlier
        self.tables.record(record)
        return None

    @reached
    def finish(self, record: IdempotencyRecord) -> None:
        self.tables.record(record)
