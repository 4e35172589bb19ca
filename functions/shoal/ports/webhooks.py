"""Webhooks: subscriptions, secrets, deliveries, and the queues of attempts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shoal.domain.addresses import Response
from shoal.domain.delivery import Attempt, Delivery, DeliveryStatus, Order
from shoal.domain.idempotency import IdempotencyRecord
from shoal.domain.webhook import AccountSecret, Changes, DisabledReason, Secrets, Subscription


class Subscriptions(Protocol):
    def create(
        self,
        subscription: Subscription,
        record: IdempotencyRecord | None,
        *,
        subscriptions_max: int,
        now_ms: int,
    ) -> IdempotencyRecord | None:
        """Write it, unless there are `subscriptions_max` of its mode.

        Returns the earlier record if the idempotency key was used before.

        Raises `TooManyWebhooks`, `IdempotencyKeyReused`, `IdempotencyInFlight`: nothing was written.
        """

    def get(self, account_id: str, webhook_id: str) -> Subscription:
        """Raises `NotFound`, also for an id of another account."""

    def of_account(self, account_id: str) -> list[Subscription]:
        """All of an account, oldest first."""

    def change(self, account_id: str, webhook_id: str, changes: Changes, now_ms: int) -> Subscription:
        """Raises `NotFound`."""

    def delete(self, subscription: Subscription) -> None:
        """Raises `NotFound`."""

    def rotate(
        self, before: Subscription, secrets: Secrets, record: IdempotencyRecord | None, now_ms: int
    ) -> IdempotencyRecord | None:
        """Replace the secrets that the caller saw. Returns the earlier record, if there is one.

        Raises `NotFound`, `Unavailable` if somebody else rotated at the same time.
        """

    def note_success(self, subscription: Subscription, good: bool, now_ms: int) -> None:
        """The endpoint took an event: earlier failures count no more. Nothing happens if it was deleted."""

    def note_failure(self, subscription: Subscription) -> None:
        """The endpoint is not good until it takes an event. Nothing happens if it was deleted."""

    def disable(
        self, subscription: Subscription, reason: DisabledReason, since_ms: int, now_ms: int
    ) -> Subscription | None:
        """Disable it, to be announced.

        None if it is disabled, gone, at another address by now, or cleared at `since_ms` or later.
        """

    def mark_announced(self, subscription: Subscription) -> None: ...


class AccountSecrets(Protocol):
    def get(self, account_id: str, *, test: bool) -> AccountSecret | None:
        """That of a mode, if there is one."""

    def put(
        self,
        secret: AccountSecret,
        before: AccountSecret | None,
        record: IdempotencyRecord | None,
        now_ms: int,
    ) -> IdempotencyRecord | None:
        """Write it in the place of what the caller saw. Returns the earlier record, if there is one.

        Raises `Unavailable` if somebody else was faster.
        """


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries of a subscription; their events are from `from_ms` up to but not at `to_ms`."""

    status: DeliveryStatus | None = None
    event_type: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Newest event first. `next_cursor` is None on the last page; `read` counts also those left out."""

    deliveries: tuple[Delivery, ...]
    next_cursor: str | None
    read: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """A delivery with what it takes to send it, as it stands now."""

    delivery: Delivery | None
    subscription: Subscription | None
    account_secret: AccountSecret | None


class Deliveries(Protocol):
    def open(self, deliveries: Sequence[Delivery]) -> None:
        """Write those that are not there; those that are stay as they are."""

    def begin(
        self, delivery: Delivery, record: IdempotencyRecord | None, now_ms: int
    ) -> IdempotencyRecord | None:
        """Write a new one. Returns the earlier record if the idempotency key was used before."""

    def load(self, order: Order) -> Loaded: ...

    def get(self, account_id: str, webhook_id: str, delivery_id: str) -> Delivery:
        """Raises `NotFound`."""

    def page(
        self, account_id: str, webhook_id: str, which: DeliveryFilter, *, limit: int, cursor: str | None
    ) -> DeliveryPage:
        """Raises `ValidationFailed` for a cursor that no page gave out."""

    def succeed(self, delivery: Delivery, attempt: Attempt) -> None:
        """Record a success, whatever else was recorded meanwhile."""

    def fail(
        self, delivery: Delivery, attempt: Attempt, failed_at_ms: int, next_attempt_at_ms: int | None
    ) -> Delivery | None:
        """Record a failure, the last one of its run if nothing comes next.

        The delivery after it; None if somebody else recorded this attempt first.
        """

    def miss(self, delivery: Delivery) -> None:
        """End the run without an attempt: the subscription is disabled. Nothing happens if it has ended."""

    def restart(
        self, delivery: Delivery, now_ms: int, record: IdempotencyRecord | None = None
    ) -> Delivery | None:
        """Begin another run. None if somebody else changed the delivery first.

        Raises `IdempotencyInFlight` if the idempotency key was used meanwhile, `IdempotencyKeyReused`.
        """


LEASE_MS = 30_000
"""How long a slot is held at most: longer than any attempt and than its function may run."""


@dataclass(frozen=True, slots=True)
class Slot:
    """The right to have one attempt, or one recovery, under way until `until_ms`."""

    holder: str
    number: int
    until_ms: int


class Slots(Protocol):
    """Bounds what is under way: attempts at an endpoint that is not good. Who dies with a slot loses it."""

    def take(self, endpoint: str, slots_max: int, now_ms: int) -> Slot | None:
        """None if all are taken."""

    def free(self, slot: Slot) -> None: ...


class HostCounts(Protocol):
    def take(self, account_id: str, host: str, sends_max: int, now_ms: int) -> bool:
        """Count one more request of an account to a host. False if it had so many in this minute."""


class Funds(Protocol):
    def had_any(self, account_id: str) -> bool:
        """Whether an account ever had money that it paid or was granted; play money is none."""


class Lane(StrEnum):
    """Quick: first attempts at good endpoints. Careful: all else, where waiting is expected."""

    QUICK = "quick"
    CAREFUL = "careful"


class DeliveryQueue(Protocol):
    def send(self, lane: Lane, orders: Sequence[Order], *, delay_s: int = 0) -> None:
        """Raises `Unavailable` unless every order was taken. `delay_s` is at most 900."""


@dataclass(frozen=True, slots=True)
class TakenOrder:
    """An order out of a queue. `receipt` is set if the consumer that took it has to finish it."""

    order: Order
    message_id: str
    receipt: str = ""


class OrderQueue(Protocol):
    """A lane's queue, from the side of the consumer of its orders."""

    def take(self, orders_max: int) -> list[TakenOrder]:
        """Waits a second for the first. What is not finished in time is handed out again."""

    def finish(self, taken: Sequence[TakenOrder]) -> None: ...


class RetrySchedule(Protocol):
    def plan(self, order: Order, at_ms: int, now_ms: int) -> None:
        """Into the careful lane at a moment, at once if it is past."""


@dataclass(frozen=True, slots=True)
class RecoverOrder:
    """Send again what was not delivered of the events from `since_ms` up to `until_ms`, newest first.

    `left` is how many deliveries may still be looked at, `cursor` where to go on.
    """

    account_id: str
    webhook_id: str
    since_ms: int
    until_ms: int
    left: int
    cursor: str | None = None


class RecoverQueue(Protocol):
    def send(self, order: RecoverOrder) -> None: ...


class SecretBox(Protocol):
    """Keeps secrets sealed. What was sealed for one account and webhook opens for no other."""

    def seal(self, secret: str, account_id: str, webhook_id: str) -> str: ...

    def open(self, sealed: str, account_id: str, webhook_id: str) -> str: ...


class WebhookHttp(Protocol):
    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        """One exchange within 10 s, to permitted addresses only. Raises `ExchangeError`."""
