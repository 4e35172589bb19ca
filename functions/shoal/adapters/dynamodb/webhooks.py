"""Subscriptions and account secrets in the table, in a partition of their own per account.

Not in the account's partition: that also holds the digests of its keys, and the functions that call
customers' endpoints are limited to partitions that hold none.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from typing import Any

from shoal.adapters.dynamodb.idempotency import write_with_record
from shoal.adapters.dynamodb.table import (
    ConditionFailed,
    Delete,
    Item,
    Put,
    Table,
    TransactionRefused,
    Update,
)
from shoal.adapters.dynamodb.values import read
from shoal.domain.errors import TooManyWebhooks, Unavailable
from shoal.domain.idempotency import IdempotencyRecord
from shoal.domain.webhook import (
    AccountSecret,
    Changes,
    DisabledReason,
    RetiredSecret,
    Secrets,
    Subscription,
    no_such_webhook,
    webhook_ulid,
)

EXISTS = "attribute_exists(pk)"
ROOM = "attribute_not_exists(subscriptions) OR subscriptions < :max"
SAME_SECRET = "secret = :seen"  # noqa: S105 - a condition
AS_SEEN = "enabled = :enabled_seen AND #url = :url_seen"
SAME_ADDRESS = "#url = :url"
STILL_FAILING = "enabled = :yes AND cleared_at_ms < :since AND #url = :url"

CHANGES_TRIED_MAX = 4


def subscription_key(account_id: str, ulid: str) -> tuple[str, str]:
    return f"WEBHOOKS#{account_id}", f"WEBHOOK#{ulid}"


def count_key(account_id: str, *, test: bool) -> tuple[str, str]:
    return f"WEBHOOKS#{account_id}", "COUNT#TEST" if test else "COUNT"


def account_secret_key(account_id: str, *, test: bool) -> tuple[str, str]:
    return f"WEBHOOKS#{account_id}", "SECRET#TEST" if test else "SECRET"


class DynamoDbSubscriptions:
    """Implements the `Subscriptions` port."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def create(
        self,
        subscription: Subscription,
        record: IdempotencyRecord | None,
        *,
        subscriptions_max: int,
        now_ms: int,
    ) -> IdempotencyRecord | None:
        counted = Update(
            count_key(subscription.account_id, test=subscription.test),
            "ADD subscriptions :one",
            ROOM,
            {":one": 1, ":max": subscriptions_max},
        )
        parts: list[Put | Update] = [counted, Put(_subscription_item(subscription))]
        try:
            return write_with_record(self._table, parts, record, now_ms)
        except TransactionRefused as refused:
            if refused.failed(0):
                raise TooManyWebhooks(details={"webhooks_max": subscriptions_max}) from None
            raise

    def get(self, account_id: str, webhook_id: str) -> Subscription:
        item = self._table.get(*_key(account_id, webhook_id))
        if item is None:
            raise no_such_webhook()
        return subscription_of(item)

    def of_account(self, account_id: str) -> list[Subscription]:
        pages = self._table.query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :webhooks)",
            ConsistentRead=True,
            values={":pk": subscription_key(account_id, "")[0], ":webhooks": "WEBHOOK#"},
        )
        return [subscription_of(item) for items, _ in pages for item in items]

    def change(self, account_id: str, webhook_id: str, changes: Changes, now_ms: int) -> Subscription:
        for _ in range(CHANGES_TRIED_MAX):
            before = self.get(account_id, webhook_id)
            after = before.with_changes(changes, now_ms)
            if after == before:  # made already: the client lost the answer and tried again
                return before
            with suppress(ConditionFailed):  # it was changed, disabled or deleted meanwhile: look again
                return subscription_of(self._table.update(_difference(before, after)))
        raise Unavailable(retry_after_seconds=1)

    def delete(self, subscription: Subscription) -> None:
        count_at = count_key(subscription.account_id, test=subscription.test)
        counted = Update(count_at, "ADD subscriptions :less", EXISTS, {":less": -1})
        try:
            self._table.transact([Delete(_key(subscription.account_id, subscription.id)), counted])
        except TransactionRefused:
            raise no_such_webhook() from None

    def rotate(
        self, before: Subscription, secrets: Secrets, record: IdempotencyRecord | None, now_ms: int
    ) -> IdempotencyRecord | None:
        rotated = Update(
            _key(before.account_id, before.id),
            "SET secret = :secret, retired = :retired, updated_at_ms = :now",
            SAME_SECRET,
            {
                ":secret": secrets.current,
                ":retired": [asdict(old) for old in secrets.retired],
                ":now": now_ms,
                ":seen": before.secrets.current,
            },
        )
        try:
            return write_with_record(self._table, [rotated], record, now_ms)
        except Unavailable:
            # Without a key nothing is put by which the table could find it; the secret is this request's own.
            if record or self.get(before.account_id, before.id).secrets.current != secrets.current:
                raise
            return None
        except TransactionRefused:
            raise Unavailable(retry_after_seconds=1) from None

    def note_success(self, subscription: Subscription, good: bool, now_ms: int) -> None:
        self._note_of_address(
            subscription, "SET good = :good, cleared_at_ms = :now", {":good": good, ":now": now_ms}
        )

    def note_failure(self, subscription: Subscription) -> None:
        self._note_of_address(subscription, "SET good = :no", {":no": False})

    def disable(
        self, subscription: Subscription, reason: DisabledReason, since_ms: int, now_ms: int
    ) -> Subscription | None:
        update = Update(
            _key(subscription.account_id, subscription.id),
            "SET enabled = :no, disabled_reason = :reason, disabled_at_ms = :now, updated_at_ms = :now,"
            " announce_due = :yes",
            STILL_FAILING,
            {
                ":no": False,
                ":yes": True,
                ":reason": str(reason),
                ":now": now_ms,
                ":since": since_ms,
                ":url": subscription.url,
            },
            {"#url": "url"},
        )
        try:
            return subscription_of(self._table.update(update))
        except ConditionFailed as failed:
            # The client may have lost the answer and tried again: then this is its own doing.
            item = failed.item or {}
            return subscription_of(item) if item.get("disabled_at_ms") == now_ms else None

    def mark_announced(self, subscription: Subscription) -> None:
        key = _key(subscription.account_id, subscription.id)
        with suppress(ConditionFailed):  # deleted: there is nothing left to note
            self._table.update(Update(key, "SET announce_due = :no", EXISTS, {":no": False}))

    def _note_of_address(self, subscription: Subscription, expression: str, values: dict[str, Any]) -> None:
        key, address = _key(subscription.account_id, subscription.id), {":url": subscription.url}
        with suppress(ConditionFailed):  # deleted, or at another address that has shown nothing yet
            self._table.update(Update(key, expression, SAME_ADDRESS, values | address, {"#url": "url"}))


