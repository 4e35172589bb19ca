"""Subscriptions: who wants which events where, with which secrets they are signed, and how they stand."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from shoal.domain.errors import NotFound
from shoal.domain.events import Event, iso_ms, make_event
from shoal.domain.ids import ulid_of

EVENT_TYPES = (
    "video.created",
    "video.scene_ready",
    "video.ready",
    "video.failed",
    "image.completed",
    "image.failed",
    "task.completed",
    "task.failed",
    "wallet.low_balance",
    "webhook.disabled",
)
"""What can be subscribed to; the bus carries other events too."""

CLOSING_TYPES = frozenset({t for t in EVENT_TYPES if t.endswith((".ready", ".completed", ".failed"))})
"""Types of the one event that ends a job: it also goes to the `webhook_url` of the job's request."""

EVERYTHING = "*"
PATTERNS = frozenset({EVERYTHING, *EVENT_TYPES, *(f"{t.partition('.')[0]}.*" for t in EVENT_TYPES)})
"""What `events` may list: types, families such as `video.*`, or everything."""

SUBSCRIPTIONS_MAX = 20
"""Per account; the stage may say otherwise."""

REQUESTED = "requested"
"""Stands for a webhook id where deliveries go to the `webhook_url` of a request instead of a subscription."""

REQUESTED_IN_TEST = "requested-in-test"
"""The same for requests of test keys; to callers they are `requested` too."""

REQUESTS = frozenset({REQUESTED, REQUESTED_IN_TEST})

SECRET_PREFIX = "whsec_"  # noqa: S105 - the form of a secret, not one
SECRET_BYTES = 32
ROTATION_MS = 24 * 3_600_000
"""How long a replaced secret goes on signing beside its successor."""

SECRETS_MAX = 4
"""Secrets that sign at once: of more rotations within a day the oldest secret goes first."""


def requested(*, test: bool) -> str:
    """What stands for a webhook id where a request of this mode named the endpoint."""
    return REQUESTED_IN_TEST if test else REQUESTED


def new_secret(random_bytes: bytes) -> str:
    """`whsec_` and standard base64. Raises ValueError unless there are 32 bytes."""
    if len(random_bytes) != SECRET_BYTES:
        raise ValueError(f"a secret is made of {SECRET_BYTES} random bytes")
    return SECRET_PREFIX + base64.b64encode(random_bytes).decode()


def matches(patterns: Iterable[str], event_type: str) -> bool:
    """Whether any pattern is the type, its family or everything."""
    family = f"{event_type.partition('.')[0]}.*"
    return any(pattern in (event_type, family, EVERYTHING) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class RetiredSecret:
    """A replaced secret, sealed, and until when it signs."""

    sealed: str
    until_ms: int


@dataclass(frozen=True, slots=True)
class Secrets:
    """Sealed secrets; `retired` are newest first."""

    current: str
    retired: tuple[RetiredSecret, ...] = ()

    def rotate(self, sealed: str, now_ms: int) -> Secrets:
        """A new current secret; the one before it signs for another day."""
        before = RetiredSecret(self.current, now_ms + ROTATION_MS)
        still_signing = (old for old in self.retired if old.until_ms > now_ms)
        return Secrets(sealed, (before, *still_signing)[: SECRETS_MAX - 1])

    def signing_secrets(self, now_ms: int) -> tuple[str, ...]:
        """Those that sign now, the current one first."""
        return (self.current, *(old.sealed for old in self.retired if old.until_ms > now_ms))


class DisabledReason(StrEnum):
    REQUESTED = "requested"
    FAILING = "failing"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Subscription:
    """Moments are Unix time in milliseconds.

    `good`: its endpoint is known to answer quickly; any other is spoken to only in the careful lane.
    Failures count since `cleared_at_ms`: the last success after a failure, new address or enabling.
    `announce_due`: Shoal disabled it and has not said so on the bus yet. `test`: it is of test mode.
    """

    id: str
    account_id: str
    name: str
    url: str
    events: tuple[str, ...]
    secrets: Secrets
    created_at_ms: int
    updated_at_ms: int
    enabled: bool = True
    disabled_reason: DisabledReason | None = None
    disabled_at_ms: int | None = None
    announce_due: bool = False
    good: bool = False
    cleared_at_ms: int = 0
    test: bool = False

    def wants(self, event_type: str) -> bool:
        return matches(self.events, event_type)

    @property
    def sample_type(self) -> str:
        """A type it wants."""
        return next(event_type for event_type in EVENT_TYPES if self.wants(event_type))

    def with_changes(self, changes: Changes, now_ms: int) -> Subscription:
        """With the changes in it. An enabling or a new address starts with a clean slate."""
        given = {name: value for name, value in changes.fields().items() if value is not None}
        after = replace(self, **given, updated_at_ms=now_ms)
        if after.url != self.url or (after.enabled and not self.enabled):
            after = replace(after, good=False, cleared_at_ms=now_ms)
        if after.enabled:
            return replace(after, disabled_reason=None, disabled_at_ms=None, announce_due=False)
        if self.enabled:
            return replace(after, disabled_reason=DisabledReason.REQUESTED, disabled_at_ms=now_ms)
        return after


@dataclass(frozen=True, slots=True)
class Changes:
    """What a caller wants changed; None leaves a field as it is."""

    name: str | None = None
    url: str | None = None
    events: tuple[str, ...] | None = None
    enabled: bool | None = None

    def fields(self) -> dict[str, Any]:
        return {"name": self.name, "url": self.url, "events": self.events, "enabled": self.enabled}


@dataclass(frozen=True, slots=True)
class AccountSecret:
    """What signs the deliveries to `webhook_url`s of an account's requests in one mode."""

    account_id: str
    secrets: Secrets
    created_at_ms: int
    updated_at_ms: int
    test: bool = False


def disabled_event(subscription: Subscription) -> Event:
    """`webhook.disabled`: the same event however often it is made of the same disabling."""
    at_ms = subscription.disabled_at_ms or subscription.updated_at_ms
    data = {
        "webhook_id": subscription.id,
        "name": subscription.name,
        "url": subscription.url,
        "reason": subscription.disabled_reason,
        "disabled_at": iso_ms(at_ms),
        "test": subscription.test,
    }
    return make_event("webhook.disabled", subscription.account_id, at_ms, data, subscription.id)


def webhook_ulid(webhook_id: str) -> str:
    """Raises `NotFound` for what is no id of a webhook."""
    ulid = ulid_of("wh", webhook_id)
    if ulid is None:
        raise no_such_webhook()
    return ulid


def no_such_webhook() -> NotFound:
    return NotFound("There is no webhook with this id.")
