"""What a caller does with subscriptions: create, read, change, delete, rotate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from shoal.domain.api_key import Caller
from shoal.domain.errors import ExchangeError, ValidationFailed
from shoal.domain.idempotency import LIFETIME_MS, IdempotencyKey, IdempotencyRecord
from shoal.domain.webhook import Changes, Secrets, Subscription, no_such_webhook
from shoal.ports.jobs import CallerHttp
from shoal.ports.system import Clock, IdempotencyRecords, Ids
from shoal.ports.webhooks import SecretBox, Subscriptions

CREATED = 201
OK = 200


@dataclass(frozen=True, slots=True)
class NewWebhook:
    name: str
    url: str
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """Status and body with the secret in plain; `replayed` if an earlier request made them."""

    status: int
    body: Mapping[str, Any]
    replayed: bool

    @property
    def headers(self) -> dict[str, str]:
        return {"Idempotent-Replayed": "true"} if self.replayed else {}


Render = Callable[[Subscription], Mapping[str, Any]]


def own(subscription: Subscription, caller: Caller) -> Subscription:
    """The subscription, if it is of the caller's mode. Raises `NotFound`."""
    if subscription.test != caller.test:
        raise no_such_webhook()
    return subscription


@dataclass(frozen=True, slots=True)
class ManageWebhooks:
    subscriptions: Subscriptions
    records: IdempotencyRecords
    secret_box: SecretBox
    http: CallerHttp
    new_secret: Callable[[], str]
    clock: Clock
    ids: Ids
    subscriptions_max: int

    def create(
        self, caller: Caller, read: Callable[[], NewWebhook], key: IdempotencyKey | None, render: Render
    ) -> Answered:
        """The subscription that `read` makes of the request with its secret, or this key's earlier answer.

        Raises what `read` raises, `ValidationFailed` (the address), `TooManyWebhooks`,
        `IdempotencyKeyReused`, `IdempotencyInFlight`: in each of them nothing was written.
        """
        now_ms = self.clock.now_ms()
        if earlier := self._earlier(key, now_ms):
            return self._replay(earlier)
        new = read()
        self._vet(new.url)
        secret, webhook_id = self.new_secret(), self.ids.new("wh", now_ms)
        sealed = self.secret_box.seal(secret, caller.account_id, webhook_id)
        subscription = Subscription(
            id=webhook_id,
            account_id=caller.account_id,
            name=new.name,
            url=new.url,
            events=new.events,
            secrets=Secrets(sealed),
            created_at_ms=now_ms,
            updated_at_ms=now_ms,
            cleared_at_ms=now_ms,
            test=caller.test,
        )
        body = render(subscription)
        record = _record(key, subscription, CREATED, {**body, "secret": sealed}, now_ms)
        earlier = self.subscriptions.create(
            subscription, record, subscriptions_max=self.subscriptions_max, now_ms=now_ms
        )
        if earlier:
            return self._replay(earlier)
        return Answered(CREATED, {**body, "secret": secret}, replayed=False)

    def read(self, caller: Caller, webhook_id: str) -> Subscription:
        """Raises `NotFound`."""
        return own(self.subscriptions.get(caller.account_id, webhook_id), caller)

    def list(self, caller: Caller) -> list[Subscription]:
        """All of the caller's account and mode, oldest first."""
        every = self.subscriptions.of_account(caller.account_id)
        return [each for each in every if each.test == caller.test]

    def change(self, caller: Caller, webhook_id: str, changes: Changes) -> Subscription:
        """Raises `NotFound`, `ValidationFailed` (the address)."""
        self.read(caller, webhook_id)
        if changes.url is not None:
            self._vet(changes.url)
        return self.subscriptions.change(caller.account_id, webhook_id, changes, self.clock.now_ms())

    def delete(self, caller: Caller, webhook_id: str) -> None:
        """Raises `NotFound`. What is still to be delivered is dropped."""
        self.subscriptions.delete(self.read(caller, webhook_id))

    def rotate(self, caller: Caller, webhook_id: str, key: IdempotencyKey | None, render: Render) -> Answered:
        """A new secret; the one before it signs beside it for 24 hours. Raises `NotFound`."""
        now_ms = self.clock.now_ms()
        if earlier := self._earlier(key, now_ms):
            return self._replay(earlier)
        before = self.read(caller, webhook_id)
        secret = self.new_secret()
        sealed = self.secret_box.seal(secret, caller.account_id, before.id)
        body = render(replace(before, updated_at_ms=now_ms))
        record = _record(key, before, OK, {**body, "secret": sealed}, now_ms)
        earlier = self.subscriptions.rotate(before, before.secrets.rotate(sealed, now_ms), record, now_ms)
        return self._replay(earlier) if earlier else Answered(OK, {**body, "secret": secret}, replayed=False)

    def _earlier(self, key: IdempotencyKey | None, now_ms: int) -> IdempotencyRecord | None:
        """Asked for first: a replay must not depend on what stands there, or at the address, today."""
        return self.records.find_record(key, now_ms) if key else None

    def _replay(self, record: IdempotencyRecord) -> Answered:
        """The secret is kept sealed in the record too."""
        body = dict(record.body)
        body["secret"] = self.secret_box.open(body["secret"], record.key.account_id, record.job_id)
        return Answered(record.status, body, replayed=True)

    def _vet(self, url: str) -> None:
        try:
            self.http.vet(url)
        except ExchangeError as error:
            raise ValidationFailed(
                f"The request is not valid. url: {error}",
                details={"fields": [{"field": "url", "message": str(error)}]},
            ) from None


def _record(
    key: IdempotencyKey | None, subscription: Subscription, status: int, body: Mapping[str, Any], now_ms: int
) -> IdempotencyRecord | None:
    return IdempotencyRecord(key, subscription.id, status, body, now_ms + LIFETIME_MS) if key else None
