"""DeliverWebhook: make one attempt at one delivery. Prepare, send, then handle its success or failure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from threading import Lock
from urllib.parse import urlsplit

from shoal.domain.delivery import (
    Attempt,
    Delivery,
    DeliveryStatus,
    Order,
    RetryLadder,
    attempt_of,
    retry_after_s,
)
from shoal.domain.errors import ExchangeError, Unavailable
from shoal.domain.webhook import REQUESTS, Secrets, Subscription, disabled_event
from shoal.domain.webhook_signature import signed_headers
from shoal.ports import webhooks
from shoal.ports.system import Bus, Clock

HERE_MAX = 10
"""Attempts at one endpoint that one function makes side by side."""

SLOTS_MAX = 5
"""Attempts everywhere together at an endpoint that is not good."""

REQUESTED_SETS = 8
"""Sets of slots for the hosts that the requests of one account name."""

WAIT_S_MAX = 60
"""The longest an order is put off at once when an endpoint has enough attempts under way."""


class Outcome(StrEnum):
    """What came of an order. Only the first two are attempts."""

    DELIVERED = "delivered"
    FAILED = "failed"
    MISSED = "missed"
    DIVERTED = "diverted"
    WAITING = "waiting"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Done:
    """`disabled`: the subscription was, by this very order. `age_ms` is how old the event is by now."""

    outcome: Outcome
    event_type: str = ""
    attempt: Attempt | None = None
    age_ms: int = 0
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that is needed to send. `subscription` is None where the request named the endpoint."""

    delivery: Delivery
    subscription: Subscription | None
    url: str
    secrets: Secrets

    @property
    def endpoint(self) -> str:
        """What shares slots: a subscription, or hosts that requests of one account name.

        An account may name any number of hosts: they share so many sets of slots and no more.
        """
        if self.subscription:
            return self.subscription.id
        host = urlsplit(self.url).netloc.lower().encode()
        return f"{self.delivery.account_id}#{hashlib.sha256(host).digest()[0] % REQUESTED_SETS}"

    @property
    def good(self) -> bool:
        """Where the request named the endpoint nothing is known of it."""
        return self.subscription is not None and self.subscription.good