class DynamoDbAccountSecrets:
    """Implements the `AccountSecrets` port."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, account_id: str, *, test: bool) -> AccountSecret | None:
        item = self._table.get(*account_secret_key(account_id, test=test))
        return account_secret_of(item) if item else None

    def put(
        self,
        secret: AccountSecret,
        before: AccountSecret | None,
        record: IdempotencyRecord | None,
        now_ms: int,
    ) -> IdempotencyRecord | None:
        item = _item(account_secret_key(secret.account_id, test=secret.test), secret)
        written = Put(item, SAME_SECRET, {":seen": before.secrets.current}) if before else Put(item)
        try:
            return write_with_record(self._table, [written], record, now_ms)
        except TransactionRefused:
            raise Unavailable(retry_after_seconds=1) from None


def _key(account_id: str, webhook_id: str) -> tuple[str, str]:
    """Raises `NotFound` for what is no id of a webhook."""
    return subscription_key(account_id, webhook_ulid(webhook_id))


def _difference(before: Subscription, after: Subscription) -> Update:
    """What a change changes, provided that it is made to what was seen."""
    old, new = _subscription_item(before), _subscription_item(after)
    changed = [name for name in new if new[name] != old[name]]
    kept = [name for name in changed if new[name] is not None]
    removed = [name for name in changed if new[name] is None]
    expression = f"SET {', '.join(f'#{name} = :{name}' for name in kept)}"
    if removed:
        expression += f" REMOVE {', '.join(f'#{name}' for name in removed)}"
    values = {f":{name}": new[name] for name in kept}
    seen = {":enabled_seen": before.enabled, ":url_seen": before.url}
    names = {f"#{name}": name for name in (*changed, "url")}
    return Update(_key(before.account_id, before.id), expression, AS_SEEN, values | seen, names)


def _item(key: tuple[str, str], record: Subscription | AccountSecret) -> Item:
    """Its secrets stand among the other fields."""
    fields = asdict(record)
    secrets = fields.pop("secrets")
    return {
        "pk": key[0],
        "sk": key[1],
        "secret": secrets["current"],
        "retired": list(secrets["retired"]),
        **fields,
    }


def _subscription_item(subscription: Subscription) -> Item:
    reason = subscription.disabled_reason and str(subscription.disabled_reason)
    item = _item(_key(subscription.account_id, subscription.id), subscription)
    return item | {"disabled_reason": reason, "events": list(subscription.events)}


def subscription_of(item: Item) -> Subscription:
    reason = item.get("disabled_reason")
    return read(
        Subscription,
        item,
        events=tuple(item["events"]),
        secrets=_secrets_of(item),
        disabled_reason=DisabledReason(reason) if reason else None,
    )


def account_secret_of(item: Item) -> AccountSecret:
    return read(AccountSecret, item, secrets=_secrets_of(item))


def _secrets_of(item: Item) -> Secrets:
    return Secrets(item["secret"], tuple(RetiredSecret(**old) for old in item["retired"]))
