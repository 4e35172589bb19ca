"""The secret that signs deliveries to the `webhook_url`s of an account's requests, one for each mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from shoal.domain.api_key import Caller
from shoal.domain.errors import NotFound
from shoal.domain.idempotency import LIFETIME_MS, IdempotencyKey, IdempotencyRecord
from shoal.domain.webhook import AccountSecret, Secrets, requested
from shoal.ports.system import Clock, IdempotencyRecords
from shoal.ports.webhooks import AccountSecrets, SecretBox
from shoal.use_cases.webhooks.manage_webhooks import CREATED, OK, Answered

Render = Callable[[AccountSecret], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ManageWebhookSecret:
    account_secrets: AccountSecrets
    records: IdempotencyRecords
    secret_box: SecretBox
    new_secret: Callable[[], str]
    clock: Clock

    def read(self, caller: Caller) -> AccountSecret:
        """Raises `NotFound` as long as there is none."""
        secret = self.account_secrets.get(caller.account_id, test=caller.test)
        if secret is None:
            raise NotFound("There is no webhook secret yet: POST makes one.")
        return secret

    def rotate(self, caller: Caller, key: IdempotencyKey | None, render: Render) -> Answered:
        """A new secret, the first or one that the one before it signs beside for 24 hours."""
        now_ms = self.clock.now_ms()
        earlier = self.records.find_record(key, now_ms) if key else None
        if earlier:
            return self._replay(earlier)
        before = self.account_secrets.get(caller.account_id, test=caller.test)
        plain = self.new_secret()
        webhook_id = requested(test=caller.test)
        sealed = self.secret_box.seal(plain, caller.account_id, webhook_id)
        if before:
            rotated = before.secrets.rotate(sealed, now_ms)
            after = replace(before, secrets=rotated, updated_at_ms=now_ms)
        else:
            after = AccountSecret(caller.account_id, Secrets(sealed), now_ms, now_ms, caller.test)
        status, body = OK if before else CREATED, render(after)
        kept = {**body, "secret": sealed}
        record = IdempotencyRecord(key, webhook_id, status, kept, now_ms + LIFETIME_MS) if key else None
        earlier = self.account_secrets.put(after, before, record, now_ms)
        return (
            self._replay(earlier) if earlier else Answered(status, {**body, "secret": plain}, replayed=False)
        )

    def _replay(self, record: IdempotencyRecord) -> Answered:
        body: Mapping[str, Any] = dict(record.body)
        plain = self.secret_box.open(body["secret"], record.key.account_id, record.job_id)
        return Answered(record.status, {**body, "secret": plain}, replayed=True)