class UnderWay:
    """Counts the attempts of this process by endpoint."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._by_endpoint: Counter[str] = Counter()

    @contextmanager
    def one_more(self, endpoint: str) -> Iterator[bool]:
        """Whether there is room for it."""
        with self._lock:
            room = self._by_endpoint[endpoint] < HERE_MAX
            self._by_endpoint[endpoint] += room
        try:
            yield room
        finally:
            with self._lock:
                self._by_endpoint[endpoint] -= room
                if not self._by_endpoint[endpoint]:
                    del self._by_endpoint[endpoint]


@dataclass(frozen=True, slots=True)
class DeliverWebhook:
    """Runs once for each of the two lanes. Any order may come twice, late, or after a crash half-way.

    `body_of` is what an attempt sends: the id of the event is the same in all of them. `unpaid_sends_max` is
    what an account that never had money may send to one host in a minute; the rest waits.
    """

    lane: webhooks.Lane
    body_of: Callable[[Delivery], str]
    subscriptions: webhooks.Subscriptions
    deliveries: webhooks.Deliveries
    slots: webhooks.Slots
    queue: webhooks.DeliveryQueue
    retries: webhooks.RetrySchedule
    secret_box: webhooks.SecretBox
    http: webhooks.WebhookHttp
    bus: Bus
    ladder: RetryLadder
    host_counts: webhooks.HostCounts
    unpaid_sends_max: int
    clock: Clock
    under_way: UnderWay = field(default_factory=UnderWay)

    def __call__(self, order: Order) -> Done:
        """Handle an order. If this raises (`Unavailable` above all), the queue delivers the order again."""
        prepared = self._prepare(order, self.deliveries.load(order))
        if isinstance(prepared, Done):
            return prepared
        if self.lane is webhooks.Lane.QUICK and not prepared.good:
            self.queue.send(webhooks.Lane.CAREFUL, [order])
            return Done(Outcome.DIVERTED)
        with self.under_way.one_more(prepared.endpoint) as room, self._slot(prepared, room) as taken:
            if not taken or not self._within_bound(prepared):
                return self._put_off(order)
            attempt, asked_s = self._send(prepared)
        return (
            self._succeed(prepared, attempt) if attempt.succeeded else self._fail(prepared, attempt, asked_s)
        )

    def _prepare(self, order: Order, loaded: webhooks.Loaded) -> Prepared | Done:
        delivery, subscription = loaded.delivery, loaded.subscription
        if delivery is None or delivery.run != order.run:
            return Done(Outcome.STALE)
        if delivery.attempts_in_run == order.attempt:
            return self._finish(delivery, subscription)
        if delivery.status is not DeliveryStatus.PENDING or delivery.attempts_in_run != order.attempt - 1:
            return Done(Outcome.STALE)
        if order.webhook_id in REQUESTS:
            if delivery.url is None or loaded.account_secret is None:
                raise ValueError(f"{delivery.id} has no address or no secret")
            return Prepared(delivery, None, delivery.url, loaded.account_secret.secrets)
        if subscription is None or not (subscription.enabled or delivery.once):
            self.deliveries.miss(delivery)
            return Done(Outcome.MISSED, delivery.event_type)
        return Prepared(delivery, subscription, subscription.url, subscription.secrets)

    def _finish(self, delivery: Delivery, subscription: Subscription | None) -> Done:
        """This attempt is recorded already: do again what follows from that, in case it was not done."""
        disabled = False
        if delivery.status is DeliveryStatus.PENDING:
            self._plan(delivery)
        elif delivery.status is DeliveryStatus.FAILED and delivery.attempts:
            disabled = self._conclude(delivery, subscription, delivery.attempts[-1].ended_at_ms)
        return Done(Outcome.STALE, disabled=disabled)

    @contextmanager
    def _slot(self, prepared: Prepared, room: bool) -> Iterator[bool]:
        """Whether there is room for one more attempt at the endpoint, here and everywhere."""
        slot: webhooks.Slot | None = None
        if not room:
            yield False
            return
        if not prepared.good:
            slot = self.slots.take(prepared.endpoint, SLOTS_MAX, self.clock.now_ms())
            if slot is None:
                yield False
                return
        try:
            yield True
        finally:
            if slot:
                with suppress(Unavailable):  # its lease runs out; the attempt must be recorded
                    self.slots.free(slot)

    def _within_bound(self, prepared: Prepared) -> bool:
        """Whether the host may get one more request in this minute: it may never have agreed to any."""
        delivery, host = prepared.delivery, (urlsplit(prepared.url).hostname or "").rstrip(".")
        return not delivery.bounded or self.host_counts.take(
            delivery.account_id, host, self.unpaid_sends_max, self.clock.now_ms()
        )

    def _put_off(self, order: Order) -> Done:
        """Longer each time: what waits behind a slow endpoint must not keep the queue turning."""
        later = replace(order, waits=order.waits + 1)
        self.queue.send(webhooks.Lane.CAREFUL, [later], delay_s=min(2**order.waits, WAIT_S_MAX))
        return Done(Outcome.WAITING)

    def _send(self, prepared: Prepared) -> tuple[Attempt, int | None]:
        """The attempt, and after how many seconds the endpoint asked to be tried again."""
        delivery, at_ms = prepared.delivery, self.clock.now_ms()
        body = self.body_of(delivery).encode()
        secrets = [
            self.secret_box.open(sealed, delivery.account_id, delivery.webhook_id)
            for sealed in prepared.secrets.signing_secrets(at_ms)
        ]
        headers = {"Content-Type": "application/json"}
        headers |= signed_headers(secrets, delivery.event_id, at_ms // 1000, body)
        try:
            response = self.http.post(prepared.url, headers, body)
        except ExchangeError as error:
            return Attempt(at_ms, self.clock.now_ms() - at_ms, error=str(error)), None
        return attempt_of(response, at_ms), retry_after_s(response.headers, self.clock.now_ms())

    def _succeed(self, prepared: Prepared, attempt: Attempt) -> Done:
        subscription, delivery = prepared.subscription, prepared.delivery
        if subscription and not delivery.once and not (subscription.good and attempt.good):
            # Noted while a failure stands against it; before the delivery, so that no crash forgets it.
            self.subscriptions.note_success(subscription, attempt.good, self.clock.now_ms())
        self.deliveries.succeed(delivery, attempt)
        return self._end(Outcome.DELIVERED, delivery, attempt)

    def _fail(self, prepared: Prepared, attempt: Attempt, asked_s: int | None) -> Done:
        delivery, subscription = prepared.delivery, prepared.subscription
        if subscription and not delivery.once:
            self.subscriptions.note_failure(subscription)
        # Read after the note: a success that was sent off later has seen it, and leaves a note of its own.
        failed_at_ms = self.clock.now_ms()
        delay_ms = None if attempt.gone else self.ladder.next_delay_ms(delivery, asked_s)
        next_ms = None if delay_ms is None else failed_at_ms + delay_ms
        failed = self.deliveries.fail(delivery, attempt, failed_at_ms, next_ms)
        disabled = False
        if failed and next_ms is None:
            # After this very moment: what was taken just before the endpoint went does not keep it enabled.
            disabled = self._conclude(failed, subscription, self.clock.now_ms() + 1)
        elif failed:
            self._plan(failed)
        return replace(self._end(Outcome.FAILED, delivery, attempt), disabled=disabled)

    def _plan(self, delivery: Delivery) -> None:
        now_ms = self.clock.now_ms()
        self.retries.plan(delivery.order(), delivery.next_attempt_at_ms or now_ms, now_ms)

    def _conclude(self, delivery: Delivery, subscription: Subscription | None, ended_at_ms: int) -> bool:
        """A run ended without success: disable the subscription if that is due. Whether this call did."""
        if subscription is None or delivery.once:
            return False
        if subscription.enabled:
            reason, since_ms = delivery.disabling_reason(ended_at_ms)
            disabled = self.subscriptions.disable(subscription, reason, since_ms, self.clock.now_ms())
            if disabled is None:
                return False
            self._announce(disabled)
            return True
        if subscription.announce_due:
            self._announce(subscription)
        return False

    def _announce(self, subscription: Subscription) -> None:
        self.bus.publish([disabled_event(subscription)])
        self.subscriptions.mark_announced(subscription)

    def _end(self, outcome: Outcome, delivery: Delivery, attempt: Attempt) -> Done:
        age_ms = max(0, self.clock.now_ms() - delivery.event_at_ms)
        return Done(outcome, delivery.event_type, attempt, age_ms)
